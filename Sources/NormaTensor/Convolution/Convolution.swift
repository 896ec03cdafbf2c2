import NormaKernels
import NormaOneDNN

/// The three passes of a convolution; the gradients of each are computed by the other two.
///
/// A transposed convolution is the pass that computes the source gradient.
enum Convolution {
  /// The convolution of `x`.
  static func forward(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, _ shape: ConvolutionShape, call: String
  ) throws(TensorError) -> Tensor {
    let x = x.asConvolved(shape)
    let output = try run(.forward, shape, [x, weights, nil], bias: bias, call)
    let inputs = [x, weights] + (bias.map { [$0] } ?? [])
    return output.noted(
      .convolution(
        stride: shape.stride, dilation: shape.dilation, before: shape.before, after: shape.after,
        groups: shape.groups), inputs
    ).recorded(call, from: inputs, saving: [x, weights], runsAtOnce: true) { rule in
      let (x, weights) = (rule.saved[0], rule.saved[1])
      let g = rule.upstream.asConvolved(shape)
      return [
        rule.whenNeeded(0) { () throws(TensorError) in
          try sourceGradient(g, weights, shape, call: call)
        },
        rule.whenNeeded(1) { () throws(TensorError) in
          try weightsGradient(x, g, shape, call: call)
        },
        rule.whenNeeded(2) { g.sum(over: [0] + Array(2..<g.rank)) },
      ]
    }
  }

  /// The gradient with respect to the source, given that of the destination.
  static func sourceGradient(
    _ g: Tensor, _ weights: Tensor, _ shape: ConvolutionShape, call: String
  ) throws(TensorError) -> Tensor {
    try run(.sourceGradient, shape, [nil, weights, g], call).noted(
      .transposedConvolution(
        stride: shape.stride, dilation: shape.dilation, before: shape.before,
        groups: shape.groups, space: Array(shape.source.dropFirst(2))), [g, weights]
    ).recorded(call, from: [g, weights], saving: [g, weights], runsAtOnce: true) { rule in
      let (g, weights) = (rule.saved[0], rule.saved[1])
      let u = rule.upstream
      return [
        rule.whenNeeded(0) { () throws(TensorError) in
          try forward(u, weights, nil, shape, call: call)
        },
        rule.whenNeeded(1) { () throws(TensorError) in
          try weightsGradient(u, g, shape, call: call)
        },
      ]
    }
  }

  /// The gradient with respect to the weights.
  static func weightsGradient(
    _ x: Tensor, _ g: Tensor, _ shape: ConvolutionShape, call: String
  ) throws(TensorError) -> Tensor {
    try run(.weightsGradient, shape, [x, nil, g], call).recorded(
      call, from: [x, g], saving: [x, g], runsAtOnce: true
    ) { rule in
      let (x, g) = (rule.saved[0], rule.saved[1])
      let u = rule.upstream
      return [
        rule.whenNeeded(0) { () throws(TensorError) in
          try sourceGradient(g, u, shape, call: call)
        },
        rule.whenNeeded(1) { () throws(TensorError) in
          try forward(x, u, nil, shape, call: call)
        },
      ]
    }
  }

  /// Runs a pass on source, weights and destination, of which the one that it computes is nil.
  private static func run(
    _ pass: ConvolutionPlan.Pass, _ shape: ConvolutionShape, _ given: [Tensor?],
    bias: Tensor? = nil, _ call: String
  ) throws(TensorError) -> Tensor {
    let (given, bias) = (given.map { $0?.detached() }, bias?.detached())
    let operands = (given + [bias]).compactMap { $0 }
    if operands.contains(where: \.isPoisoned) { return .poisoned }
    let dtype = operands[0].dtype
    if let other = operands.first(where: { $0.dtype != dtype }) {
      throw TensorError(call, "\(dtype) and \(other.dtype) differ; cast one of them")
    }
    try demand(dtype.isFloatingPoint, call, "\(dtype) is not real; cast(to: .float32) first")
    func widened() throws(TensorError) -> Tensor {
      try run(
        pass, shape, given.map { $0?.cast(to: .float32) }, bias: bias?.cast(to: .float32), call
      ).cast(to: dtype)
    }
    let isFast = shape.isFast(dtype)
    if dtype.isHalf && !isFast { return try widened() }
    let resultShape =
      switch pass {
      case .forward: shape.destination
      case .sourceGradient: shape.source
      case .weightsGradient: shape.weights
      }
    if shape.source.contains(0) || shape.destination.contains(0) || shape.weights.contains(0) {
      let zeros = Tensor.zeros(resultShape, dtype: dtype)
      return pass == .forward && zeros.count > 0 ? zeros.adding(bias: bias) : zeros
    }
    func note(_ trait: ExecutionPlan.Trait) {
      ExecutionLog.add(
        .convolution, pass == .forward ? "convolution" : "convolution gradient", operands,
        into: resultShape, dtype, [trait])
    }
    if shape.isSmall {
      note(.ownLoops)
      return direct(pass, shape, resultShape, operands, hasBias: bias != nil, call)
    }
    if isFast {
      if pass == .forward {
        let work = PendingConvolution(
          shape, source: operands[0], weights: operands[1], bias: bias)
        if work.isLost { return .poisoned }
        return Tensor(
          .convolution(work), dtype: dtype, layout: work.layout, cost: Limits.streamLimit + 1,
          depth: 1)
      }
      if let result = try fast(pass, shape, resultShape, given, dtype, call) {
        note(.oneDNN)
        return result
      }
      if dtype.isHalf { return try widened() }
    }
    note(.byProducts)
    return withoutGradients {
      let plain = PlainConvolution(shape: shape)
      return switch pass {
      case .forward: plain.forward(operands[0], operands[1], bias)
      case .sourceGradient: plain.sourceGradient(operands[1], operands[0])
      case .weightsGradient: plain.weightsGradient(operands[0], operands[1])
      }
    }
  }

