import NormaValues
import Synchronization

/// The origin of a tensor, for gradients: the operation's inputs, what it saved, and its rule.
///
/// Tensors hold derivations and pending nodes never do, so values are computed and freed
/// independently of gradients. A derivation drops what it saved when a gradient has passed through
/// it.
package final class Derivation: Sendable {
  enum Rule: Sendable {
    /// Computes a gradient for each input.
    case gradients(@Sendable (Backward) -> [Tensor?])
    /// Recomputes tensors and returns them with gradients, which continue into their histories.
    case continuation(@Sendable (Backward) -> [(result: Tensor, gradient: Tensor)])
    /// Adds the gradient to the part of the whole that the window selects; the whole is the only
    /// input.
    case part(Window)
    /// Collects the gradients of all parts of a tensor and passes their sum on.
    case whole
  }

  /// What is needed to propagate a gradient.
  struct Links: Sendable {
    /// The derivations of the inputs; nil for constants.
    var inputs: [Derivation?]
    var saved: [Tensor] = []
    /// The result without its history, which would be a reference cycle.
    var result: Tensor?
    var immediate: (value: Scalar, position: Int)?
    /// Whether the rule runs kernels eagerly instead of creating pending programs.
    var runsAtOnce: Bool
    let rule: Rule
  }

  private static let counter = Atomic<Int>(0)

  /// Later derivations have larger numbers, so inputs have smaller ones than their results.
  let number = Derivation.counter.add(1, ordering: .relaxed).newValue
  /// The operation as the user wrote it.
  let call: String
  let shape: [Int]
  let dtype: DType
  /// Where gradients accumulate; nil inside a graph.
  package let leaf: GradientLeaf?
  private let state: Mutex<Links?>
  private let parts = Mutex(WeakDerivation())

  private struct WeakDerivation: Sendable {
    weak var derivation: Derivation?
  }

  @inline(never)
  init(_ call: String, _ result: Tensor, _ links: Links) {
    self.call = call
    shape = result.shape
    dtype = result.dtype
    leaf = nil
    state = Mutex(links)
  }

  /// The start of a graph.
  package init(leaf: GradientLeaf, shape: [Int], dtype: DType) {
    call = "leaf"
    self.shape = shape
    self.dtype = dtype
    self.leaf = leaf
    state = Mutex(nil)
  }

  /// Collects the gradients of all parts of this result, so that they make one gradient of its size
  /// and not one each. Parts hold it; it saves nothing, and is not released when a gradient passes.
  func whole(of result: Tensor) -> Derivation {
    parts.withLock { parts in
      if let known = parts.derivation { return known }
      let links = Links(inputs: [self], runsAtOnce: true, rule: .whole)
      let whole = Derivation(call, result, links)
      parts.derivation = whole
      return whole
    }
  }

  /// Nil for leaves, and after a gradient has passed through.
  var links: Links? { state.withLock { $0 } }

  func takeLinks() -> Links? {
    state.withLock { links in
      defer { links = nil }
      return links
    }
  }

  // A graph may be millions of operations deep: it is released in a loop, not by recursion.
  deinit {
    var pile = released()
    while var derivation = pile.popLast() {
      if isKnownUniquelyReferenced(&derivation) { pile += derivation.released() }
    }
  }

  /// Drops what the rule needs, and returns the input derivations that have no other owner.
  private func released() -> [Derivation] {
    guard let links = takeLinks() else { return [] }
    return links.inputs.compactMap { $0 } + links.saved.compactMap(\.history)
  }
}

/// Collects gradients during a backward pass, as when they are summed over several processes.
package protocol GradientReceiver: AnyObject {
  /// The gradient of one backward pass with respect to a leaf: the sum over all its uses.
  ///
  /// It comes as early as it is complete, while the backward pass goes on.
  func receive(_ gradient: Tensor, of leaf: GradientLeaf)

  /// The end of a backward pass through a graph with a leaf of this receiver.
  func finishBackward()
}

/// Accumulates the gradient of a parameter, or of a tensor created by `requiringGradient()`.
package final class GradientLeaf: Sendable {
  private let state = Mutex<Tensor?>(nil)
  private let hook = Mutex<Unchecked<((Tensor) -> Tensor?)?>>(Unchecked(nil))

  package init() {}

  package var gradient: Tensor? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  /// Sets a hook that gets the gradient of each backward pass before it is added, and may replace
  /// it.
  package func onGradient(_ body: ((Tensor) -> Tensor?)?) {
    let new = Unchecked(body)
    hook.withLock { $0 = new }
  }

  private let receiver = Mutex(Unchecked(WeakReceiver()))

  private struct WeakReceiver {
    weak var receiver: (any GradientReceiver)?
  }

  /// Passes gradients to `receiver` while it exists, instead of adding them up here.
  package func deliver(to receiver: (any GradientReceiver)?) {
    let new = Unchecked(WeakReceiver(receiver: receiver))
    self.receiver.withLock { $0 = new }
  }

  /// The receiver of the gradients, if they do not stay here.
  var currentReceiver: (any GradientReceiver)? { receiver.withLock { $0 }.value.receiver }

  /// Whether someone wants the sum over all uses of the leaf.
  var isWatched: Bool { hook.withLock { $0.value != nil } || currentReceiver != nil }

  /// Passes the gradient of a backward pass through the hook, and adds or delivers it.
  func accept(_ gradient: Tensor) {
    let body = hook.withLock { $0 }.value
    let seen = body.flatMap { $0(gradient) } ?? gradient
    if let receiver = currentReceiver { receiver.receive(seen, of: self) } else { add(seen) }
  }

  func add(_ more: Tensor) {
    state.withLock { sum in sum = sum.map { $0 + more } ?? more }
  }
}

