import NormaTensor

extension OperatorTable {
  /// Functions of one value.
  static var elementwise: Entries {
    [
      "Abs": unary { $0.abs() },
      "Acos": unary { $0.acos() },
      "Acosh": unary { $0.acosh() },
      "Asin": unary { $0.asin() },
      "Asinh": unary { $0.asinh() },
      "Atan": unary { $0.atan() },
      "Atanh": unary { $0.atanh() },
      "BitwiseNot": unary { .!$0 },
      "Ceil": unary { $0.dtype.isFloatingPoint ? $0.ceil() : $0 },
      "Cos": unary { $0.cos() },
      "Cosh": unary { $0.cosh() },
      "Erf": unary { $0.dtype.isFloatingPoint ? $0.erf() : $0.erf().cast(to: $0.dtype) },
      "Exp": unary { $0.exp() },
      "Floor": unary { $0.dtype.isFloatingPoint ? $0.floor() : $0 },
      "IsNaN": unary { $0.isNaN() },
      "IsInf": { node in
        let (negative, positive) = try (
          node.flag("detect_negative", true), node.flag("detect_positive", true)
        )
        return { operands in
          let x = try operands.tensor(0)
          switch (negative, positive) {
          case (true, true): return [.tensor(x.isInfinite())]
          case (true, false): return [.tensor(x.isNegativeInfinity())]
          case (false, true): return [.tensor(x.isPositiveInfinity())]
          case (false, false): return [.tensor(Tensor.zeros(x.shape, dtype: .bool))]
          }
        }
      },
      "Log": unary { $0.log() },
      "Neg": unary { -$0 },
      "Not": unary { $0.logicalNot() },
      "Reciprocal": unary { $0.reciprocal() },
      "Round": unary { $0.rounded() },
      "Sign": unary { $0.sign() },
      "Sin": unary { $0.sin() },
      "Sinh": unary { $0.sinh() },
      "Sqrt": unary { $0.sqrt() },
      "Tan": unary { $0.tan() },
      "Tanh": unary { $0.tanh() },
      "Identity": { node in
        node.role = .passing
        return { [try $0.value(0)] }
      },
      "Cast": { node in
        _ = try node.int("saturate")
        _ = try node.string("round_mode")
        guard let dtype = try node.dtype("to") else { throw Unsupported("Cast without a type") }
        return { [cast(try $0.value(0), to: dtype)] }
      },
      "CastLike": { node in
        _ = try node.int("saturate")
        _ = try node.string("round_mode")
        return { [cast(try $0.value(0), to: try $0.value(1).dtype)] }
      },
      "BitCast": { node in
        guard let dtype = try node.dtype("to") else { throw Unsupported("BitCast without a type") }
        return { operands in
          let x = try operands.tensor(0)
          guard x.dtype.byteCount == dtype.byteCount else {
            throw operands.failure("\(x.dtype) and \(dtype) have different sizes")
          }
          return [.tensor(x.withUnsafeBytes { Tensor(copying: $0, shape: x.shape, dtype: dtype) })]
        }
      },
      "Clip": clip,
    ]
  }

  private static func cast(_ value: Value, to dtype: DType) -> Value {
    if case .host(var integers) = value, HostIntegers.types.contains(dtype) {
      if dtype == .bool { integers.values = integers.values.map { $0 == 0 ? 0 : 1 } }
      if dtype == .int32 {
        integers.values = integers.values.map { Int(Int32(truncatingIfNeeded: $0)) }
      }
      integers.dtype = dtype
      return .host(integers)
    }
    let tensor = value.tensor
    // By way of int64, so that what does not fit keeps its low bits as in C.
    if tensor.dtype.isFloatingPoint, dtype.isInteger, dtype != .int64 {
      return .tensor(tensor.cast(to: .int64).cast(to: dtype))
    }
    return .tensor(tensor.cast(to: dtype))
  }

  /// Bounds are attributes up to version 10, and operands after that.
  private static func clip(_ node: NodeContext) throws -> GraphPlan.Run {
    let (low, high) = try (node.float("min"), node.float("max"))
    if node.opset < 11 {
      return { [.tensor(try $0.tensor(0).clamped(min: low, max: high))] }
    }
    func bound(_ index: Int) -> Double?? {
      guard node.has(index) else { return .some(nil) }
      guard let tensor = node.constant(index)?.tensor, tensor.count == 1,
        tensor.dtype.isFloatingPoint
      else { return .none }
      return .some(tensor.item())
    }
    if let low = bound(1), let high = bound(2) {
      return { operands in
        let x = try operands.tensor(0)
        return [.tensor(low == nil && high == nil ? x : x.clamped(min: low, max: high))]
      }
    }
    return { operands in
      var x = try operands.tensor(0)
      if let low = operands.optional(1) { x = maximum(x, low) }
      if let high = operands.optional(2) { x = minimum(x, high) }
      return [.tensor(x)]
    }
  }
}