  /// By the definition, in row-major order; the result is channels last if the operand is.
  private static func direct(
    _ pass: ConvolutionPlan.Pass, _ shape: ConvolutionShape, _ resultShape: [Int],
    _ operands: [Tensor], hasBias: Bool, _ call: String
  ) -> Tensor {
    let isLast =
      pass != .weightsGradient && operands[pass == .forward ? 0 : 1].isChannelsLast
    let (dtype, layout) = (operands[0].dtype, Layout(contiguous: resultShape))
    let kernel = DirectConvolution(
      source: shape.source, weights: shape.weights, destination: shape.destination,
      stride: shape.stride, dilation: shape.dilation, before: shape.before, groups: shape.groups)
    let tensor = Tensor.computed(
      dtype, layout, from: operands.map { $0.contiguous() }, call
    ) { at, result in
      switch pass {
      case .forward:
        kernel.forward(
          dtype, source: at[0], weights: at[1], bias: hasBias ? UnsafeRawPointer(at[2]) : nil,
          destination: result)
      case .sourceGradient:
        kernel.sourceGradient(dtype, source: result, weights: at[0], destination: at[1])
      case .weightsGradient:
        kernel.weightsGradient(dtype, source: at[0], weights: result, destination: at[1])
      }
    }
    return isLast ? tensor.channelsLastDense.evaluated() : tensor
  }

  /// A gradient through oneDNN, channels last; nil if oneDNN does not support it.
  private static func fast(
    _ pass: ConvolutionPlan.Pass, _ shape: ConvolutionShape, _ resultShape: [Int],
    _ given: [Tensor?], _ dtype: DType, _ call: String
  ) throws(TensorError) -> Tensor? {
    let layout =
      pass == .weightsGradient
      ? Layout(contiguous: resultShape) : ConvolutionShape.layout(resultShape)
    let result = try Storage.room(layout, dtype, call)
    let plan = shape.plan(pass, dtype, hasBias: false)
    let memory = given.enumerated().map { index, tensor -> KernelMemory in
      guard let tensor else { return .writes(result) }
      return (index == 1 ? tensor.contiguous() : tensor.channelsLastDense).memory()
    }
    if memory.contains(where: \.storage.isMissing) { return .poisoned }
    guard let convolution = try? CompiledConvolution.of(plan) else { return nil }
    let hasRun = KernelRecorder.run(memory) { at in
      do throws(OneDNNError) {
        try convolution.run(source: at[0], weights: at[1], bias: nil, destination: at[2])
      } catch {
        return false
      }
      return true
    }
    return hasRun ? Tensor(stored: result, dtype, layout) : nil
  }
}

extension ConvolutionShape {
  /// Whether oneDNN runs convolutions of this type: `bfloat16` only where it is faster than
  /// `float32`.
  func isFast(_ dtype: DType) -> Bool {
    OneDNN.isAvailable && !isSmall
      && (dtype == .float32 || dtype == .bfloat16 && BFloat16Loops.convolve)
  }
}

extension DType {
  /// oneDNN's name for this type, if `isFast`.
  var operandType: OperandType { self == .bfloat16 ? .bfloat16 : .float32 }
}

extension Tensor {
  /// These values in the memory order in which the passes of a convolution read them, so that
  /// pending work runs once and nothing is copied twice.
  func asConvolved(_ shape: ConvolutionShape) -> Tensor {
    guard !isPoisoned, shape.isFast(dtype) else { return self }
    let ordered = channelsLastDense
    return ordered.node === node
      ? self : ordered.recorded("channelsLast()", from: [self]) { [$0.upstream] }
  }

  /// The sum with one number for each channel (axis 1); the same values if there is no bias.
  func adding(bias: Tensor?) -> Tensor {
    guard let bias else { return self }
    return self + bias.reshaped([1, -1] + [Int](repeating: 1, count: rank - 2))
  }
}
