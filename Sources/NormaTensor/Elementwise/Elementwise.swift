import NormaValues

/// The common type of the operands of an elementwise call.
///
/// Tensors with axes rank highest, then tensors without, then plain numbers: a lower rank changes
/// the type only if its category (Boolean, integer, real) is higher. An integer of a lower rank
/// that the type cannot hold is an error, whether it is a literal or in a tensor.
/// PyTorch: `torch.result_type`, which lets it wrap; NumPy 2 reports an error for a literal, and
/// widens the type for one in a tensor.
enum Promotion {
  /// The type of a tensor combined with a number.
  static func type(_ tensor: Tensor, _ scalar: Scalar) -> DType {
    combine(tensor.dtype, scalar.defaultType) ?? tensor.dtype
  }

  static func type(_ tensors: [Tensor], _ scalar: Scalar? = nil) -> DType {
    var withAxes: DType?
    var without: DType?
    for tensor in tensors {
      if tensor.rank > 0 {
        withAxes = withAxes.map { DType.promoted($0, tensor.dtype) } ?? tensor.dtype
      } else {
        without = without.map { DType.promoted($0, tensor.dtype) } ?? tensor.dtype
      }
    }
    let ranked = combine(withAxes, without)
    return combine(ranked, scalar?.defaultType) ?? .float32
  }

  private static func combine(_ higher: DType?, _ lower: DType?) -> DType? {
    guard let higher, let lower else { return higher ?? lower }
    if higher.isFloatingPoint { return higher }
    if lower.isFloatingPoint || higher == .bool { return DType.promoted(higher, lower) }
    return higher
  }
}

/// The gradient of an instruction.
struct ElementwiseRule: Sendable {
  let savesOperands: Bool
  let savesResult: Bool
  let rule: @Sendable (Backward) -> [Tensor?]

  /// A rule that needs only the upstream gradient.
  static func linear(_ rule: @escaping @Sendable (Backward) -> [Tensor?]) -> ElementwiseRule {
    ElementwiseRule(savesOperands: false, savesResult: false, rule: rule)
  }

  /// A rule that reads the operands, in ``Backward/saved``.
  static func ofOperands(_ rule: @escaping @Sendable (Backward) -> [Tensor?]) -> ElementwiseRule {
    ElementwiseRule(savesOperands: true, savesResult: false, rule: rule)
  }

  /// A rule that reads the result.
  static func ofResult(_ rule: @escaping @Sendable (Backward) -> [Tensor?]) -> ElementwiseRule {
    ElementwiseRule(savesOperands: false, savesResult: true, rule: rule)
  }
}

extension Tensor {
  /// The pending result of one instruction on operands that broadcast.
  ///
  /// - Parameters:
  ///   - type: the common type of the operands.
  ///   - result: the type of the result.
  @inline(never)
  static func elementwise(
    _ code: Operation.Code, _ operands: [Tensor], in type: DType, result: DType,
    immediate: Operation.Immediate? = nil, call: String, gradient: ElementwiseRule? = nil,
    scalar: Scalar? = nil
  ) throws(TensorError) -> Tensor {
    if operands.contains(where: \.isPoisoned) { return .poisoned }
    if type.isInteger && code != .convert {
      try refuseMisfits(operands, in: type, code, call)
    } else if type == .float64, operands.contains(where: { $0.dtype == .uint64 }) {
      try refuseMixedSigns(operands.map(\.dtype), call)
    }
    var shape = operands[0].layout.shape
    for operand in operands.dropFirst() {
      shape = try Shape.broadcast(shape, operand.layout.shape, call: call)
    }
    let layout = resultLayout(shape, operands)
    let operation = Operation(code: code, operands: type, result: result, immediate: immediate)
    var inputs = operands
    for index in inputs.indices {
      let input = inputs[index]
      if input.layout.shape != shape {
        inputs[index] = Tensor(node: input.node, layout: input.layout.broadcast(to: shape))
      } else if input.history != nil {
        inputs[index] = input.detached()
      }
    }
    let (cost, depth) = bounded(inputs)
    let value = Tensor(
      .elementwise(operation, inputs), dtype: result, layout: layout, cost: cost + code.cost,
      depth: depth + 1
    ).noted(
      .elementwise(
        code.name, type: type,
        number: immediate.map { ($0.position, $0.number.asDouble) }), operands)
    guard let gradient, isRecorded(operands) else { return value }
    return value.recorded(
      call, operands, saving: gradient.savesOperands ? operands : [],
      savesResult: gradient.savesResult,
      immediate: immediate.flatMap { entry in scalar.map { ($0, entry.position) } },
      runsAtOnce: false, .gradients(gradient.rule))
  }

