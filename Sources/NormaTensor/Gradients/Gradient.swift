extension Tensor {
  /// The same values as the start of a graph: what is computed from them has a history, and
  /// ``backward(upstream:retainGraph:createGraph:file:line:)`` stores a gradient in ``grad``.
  ///
  /// Real types only. PyTorch: `x.detach().requires_grad_()`.
  public func requiringGradient(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      guard dtype.isFloatingPoint else {
        throw TensorError(
          "requiringGradient()", "\(dtype) has no gradient; cast(to: .float32) first")
      }
      return withLeaf(GradientLeaf())
    }
  }

  /// These values as the start of a graph whose gradient goes to `leaf`.
  package func withLeaf(_ leaf: GradientLeaf) -> Tensor {
    var result = detached()
    result.history = Derivation(leaf: leaf, shape: shape, dtype: dtype)
    return result
  }

  /// The gradient accumulated by backward passes, for a tensor that starts a graph; nil before the
  /// first. Parameters have their own. PyTorch: `x.grad`.
  public var grad: Tensor? { history?.leaf?.gradient }

  /// Computes the gradient of this number with respect to every parameter and every
  /// ``requiringGradient(file:line:)`` tensor that it depends on, and adds it to their stored
  /// gradients.
  ///
  /// - Parameters:
  ///   - upstream: the gradient of some later number with respect to this tensor, in its shape. If
  ///     omitted, the tensor must have one element, and the gradient is 1.
  ///   - retainGraph: keep what the operations saved, for another pass. Otherwise memory is
  ///     released as the gradient passes.
  ///   - createGraph: give the gradients histories, so that they can be differentiated again.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  ///
  /// This tensor's value is stored, so that keeping it, or ``detached()``, does not keep the graph
  /// alive.
  ///
  /// Cost: about twice the forward pass. A graph may be as deep as memory allows.
  /// PyTorch: `loss.backward()`.
  public func backward(
    upstream: Tensor? = nil, retainGraph: Bool = false, createGraph: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let call = "backward()"
    checked(file: file, line: line, call: call, else: ()) { () throws(TensorError) in
      // A stored value does not keep what it was computed from.
      if history != nil { evaluated() }
      _ = try gradients(
        at: nil, upstream: upstream, retainGraph: retainGraph, createGraph: createGraph,
        call: call)
    }
  }

  /// The gradients of `targets`, zeros where there is no dependence; without targets, adds the
  /// gradients of all leaves to them.
  func gradients(
    at targets: [Tensor]?, upstream: Tensor?, retainGraph: Bool, createGraph: Bool, call: String
  ) throws(TensorError) -> [Tensor] {
    if isPoisoned { return targets.map { $0.map { _ in .poisoned } } ?? [] }
    let start = try startingGradient(upstream, call: call)
    guard let history else {
      if let targets { return targets.map { .zeros($0.shape, dtype: $0.dtype) } }
      throw TensorError(
        call,
        "the tensor of shape \(shape) depends on no parameter and on no requiringGradient() tensor"
      )
    }
    var run = Backpropagation(
      targets: targets, retains: retainGraph || createGraph, isRecording: createGraph)
    try Autocast.off { () throws(TensorError) in
      try GradientMode.$isRecording.with(createGraph) { () throws(TensorError) in
        run.add(history, start)
        try run.run(call: call)
      }
    }
    return zip(targets ?? [], run.results).map { target, gradient in
      gradient ?? .zeros(target.shape, dtype: target.dtype)
    }
  }

  private func startingGradient(_ upstream: Tensor?, call: String) throws(TensorError) -> Tensor {
    guard let upstream else {
      guard count == 1 else {
        throw TensorError(
          call,
          "a gradient starts from one number, but the tensor has shape \(shape); sum() it, or pass "
            + "the upstream gradient")
      }
      return .ones(shape, dtype: dtype)
    }
    guard upstream.shape == shape else {
      throw TensorError(
        call, "the upstream gradient has shape \(upstream.shape), but the tensor has \(shape)")
    }
    return upstream.cast(to: dtype)
  }

  /// The same values; a gradient that passes is given to `body`, which may replace it.
  ///
  /// `body` runs during the backward pass, in the task that runs it. PyTorch: `register_hook`.
  public func onGradient(_ body: @escaping (Tensor) -> Tensor?) -> Tensor {
    let hook = Unchecked(body)
    return recorded("onGradient(_:)", from: [self]) { [hook.value($0.upstream) ?? $0.upstream] }
  }
}

/// Runs `body` without recording histories: faster, and nothing is kept for gradients.
///
/// The scope belongs to the task. PyTorch: `torch.no_grad()`.
public func withoutGradients<R>(_ body: () throws -> R) rethrows -> R {
  try GradientMode.$isRecording.withValue(false) { try body() }
}

/// The asynchronous form of ``withoutGradients(_:)-(()->R)``.
public func withoutGradients<R>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
) async rethrows -> R {
  try await GradientMode.$isRecording.withValue(false) { try await body() }
}

/// A caller's closure that the backward pass runs where the caller starts it: it never leaves the
/// caller's isolation unless the caller moves the graph elsewhere.
struct Unchecked<T>: @unchecked Sendable {
  let value: T
  init(_ value: T) { self.value = value }
}
