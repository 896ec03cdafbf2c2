extension Tensor {
  /// The gradient of a number that `function` computes from `x`, without side effects: gradients of
  /// parameters used inside do not change.
  ///
  /// The result has the shape of `x`. It can be differentiated again, including by nested calls. If
  /// the result has several elements, their sum is differentiated, or the sum weighted by
  /// `upstream`.
  /// PyTorch: `torch.func.grad`; JAX: `grad`.
  public static func gradient(
    of function: (Tensor) throws -> Tensor, at x: Tensor, upstream: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> Tensor {
    try Tensor.valueAndGradient(of: function, at: x, upstream: upstream, file: file, line: line)
      .gradient
  }

  /// The gradients of a number with respect to several tensors.
  public static func gradient(
    of function: ([Tensor]) throws -> Tensor, at inputs: [Tensor], upstream: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> [Tensor] {
    try Tensor.valueAndGradient(
      of: function, at: inputs, upstream: upstream, file: file, line: line
    )
    .gradients
  }

  /// The value of `function` at `x`, and its gradient; see `gradient(of:at:upstream:)`.
  public static func valueAndGradient(
    of function: (Tensor) throws -> Tensor, at x: Tensor, upstream: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> (value: Tensor, gradient: Tensor) {
    let result = try Tensor.valueAndGradient(
      of: { try function($0[0]) }, at: [x], upstream: upstream, file: file, line: line)
    return (result.value, result.gradients[0])
  }

  /// The value of `function` at `inputs`, and its gradients with respect to each of them.
  public static func valueAndGradient(
    of function: ([Tensor]) throws -> Tensor, at inputs: [Tensor], upstream: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) rethrows -> (value: Tensor, gradients: [Tensor]) {
    // Inside another differentiation the gradient itself needs a history.
    let isNested = FunctionScope.isNested || inputs.contains { $0.history != nil }
    let call = "gradient(of:at:)"
    let starts = inputs.map(\.asStart)
    let value = try FunctionScope.$isNested.withValue(true) {
      try GradientMode.$isRecording.withValue(true) { try function(starts) }
    }
    return checked(
      file: file, line: line, call: call, else: (.poisoned, inputs.map { _ in .poisoned })
    ) { () throws(TensorError) in
      if let wrong = inputs.first(where: { !$0.dtype.isFloatingPoint }) {
        throw TensorError(call, "\(wrong.dtype) has no gradient; cast(to: .float32) first")
      }
      let upstream = upstream ?? .ones(value.shape, dtype: value.dtype)
      let gradients = try value.gradients(
        at: starts, upstream: upstream, retainGraph: false, createGraph: isNested, call: call)
      return (isNested ? value : value.detached(), gradients)
    }
  }

  /// The gradients of one tensor with respect to others that it was computed from.
  /// The targets are values of parameters, ``Tensor/requiringGradient(file:line:)`` tensors or
  /// intermediate results; zeros where there is no dependence. Gradients stored in leaves do not
  /// change.
  /// PyTorch: `torch.autograd.grad`.
  public static func gradient(
    of result: Tensor, at targets: [Tensor], upstream: Tensor? = nil, retainGraph: Bool = false,
    createGraph: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    let call = "gradient(of:at:)"
    return checked(
      file: file, line: line, call: call, else: targets.map { _ in .poisoned }
    ) { () throws(TensorError) in
      try result.gradients(
        at: targets, upstream: upstream, retainGraph: retainGraph, createGraph: createGraph,
        call: call)
    }
  }
}

/// Whether a function is being differentiated, for the current task.
private enum FunctionScope {
  @TaskLocal static var isNested = false
}

extension Tensor {
  /// The same values as the start of a differentiation, connected to what they were computed from.
  fileprivate var asStart: Tensor {
    guard dtype.isFloatingPoint, !isPoisoned else { return self }
    if history == nil { return withLeaf(GradientLeaf()) }
    return GradientMode.$isRecording.withValue(true) {
      recorded("gradient(of:at:)", from: [self]) { [$0.upstream] }
    }
  }
}
