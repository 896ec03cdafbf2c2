import NormaTensor

/// At most `limit` of `count` indices, spread evenly but not periodically; all if there are no
/// more.
func samplePlaces(count: Int, limit: Int) -> [Int] {
  if count <= limit { return Array(0..<count) }
  // Multiples of the golden ratio in 64-bit fixed point: neighbors are never close.
  var places: Set<Int> = []
  var phase: UInt64 = 0
  for _ in 0..<limit {
    phase &+= 0x9E37_79B9_7F4A_7C15
    places.insert(Int(phase.multipliedFullWidth(by: UInt64(count)).high))
  }
  // The order is shuffled by the same sequence, so that the first few are spread as well.
  return places.sorted { ($0 &* 0x9E37_79B1) & 0xFFFF_FFFF < ($1 &* 0x9E37_79B1) & 0xFFFF_FFFF }
}

/// The values at row-major offsets.
func values(of tensor: Tensor, at offsets: [Int]) -> [Double] {
  switch tensor.dtype {
  case .float32:
    tensor.withUnsafeBuffer(of: Float.self) { all in offsets.map { Double(all[$0]) } }
  case .float64:
    tensor.withUnsafeBuffer(of: Double.self) { all in offsets.map { all[$0] } }
  default:
    tensor.cast(to: .float64).withUnsafeBuffer(of: Double.self) { all in offsets.map { all[$0] } }
  }
}

/// Offsets into a tensor that broadcasts to `shape`, for offsets into a tensor of `shape`.
func broadcastOffsets(_ offsets: [Int], shape: [Int], from small: [Int]) -> [Int] {
  let padded = [Int](repeating: 1, count: shape.count - small.count) + small
  var strides = [Int](repeating: 0, count: shape.count)
  var step = 1
  for axis in shape.indices.reversed() {
    strides[axis] = padded[axis] == 1 ? 0 : step
    step *= padded[axis]
  }
  return offsets.map { offset in
    var (rest, result) = (offset, 0)
    for axis in shape.indices.reversed() {
      result += rest % shape[axis] * strides[axis]
      rest /= shape[axis]
    }
    return result
  }
}

/// Half the distance from 1 to the next larger number of a type: the bound of one rounding.
func unitRoundoff(_ dtype: DType) -> Double {
  switch dtype {
  case .float16: 0x1p-11
  case .bfloat16: 0x1p-8
  case .float64: 0x1p-53
  default: 0x1p-24
  }
}

/// A part of a tensor along an axis.
func sliced(_ tensor: Tensor, axis: Int, _ range: Range<Int>) -> Tensor {
  let shape = tensor.shape
  let inner = shape.dropFirst(axis + 1).reduce(1, *) * tensor.dtype.byteCount
  let rows = shape.prefix(axis).reduce(1, *)
  var part = shape
  part[axis] = range.count
  return tensor.withUnsafeBytes { source in
    Tensor(shape: part, dtype: tensor.dtype) { target in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      for row in 0..<rows {
        (to + row * range.count * inner).copyMemory(
          from: from + (row * shape[axis] + range.lowerBound) * inner,
          byteCount: range.count * inner)
      }
    }
  }
}