  /// Throws if a tensor without axes holds an integer that does not fit the common type with
  /// tensors that have axes. Its value is read only if its type is wider.
  @inline(never)
  private static func refuseMisfits(
    _ operands: [Tensor], in type: DType, _ code: Operation.Code, _ call: String
  ) throws(TensorError) {
    for operand in operands
    where operand.rank == 0 && operand.dtype.isInteger
      && DType.promoted(operand.dtype, type) != type
    {
      let number = operand.integer
      guard number.fits(type, of: code) else { throw number.misfit(type, call) }
    }
  }

  /// Throws if `uint64` is combined with signed integers and nothing real: no integer type holds
  /// both, and `float64` rounds from 2^53 on.
  static func refuseMixedSigns(_ types: [DType], _ call: String) throws(TensorError) {
    guard types.count > 1, types.contains(.uint64), !types.contains(where: \.isFloatingPoint),
      let signed = types.first(where: { $0.isInteger && $0.isSigned })
    else { return }
    throw TensorError(
      call,
      "no integer type holds both uint64 and \(signed); "
        + "cast one of them, to .int64, .uint64 or .float64"
    )
  }

  /// In the memory order of the first operand that has the result's shape.
  private static func resultLayout(_ shape: [Int], _ operands: [Tensor]) -> Layout {
    for operand in operands where operand.layout.shape == shape && operand.layout.isDense {
      return operand.layout.offset == 0 ? operand.layout : operand.layout.denseTwin(of: shape)
    }
    return Layout(contiguous: shape)
  }

  /// The cost and depth of a result's operands, after evaluating and storing those that would make
  /// a program too long.
  static func bounded(_ operands: [Tensor]) -> (cost: Int, depth: Int) {
    var (cost, depth) = (0, 0)
    for index in operands.indices {
      let node = operands[index].node
      guard node.isPending else { continue }
      let isOwn = operands[index].layout === node.layout
      if isOwn { cost += node.cost }
      // An operand seen through a view is stored first, in the middle of this evaluation, which
      // takes more of the stack.
      depth = Swift.max(depth, node.depth + (isOwn ? 0 : Limits.reductionDepth))
    }
    if cost <= Limits.costLimit && depth < Limits.depthLimit { return (cost, depth) }
    if cost > Limits.costLimit {
      for operand in operands where operand.node.cost > Limits.streamLimit {
        operand.evaluated()
      }
    }
    for operand in operands where operand.node.depth >= Limits.depthLimit { operand.evaluated() }
    return operands.reduce((0, 0)) { ($0.0 + $1.node.cost, Swift.max($0.1, $1.node.depth)) }
  }

  /// A function of one operand with a result of the same type; integers are cast to `float32` first
  /// if `toFloat`.
  @inline(never)
  func unary(
    _ code: Operation.Code, toFloat: Bool, call: String, gradient: ElementwiseRule
  ) throws(TensorError) -> Tensor {
    let type = toFloat && !dtype.isFloatingPoint ? .float32 : dtype
    return try Tensor.elementwise(
      code, [self], in: type, result: type, call: call, gradient: gradient)
  }

  /// A function of two tensors in their common type; integers are cast to `float32` first if
  /// `toFloat`.
  @inline(never)
  static func binary(
    _ code: Operation.Code, _ a: Tensor, _ b: Tensor, toFloat: Bool = false, call: String,
    gradient: ElementwiseRule
  ) throws(TensorError) -> Tensor {
    var type = a.dtype == b.dtype ? a.dtype : Promotion.type([a, b])
    if toFloat { type = realType(type, of: [a, b]) }
    return try arithmetic(code, [a, b], type, nil, call, gradient)
  }

  /// A function of a tensor and a number; `position` is the operand position of the number.
  @inline(never)
  static func binary(
    _ code: Operation.Code, _ tensor: Tensor, _ scalar: Scalar, position: Int, call: String,
    gradient: ElementwiseRule
  ) throws(TensorError) -> Tensor {
    let type = Promotion.type(tensor, scalar)
    return try arithmetic(code, [tensor], type, (scalar, position), call, gradient)
  }

