import NormaValues

// Conversion to nested Swift arrays; the inverse is `Tensor(_:)`.

extension Tensor {
  /// A matrix as rows: `x.array(of: [Float].self)` is a `[[Float]]`, cast to that type.
  ///
  /// The tensor has two axes. A single 0 after a mistake. PyTorch: `tolist()`.
  public func array<T: TensorElement>(
    of type: [T].Type, file: StaticString = #fileID, line: UInt = #line
  ) -> [[T]] {
    nested(2, file, line) { (values: [T], shape) in
      Tensor.parts(values, of: shape[1], count: shape[0])
    }
  }

  /// A tensor with three axes as nested arrays: `x.array(of: [[Float]].self)`. PyTorch: `tolist()`.
  public func array<T: TensorElement>(
    of type: [[T]].Type, file: StaticString = #fileID, line: UInt = #line
  ) -> [[[T]]] {
    nested(3, file, line) { (values: [T], shape) in
      let rows = Tensor.parts(values, of: shape[2], count: shape[0] * shape[1])
      return Tensor.parts(rows, of: shape[1], count: shape[0])
    }
  }

  /// A tensor with four axes as nested arrays: `x.array(of: [[[Float]]].self)`.
  /// PyTorch: `tolist()`.
  public func array<T: TensorElement>(
    of type: [[[T]]].Type, file: StaticString = #fileID, line: UInt = #line
  ) -> [[[[T]]]] {
    nested(4, file, line) { (values: [T], shape) in
      let rows = Tensor.parts(values, of: shape[3], count: shape[0] * shape[1] * shape[2])
      let planes = Tensor.parts(rows, of: shape[2], count: shape[0] * shape[1])
      return Tensor.parts(planes, of: shape[1], count: shape[0])
    }
  }

  private func nested<T: TensorElement, R>(
    _ axes: Int, _ file: StaticString, _ line: UInt, _ cut: ([T], [Int]) -> [R]
  ) -> [R] {
    let ones = [Int](repeating: 1, count: axes)
    guard rank == axes || isPoisoned else {
      report(
        TensorError("array(of:)", "shape \(shape) has \(rank) axes, the array type \(axes)"),
        file: file, line: line)
      return cut([T(wrapping: 0)], ones)
    }
    let values: [T] = array(of: T.self)
    return cut(values, isPoisoned ? ones : shape)
  }

  /// `count` consecutive arrays of `size` values each.
  private static func parts<T>(_ values: [T], of size: Int, count: Int) -> [[T]] {
    (0..<count).map { Array(values[$0 * size..<($0 + 1) * size]) }
  }
}
