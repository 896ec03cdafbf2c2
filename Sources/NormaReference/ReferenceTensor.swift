/// Numbers in Double with a shape, row-major: the definition that fast kernels are compared with.
///
/// Everything here is written to be readable, not fast. But tests run without optimization, so
/// views and reductions compute positions and no multi-indices. Integers up to 2^53 and Booleans
/// (0 and 1) are exact.
package struct ReferenceTensor: Equatable, Sendable {
  /// The extent of each axis; empty for a scalar.
  package let shape: [Int]
  /// The elements, last axis fastest.
  package let values: [Double]

  /// The tensor with these elements; the number of `values` must match `shape`.
  package init(shape: [Int], values: [Double]) {
    demand(
      values.count == shape.reduce(1, *), "\(values.count) values do not fill the shape \(shape)")
    self.shape = shape
    self.values = values
  }

  /// A scalar.
  package init(_ value: Double) { self.init(shape: [], values: [value]) }

  /// The tensor whose element at each multi-index is `element(index)`.
  package init(shape: [Int], element: ([Int]) -> Double) {
    self.init(shape: shape, values: indices(of: shape).map(element))
  }

  package var rank: Int { shape.count }
  package var count: Int { values.count }

  /// The elements at positions, in the order of a new shape.
  func gathered(_ shape: [Int], _ positions: [Int]) -> ReferenceTensor {
    var result = [Double](repeating: 0, count: positions.count)
    for i in positions.indices { result[i] = values[positions[i]] }
    return ReferenceTensor(shape: shape, values: result)
  }

  /// The element at a multi-index.
  package subscript(index: [Int]) -> Double {
    values[position(of: index, in: shape)]
  }

  /// The axis counted from the front; -1 is the last.
  func axis(_ axis: Int) -> Int {
    demand(axis >= -rank && axis < rank, "axis \(axis) is out of range for shape \(shape)")
    return axis < 0 ? axis + rank : axis
  }
}

/// All multi-indices of a shape in row-major order; one empty index for a scalar.
package func indices(of shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { prefixes, extent in
    prefixes.flatMap { prefix in (0..<extent).map { prefix + [$0] } }
  }
}

/// The row-major strides of a shape.
func strides(of shape: [Int]) -> [Int] {
  var (strides, next) = (shape, 1)
  for axis in shape.indices.reversed() {
    strides[axis] = next
    next *= shape[axis]
  }
  return strides
}

/// For each multi-index of a shape, in row-major order, `start` and its components times `strides`.
func positions(of shape: [Int], strides: [Int], from start: Int = 0) -> [Int] {
  var result = [start]
  for (extent, stride) in zip(shape, strides) {
    var next: [Int] = []
    next.reserveCapacity(result.count * extent)
    for position in result {
      for index in 0..<extent { next.append(position + index * stride) }
    }
    result = next
  }
  return result
}

/// The row-major position of a multi-index.
func position(of index: [Int], in shape: [Int]) -> Int {
  zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
}

/// Stops with a text that optimization keeps.
func demand(
  _ condition: Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}
