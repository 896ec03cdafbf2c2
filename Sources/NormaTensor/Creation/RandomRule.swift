import NormaRandom
import NormaValues

/// What the arguments of a random call must satisfy; keeps the first violation, if any.
struct RandomRule {
  private(set) var broken: String?

  /// The element type must be real.
  static func real(_ dtype: DType) -> RandomRule {
    RandomRule().and(
      dtype.isFloatingPoint, "\(dtype) holds no real numbers; choose a floating-point type")
  }

  /// The same rule with one more condition.
  func and(_ condition: Bool, _ reason: @autoclosure () -> String) -> RandomRule {
    broken != nil || condition ? self : RandomRule(broken: reason())
  }
}

extension Tensor {
  /// A tensor of this shape filled from the default generator, if the rule holds.
  @inline(never)
  static func drawn(
    _ shape: [Int], _ rule: RandomRule, _ call: String, dtype: DType,
    _ file: StaticString, _ line: UInt,
    _ draw: (inout Generator, UnsafeMutableRawPointer, Int) -> Void
  ) -> Tensor {
    checked(file: file, line: line, call: call) { () throws(TensorError) in
      let count = try Shape.count(shape, call: call)
      if let broken = rule.broken { throw TensorError(call, broken) }
      try Shape.room(shape, dtype, call: call)
      return Tensor(shape: shape, dtype: dtype) { bytes in
        guard let base = bytes.baseAddress else { return }
        withDefaultGenerator { draw(&$0, base, count) }
      }
    }
  }
}

extension DType {
  /// The greatest finite number of a real type.
  var greatestReal: Double {
    switch self {
    case .float16: 65504
    case .bfloat16: 0x1.fep127
    case .float32: Double(Float.greatestFiniteMagnitude)
    default: .greatestFiniteMagnitude
    }
  }

  /// The integers that the type can hold; for a real type, those within its range.
  var integers: ClosedRange<Int> {
    if self == .float16 { return -65504...65504 }
    guard let (low, high) = integerBounds else { return Int.min...Int.max }
    return Int(low)...(Int(exactly: high) ?? .max)
  }

  /// The range in which the type represents every integer.
  var exactIntegers: ClosedRange<Int> {
    switch self {
    case .float16: -(1 << 11)...(1 << 11)
    case .bfloat16: -(1 << 8)...(1 << 8)
    case .float32: -(1 << 24)...(1 << 24)
    case .float64: -(1 << 53)...(1 << 53)
    default: integers
    }
  }
}
