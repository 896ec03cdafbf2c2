import NormaKernels

/// What must hold of the arguments of a random call: nothing, or the first thing that does not.
struct RandomRule {
  private(set) var broken: String?

  /// The element type must be a real one.
  static func real(_ dtype: DType) -> RandomRule {
    RandomRule().and(
      dtype.isFloatingPoint, "\(dtype) holds no real numbers; choose a floating-point type")
  }

  /// The same with one more condition.
  func and(_ condition: Bool, _ reason: @autoclosure () -> String) -> RandomRule {
    broken != nil || condition ? self : RandomRule(broken: reason())
  }
}

extension Tensor {
  /// A tensor of a shape that the default generator fills, if its rule holds.
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

  /// The integers that the type can hold, of a real type those within its range.
  var integers: ClosedRange<Int> {
    switch self {
    case .bool: 0...1
    case .uint8: 0...255
    case .int32: Int(Int32.min)...Int(Int32.max)
    case .float16: -65504...65504
    case .int64, .bfloat16, .float32, .float64: Int.min...Int.max
    }
  }

  /// The integers up to which a real type holds every one.
  var exactIntegers: ClosedRange<Int> {
    switch self {
    case .float16: -(1 << 11)...(1 << 11)
    case .bfloat16: -(1 << 8)...(1 << 8)
    case .float32: -(1 << 24)...(1 << 24)
    case .float64: -(1 << 53)...(1 << 53)
    case .bool, .uint8, .int32, .int64: integers
    }
  }
}
