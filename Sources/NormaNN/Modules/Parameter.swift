import NormaTensor

/// A trainable tensor, together with the gradient that backward passes accumulate.
///
/// PyTorch: `torch.nn.Parameter`.
public final class Parameter {
  private let leaf = GradientLeaf()
  private var stored: Tensor

  /// The current value. Gradients flow from it to ``grad`` unless the parameter is frozen. Setting
  /// it does not change tensors that were computed before. A different shape is an error, except
  /// for parameters of lazy layers, which have the shape `[0]` until theirs is known.
  public var value: Tensor {
    get { parametrization?.value() ?? stored }
    set {
      guard fits(newValue, as: "value", or: shape == [0]) else { return }
      if let parametrization { return parametrization.assign(newValue) }
      stored = isFrozen ? newValue.detached() : newValue.withLeaf(leaf)
    }
  }

  /// Whether the parameter has the only reference to the memory of its value.
  func holdsMemoryAlone() -> Bool { parametrization == nil && stored.holdsMemoryAlone() }

  /// Computes the value, for a parameter without a value of its own.
  public internal(set) var parametrization: (any Parametrization)? {
    // Keeps only the shape of the previous value, not its memory.
    didSet { stored = Tensor.zeros([], dtype: dtype).broadcast(to: shape) }
  }

  /// The sum of the gradients of all backward passes since it was nil. Setting a gradient of
  /// another shape or type than the parameter's is an error. PyTorch: `parameter.grad`.
  public var grad: Tensor? {
    get { leaf.gradient }
    set {
      if let newValue {
        guard fits(newValue, as: "grad") else { return }
        if newValue.dtype != dtype && !newValue.isPoisoned {
          return refuse(
            "a gradient of type \(newValue.dtype) for a parameter of type \(dtype)", "grad")
        }
      }
      leaf.gradient = newValue?.detached()
    }
  }

  private func fits(_ new: Tensor, as property: String, or isFree: Bool = false) -> Bool {
    if new.shape == shape || isFree || new.isPoisoned { return true }
    refuse("shape \(new.shape) for a parameter of shape \(shape)", property)
    return false
  }

  private func refuse(_ text: String, _ property: String) {
    report(TensorError("Parameter.\(property)", text), file: #fileID, line: #line)
  }

  /// Calls `body` with the gradient of every backward pass before it is added to ``grad``; `body`
  /// may return a replacement. Nil removes the hook. PyTorch: `parameter.register_hook`.
  public func onGradient(_ body: ((Tensor) -> Tensor?)?) { leaf.onGradient(body) }

  /// Passes the gradients of backward passes to `receiver`, which sets ``grad``, instead of adding
  /// them to it; nil ends this.
  package func deliverGradients(to receiver: (any GradientReceiver)?) {
    leaf.deliver(to: receiver)
  }

  /// The identity under which a receiver gets this parameter's gradients.
  package var leafIdentity: ObjectIdentifier { ObjectIdentifier(leaf) }

  /// The observers of the gradients that optimizers use for the parameter.
  var watchers: [ParameterWatcher] = []

  /// Whether the parameter is excluded from gradients. PyTorch: `requires_grad = False`.
  public var isFrozen = false {
    didSet { if parametrization == nil { value = stored } }
  }

  /// The sizes of the axes.
  public var shape: [Int] { stored.shape }

  /// The type of the elements.
  public var dtype: DType { stored.dtype }

  /// The name under which a network listed the parameter, guarded by `Module.namesLock`.
  var listedName: String?

  /// A parameter with the initial value `value`.
  public init(_ value: Tensor) { stored = value.withLeaf(leaf) }
}

/// A tensor that is part of a module's state but not trained, such as running statistics.
///
/// PyTorch: `register_buffer`.
public final class Buffer {
  /// The current value.
  public var value: Tensor

  /// The name under which a network listed the buffer, guarded by `Module.namesLock`.
  var listedName: String?

  /// A buffer with the initial value `value`.
  public init(_ value: Tensor) { self.value = value }
}
