import NormaTensor

/// A tensor that training changes, with the gradient that backward passes add up beside it.
///
/// PyTorch: `torch.nn.Parameter`.
public final class Parameter {
  private let leaf = GradientLeaf()
  private var stored: Tensor

  /// The current value, from which gradients find their way to ``grad`` unless the parameter is
  /// frozen. Setting it does not change tensors that were computed before. Another shape is a mistake,
  /// except for parameters of lazy layers, which have the shape `[0]` until they know theirs.
  public var value: Tensor {
    get { parametrization?.value() ?? stored }
    set {
      guard fits(newValue, as: "value", or: shape == [0]) else { return }
      if let parametrization { return parametrization.assign(newValue) }
      stored = isFrozen ? newValue.detached() : newValue.withLeaf(leaf)
    }
  }

  /// Whether nobody but the parameter holds the memory of its value.
  func holdsMemoryAlone() -> Bool { parametrization == nil && stored.holdsMemoryAlone() }

  /// What computes the value, if it is not a value of its own.
  public internal(set) var parametrization: (any Parametrization)? {
    // Of the value that was, the shape is left, and no memory.
    didSet { stored = Tensor.zeros([], dtype: dtype).broadcast(to: shape) }
  }

  /// The gradients that backward passes have added up since it was nil. Setting one of another shape or type
  /// than the parameter's is a mistake. PyTorch: `parameter.grad`.
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

  /// Shows `body` the gradient of every backward pass before it is added to ``grad``; it may return
  /// another. Nil takes it away. PyTorch: `parameter.register_hook`.
  public func onGradient(_ body: ((Tensor) -> Tensor?)?) { leaf.onGradient(body) }

  /// Those who look at the gradients with which an optimizer moves the parameter.
  var watchers: [ParameterWatcher] = []

  /// Whether gradients pass the parameter by. PyTorch: `requires_grad = False`.
  public var isFrozen = false {
    didSet { if parametrization == nil { value = stored } }
  }

  /// The sizes of the axes.
  public var shape: [Int] { stored.shape }

  /// The type of the elements.
  public var dtype: DType { stored.dtype }

  /// A parameter that starts as `value`.
  public init(_ value: Tensor) { stored = value.withLeaf(leaf) }
}

/// A tensor that belongs to a module's state and is not trained, such as running statistics.
///
/// PyTorch: `register_buffer`.
public final class Buffer {
  /// The current value.
  public var value: Tensor

  /// A buffer that starts as `value`.
  public init(_ value: Tensor) { self.value = value }
}

extension Parameter: CustomStringConvertible {
  /// The word, and the value as it prints.
  public var description: String { "Parameter \(value)" }
}

extension Buffer: CustomStringConvertible {
  /// The word, and the value as it prints.
  public var description: String { "Buffer \(value)" }
}