  /// The real type for operands whose common type is `type`: `float32` if all are integers.
  private static func realType(_ type: DType, of operands: [Tensor]) -> DType {
    let areWhole = operands.count > 1 && !operands.contains { $0.dtype.isFloatingPoint }
    return areWhole || !type.isFloatingPoint ? .float32 : type
  }

  /// Arithmetic with PyTorch's rules for integers and Booleans.
  @inline(never)
  private static func arithmetic(
    _ code: Operation.Code, _ operands: [Tensor], _ common: DType, _ scalar: (Scalar, Int)?,
    _ call: String, _ gradient: ElementwiseRule
  ) throws(TensorError) -> Tensor {
    var code = code
    var type = common
    if code == .divide { type = realType(type, of: operands) }
    if type == .bool {
      switch code {
      case .add: code = .maximum
      case .multiply: code = .minimum
      case .subtract:
        throw TensorError(call, "Booleans cannot be subtracted; compare them with .!= instead")
      default: break
      }
    }
    let immediate = try scalar.map { (number, position) throws(TensorError) in
      try Operation.Immediate(number, at: position, in: type, of: code, call: call)
    }
    return try elementwise(
      code, operands, in: type, result: type, immediate: immediate, call: call,
      gradient: gradient, scalar: scalar?.0)
  }

  @inline(never)
  static func comparison(
    _ code: Operation.Code, _ a: Tensor, _ b: Tensor, call: String
  ) -> Tensor {
    // The result does not depend on the type, so integers are compared in one that holds both.
    let type =
      a.dtype.isFloatingPoint || b.dtype.isFloatingPoint
      ? Promotion.type([a, b]) : DType.promoted(a.dtype, b.dtype)
    if type == .float64 && !a.dtype.isFloatingPoint && !b.dtype.isFloatingPoint {
      return a.dtype == .uint64
        ? mixedComparison(code, a, b, call) : mixedComparison(code.mirrored, b, a, call)
    }
    return checked(call: call) { () throws(TensorError) in
      try elementwise(code, [a, b], in: type, result: .bool, call: call)
    }
  }

  /// `uint64` compared with signed integers: negative ones are smaller than all.
  private static func mixedComparison(
    _ code: Operation.Code, _ large: Tensor, _ signed: Tensor, _ call: String
  ) -> Tensor {
    let compared = comparison(code, large, signed.cast(to: .uint64), call: call)
    switch code {
    case .notEqual, .greater, .greaterOrEqual: return (signed .< 0) .| compared
    default: return (signed .>= 0) .& compared
    }
  }

  @inline(never)
  static func comparison(
    _ code: Operation.Code, _ tensor: Tensor, _ scalar: Scalar, position: Int, call: String
  ) -> Tensor {
    var (code, scalar) = (position == 0 ? code.mirrored : code, scalar)
    if !tensor.dtype.isFloatingPoint && scalar.dtype.isFloatingPoint {
      (code, scalar) = code.amongIntegers(scalar.asDouble)
    }
    let type = Promotion.type(tensor, scalar)
    if type.isFloatingPoint && !scalar.fits(type) {
      (code, scalar) = code.beyondRange(scalar.asDouble)
    } else if type.isHalf {
      scalar = scalar.rounded(to: type)
    }
    if type.isInteger && !scalar.fits(type) {
      (code, scalar) = code.beyondIntegers(of: type, isBelow: scalar.asDouble < 0)
    }
    let immediate = Operation.Immediate(scalar, at: 1, in: type)
    return checked(call: call) { () throws(TensorError) in
      try elementwise(code, [tensor], in: type, result: .bool, immediate: immediate, call: call)
    }
  }
}

extension Operation.Immediate {
  /// A number that the type can hold.
  init(_ scalar: Scalar, at position: Int, in type: DType) {
    self.init(position: position, bits: BlockType(type).bits(scalar), number: scalar)
  }

  /// - Throws: if the type cannot hold the number; see ``Scalar/fits(_:)``.
  init(
    _ scalar: Scalar, at position: Int, in type: DType, call: String
  ) throws(TensorError) {
    try scalar.require(type, call)
    self.init(scalar, at: position, in: type)
  }

  /// An operand of an instruction.
  ///
  /// - Throws: if the number does not fit; see ``Scalar/fits(_:of:)``.
  init(
    _ scalar: Scalar, at position: Int, in type: DType, of code: Operation.Code, call: String
  ) throws(TensorError) {
    guard scalar.fits(type, of: code) else { throw scalar.misfit(type, call) }
    self.init(scalar, at: position, in: type)
  }
}
