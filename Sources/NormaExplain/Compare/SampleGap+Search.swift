import NormaTensor

extension SampleGap {
  /// The distance between two tensors of the same shape.
  init(_ first: Tensor, _ second: Tensor, unit: Double) {
    let (a, b) = (first.array(of: Double.self), second.array(of: Double.self))
    var (largest, energy, strange, counted) = (0.0, 0.0, 0, 0.0)
    var (sum, square) = (0.0, 0.0)
    let center = a.first { $0.isFinite } ?? 0
    for i in a.indices {
      if a[i].isNaN && b[i].isNaN || !a[i].isFinite && a[i] == b[i] { continue }
      guard a[i].isFinite, b[i].isFinite else {
        strange += 1
        continue
      }
      let (distance, value) = (abs(b[i] - a[i]), a[i] - center)
      largest = max(largest, distance)
      energy += distance * distance
      (sum, square, counted) = (sum + value, square + value * value, counted + 1)
    }
    let count = max(counted, 1)
    maximum = largest
    rootMeanSquare = (energy / count).squareRoot()
    spread = max(square / count - sum / count * (sum / count), 0).squareRoot()
    tolerance = unit.squareRoot()
    incomparable = strange
    let isOff = strange == 0 && rootMeanSquare > tolerance * spread
    relation = isOff ? Self.relation(a, b, first.shape, tolerance * spread) : nil
  }

  /// Common transformations of batches: another scale, another order of samples or channels.
  private static func relation(
    _ a: [Double], _ b: [Double], _ shape: [Int], _ slack: Double
  ) -> String? {
    func isNear(_ x: [Double], _ y: [Double], _ scale: Double = 1) -> Bool {
      let energy = zip(x, y).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return (energy / Double(max(x.count, 1))).squareRoot() <= slack * scale
    }
    if let factor = TensorRelation.factor(a, b), isNear(a.map { $0 * factor }, b, abs(factor)) {
      return "\(short(factor)) times those of the first"
    }
    let rows = shape.first ?? 0
    if rows > 1, a.count % rows == 0 {
      let width = a.count / rows
      let (mine, theirs) = (0..<rows).reduce(into: ([[Double]](), [[Double]]())) { all, row in
        all.0.append(Array(a[row * width..<(row + 1) * width]))
        all.1.append(Array(b[row * width..<(row + 1) * width]))
      }
      let places = theirs.map { row in mine.firstIndex { isNear($0, row) } }
      if Set(places).count == rows, !places.contains(nil) {
        return "those of the first with the samples in another order"
      }
    }
    return nil
  }
}

extension PairSearch {
  /// The distance between the inputs' channel means, if there are moments but no samples.
  func gapOfMoments() -> SampleGap? {
    for path in [\CapturedLayer.evaluation, \CapturedLayer.batch] {
      guard let a = first[keyPath: path], let b = second[keyPath: path], a.samples == b.samples,
        a.channels == b.channels, a.samples > 0
      else { continue }
      let shape = [a.samples, a.channels]
      return SampleGap(
        Tensor(a.mean, shape: shape), Tensor(b.mean, shape: shape), unit: 0x1p-24)
    }
    return nil
  }
}