/// The arguments of an operation's gradient rule: the gradient of its result, and what it saved.
package struct Backward: Sendable {
  /// The gradient with respect to the result, in its shape and type.
  package let upstream: Tensor
  private let links: Derivation.Links
  private let derivation: Derivation
  private let wanted: [Bool]
  /// Whether gradients of gradients are wanted, so that only differentiable operations may be used.
  package let isRecording: Bool

  init(
    upstream: Tensor, _ derivation: Derivation, _ links: Derivation.Links, wanted: [Bool],
    isRecording: Bool
  ) {
    self.upstream = upstream
    self.links = links
    self.derivation = derivation
    self.wanted = wanted
    self.isRecording = isRecording
  }

  /// What the operation saved, with histories.
  package var saved: [Tensor] { links.saved }

  /// The operation's result, if it was saved.
  package var result: Tensor {
    guard var result = links.result else {
      fatalError("\(derivation.call): its gradient asks for a result that was not saved")
    }
    if isRecording { result.history = derivation }
    return result
  }

  /// The scalar that was one of two operands.
  var immediate: (value: Scalar, position: Int)? { links.immediate }

  /// Whether input `index` needs a gradient.
  package func needs(_ index: Int) -> Bool { index < wanted.count && wanted[index] }

  /// The gradient, if input `index` needs one.
  @inline(never)
  package func whenNeeded(
    _ index: Int, _ gradient: () throws(TensorError) -> Tensor
  ) -> Tensor? {
    needs(index) ? checked(gradient) : nil
  }
}

/// Whether operations record a history, for the current task.
package enum GradientMode {
  @TaskLocal package static var isRecording = true
  /// Whether a checkpointed part is running for the second time: side effects of the first run,
  /// such as updates of running statistics, must not be repeated.
  @TaskLocal package static var isRecomputing = false
}

extension Tensor {
  /// This result of an operation, with a history if gradients are on and an input has one.
  ///
  /// - Parameters:
  ///   - call: the operation as the user wrote it.
  ///   - inputs: the operands to differentiate by, in the order of the rule's gradients.
  ///   - saving: what the rule needs; it must capture no tensors itself.
  ///   - savesResult: whether the rule needs the result.
  ///   - runsAtOnce: whether the rule runs kernels eagerly instead of creating pending programs.
  ///   - rule: one gradient for each input, or nil. Sums over broadcast axes and type conversions
  ///     are applied afterwards.
  @inline(never)
  package func recorded(
    _ call: String, from inputs: [Tensor], saving: [Tensor] = [], savesResult: Bool = false,
    runsAtOnce: Bool = false, _ rule: @escaping @Sendable (Backward) -> [Tensor?]
  ) -> Tensor {
    let result = noted(.other(call), inputs, isFallback: true)
    guard Tensor.isRecorded(inputs) else { return result }
    return result.recorded(
      call, inputs, saving: saving, savesResult: savesResult, immediate: nil,
      runsAtOnce: runsAtOnce, .gradients(rule))
  }

  /// Whether an operation on this tensor records a history.
  var isRecording: Bool { history != nil && GradientMode.isRecording }

  /// Whether an operation on these tensors records a history.
  package static func isRecorded(_ inputs: [Tensor]) -> Bool {
    inputs.contains { $0.history != nil } && GradientMode.isRecording
  }

  @inline(never)
  func recorded(
    _ call: String, _ inputs: [Tensor], saving: [Tensor], savesResult: Bool,
    immediate: (value: Scalar, position: Int)?, runsAtOnce: Bool,
    _ rule: Derivation.Rule
  ) -> Tensor {
    guard dtype.isFloatingPoint, !isPoisoned else { return detached() }
    for tensor in saving { tensor.node.keep() }
    if savesResult { node.keep() }
    let links = Derivation.Links(
      inputs: inputs.map(\.history), saved: saving, result: savesResult ? detached() : nil,
      immediate: immediate, runsAtOnce: runsAtOnce, rule: rule)
    var result = self
    result.history = Derivation(call, self, links)
    return result
  }

  /// This view of a part of `whole` with a history.
  @inline(never)
  func recorded(_ call: String, partOf whole: Tensor, through window: @escaping Window) -> Tensor {
    guard whole.isRecording, dtype.isFloatingPoint, let history = whole.history else { return self }
    let links = Derivation.Links(
      inputs: [history.whole(of: whole)], runsAtOnce: true, rule: .part(window))
    var result = self
    result.history = Derivation(call, self, links)
    return result
  }

  /// The same values without a history: gradients do not propagate further. PyTorch: `detach()`.
  public func detached() -> Tensor {
    history == nil ? self : Tensor(node: node, layout: layout)
  }

  /// Whether this tensor has a history through which gradients can propagate.
  /// PyTorch: `requires_grad`.
  public var hasHistory: Bool { history != nil }
}
