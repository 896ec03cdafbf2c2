import NormaReference
import NormaTensor

/// Memory layouts of a tensor, and ways to compute it.
enum Arrangement: CaseIterable, Sendable {
  case contiguous, channelsLast, reversed, stepped, offset, repeated, pending, mixed
}

extension DType {
  static let realTypes: [DType] = [.float16, .bfloat16, .float32, .float64]

  /// Types that have kernels of their own outside of programs, and half types; narrow integers use
  /// those of wider ones.
  static let orderedTypes = DType.allCases.filter { $0.kernelType == $0 || $0.isFloatingPoint }

  /// The element of this type that is nearest to a number; integers wrap.
  func rounded(_ value: Double) -> Double {
    switch self {
    case .float16: Double(Float16(value))
    case .bfloat16: Double(Float(BFloat16(Float(value))))
    case .float32: Double(Float(value))
    case .float64: value
    case .int64: value.rounded(.towardZero)
    case .uint64: value.rounded(.towardZero) + (value <= -1 ? 0x1p64 : 0)
    case .int32: Double(Int32(truncatingIfNeeded: Int64(value)))
    case .uint32: Double(UInt32(truncatingIfNeeded: Int64(value)))
    case .int16: Double(Int16(truncatingIfNeeded: Int64(value)))
    case .uint16: Double(UInt16(truncatingIfNeeded: Int64(value)))
    case .int8: Double(Int8(truncatingIfNeeded: Int64(value)))
    case .uint8: Double(UInt8(truncatingIfNeeded: Int64(value)))
    case .bool: value != 0 ? 1 : 0
    }
  }

  /// The distance between neighbours at a number.
  func ulp(_ value: Double) -> Double {
    switch self {
    case .float16: Double(Float16(value).ulp)
    case .bfloat16: max(Double(Float(value).ulp) * 0x1p16, 0x1p-133)
    case .float32: Double(Float(value).ulp)
    case .float64: value.ulp
    default: 1
    }
  }
}

/// A tensor and its elements in row-major order, found by walking its strides.
struct Sample {
  let tensor: Tensor
  let values: [Double]

  /// Random elements of a shape: real ones with the given mean and deviation, integers from a range
  /// in which sums of bytes and products of words overflow.
  init(
    _ shape: [Int], _ dtype: DType, _ arrangement: Arrangement = .contiguous,
    random: inout TestRandom, mean: Double = 0.5, std: Double = 2
  ) {
    var memory = shape
    var view: (Tensor) -> Tensor = { $0 }
    switch arrangement {
    case .contiguous, .pending, .mixed: break
    case .channelsLast where shape.count >= 3:
      memory.append(memory.remove(at: 1))
      let order = [0, shape.count - 1] + Array(1..<shape.count - 1)
      view = { $0.permuted(order) }
    case .channelsLast, .reversed:
      memory.reverse()
      view = { $0.permuted(Array(shape.indices.reversed())) }
    case .stepped where !shape.isEmpty:
      memory[shape.count - 1] = 2 * memory[shape.count - 1] + 1
      view = { $0.taking([Ellipsis(), AxisSlice(from: 1, by: 2)]) }
    case .offset where !shape.isEmpty:
      memory[0] += 2
      view = { $0[2...] }
    case .repeated where !shape.isEmpty:
      memory[shape.count / 2] = Swift.min(memory[shape.count / 2], 1)
      view = { $0.broadcast(to: shape) }
    default: break
    }
    let physical = Sample.elements(memory.reduce(1, *), dtype, &random, mean, std)
    let stored = Tensor(physical, shape: memory).cast(to: dtype).evaluated()
    let seen = view(stored)
    let count = shape.reduce(1, *)
    var logical = [Double](repeating: 0, count: count)
    if count > 0 {
      walk(shape, seen.strides, from: seen.layout.offset) { logical[$0] = physical[$1] }
    }
    values = logical
    switch arrangement {
    case .pending: tensor = maximum(seen, seen.reshaped(shape))
    case .mixed:
      let least =
        dtype.isSigned ? dtype.byteCount > 2 || dtype.isFloatingPoint ? -60000.0 : -128 : 0
      let low = Tensor.full(Array(shape.reversed()), least).cast(to: dtype).evaluated()
        .permuted(Array(shape.indices.reversed()))
      tensor = maximum(seen, low)
    default: tensor = seen
    }
  }

  private static func elements(
    _ count: Int, _ dtype: DType, _ random: inout TestRandom, _ mean: Double, _ std: Double
  ) -> [Double] {
    switch dtype {
    case .bool: (0..<count).map { _ in Double(random.next() & 1) }
    case .uint8: (0..<count).map { _ in Double(random.next() & 255) }
    case .int32, .int64: (0..<count).map { _ in Double(Int64(random.next() & 0x1_ffff) - 0x8000) }
    case .uint32, .uint64: (0..<count).map { _ in Double(random.next() & 0x1_ffff) }
    case .int8: (0..<count).map { _ in Double(Int8(truncatingIfNeeded: random.next())) }
    // Not below what `mixed` compares with.
    case .int16: (0..<count).map { _ in Double(random.next() & 0x7fff) - 128 }
    case .uint16: (0..<count).map { _ in Double(random.next() & 0xffff) }
    default: random.doubles(count, mean: mean, std: std).map(dtype.rounded)
    }
  }
}

/// Calls `body` with the row-major index and the offset in memory of every element.
func walk(_ shape: [Int], _ strides: [Int], from offset: Int, _ body: (Int, Int) -> Void) {
  var index = [Int](repeating: 0, count: shape.count)
  var place = offset
  for number in 0..<shape.reduce(1, *) {
    body(number, place)
    var axis = shape.count - 1
    while axis >= 0 {
      index[axis] += 1
      place += strides[axis]
      if index[axis] < shape[axis] { break }
      place -= strides[axis] * shape[axis]
      index[axis] = 0
      axis -= 1
    }
  }
}

/// The elements with the same indices on the kept axes, in row-major order of those.
func groups(_ values: [Double], _ shape: [Int], over axes: [Int]) -> [[Double]] {
  var strides = [Int](repeating: 0, count: shape.count)
  var count = 1
  for axis in shape.indices.reversed() where !axes.contains(axis) {
    strides[axis] = count
    count *= shape[axis]
  }
  var groups = [[Double]](repeating: [], count: count)
  walk(shape, strides, from: 0) { groups[$1].append(values[$0]) }
  return groups
}

/// All subsets of `0 ..< count`.
func subsets(_ count: Int) -> [[Int]] {
  (0..<1 << count).map { bits in (0..<count).filter { bits >> $0 & 1 == 1 } }
}

/// Whether two tensors have the same type, shape and bits; every NaN counts as the same.
func isSame(_ a: Tensor, _ b: Tensor) -> Bool {
  guard a.dtype == b.dtype, a.shape == b.shape else { return false }
  let left = a.withUnsafeBytes { Array($0) }
  if left == b.withUnsafeBytes({ Array($0) }) { return true }
  guard a.dtype.isFloatingPoint else { return false }
  return zip(a.array(of: Double.self), b.array(of: Double.self)).allSatisfy {
    $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN
  }
}
