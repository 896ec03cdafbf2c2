extension Recipe {
  /// The factor and the addend of the normalized value.
  func scaleAndShift(_ layer: LayerNumbers, _ frame: Frame) -> (scale: Grid, shift: Grid) {
    let shape = frame.parameterShape
    func grid(_ values: [Double]?, _ initial: Double) -> Grid {
      let count = shape.reduce(1, *)
      return Grid(shape: shape, values: values ?? [Double](repeating: initial, count: count))
    }
    let (w, b) = (grid(layer.weight, 1), grid(layer.bias, 0))
    func placed(_ order: (Int) -> Int, _ shape: [Int]) -> (Grid, Grid) {
      func place(_ grid: Grid) -> Grid {
        Grid(shape: shape, values: grid.values.indices.map { grid.values[order($0)] })
      }
      return (place(w), place(b))
    }
    switch affine {
    case .both: return (w, b)
    case .none: return (grid(nil, 1), grid(nil, 0))
    case .weightOnly: return (w, grid(nil, 0))
    case .biasOnly: return (grid(nil, 1), b)
    case .onePlusWeight: return (w.map { 1 + $0 }, b)
    case .weightMinusOne: return (w.map { $0 - 1 }, b)
    case .absoluteWeight: return (w.map { abs($0) }, b)
    case .biasFirst:
      return (w, Grid(shape: shape, values: zip(w.values, b.values).map { $0 * $1 }))
    case .exchanged: return (b, w)
    case .minusBias: return (w, b.map { -$0 })
    case .weightTwice: return (w.map { $0 * $0 }, b)
    case .dividedByWeight: return (w.map { 1 / $0 }, b)
    case .along(let axis):
      var other = [Int](repeating: 1, count: shape.count)
      other[axis] = w.values.count
      return placed({ $0 }, other)
    case .interleaved(let groups):
      let size = w.values.count / groups
      return placed({ $0 % groups * size + $0 / groups }, shape)
    case .stretched(let length): return placed({ $0 / length }, shape)
    case .repeated(let length): return placed({ $0 % length }, shape)
    }
  }
}
