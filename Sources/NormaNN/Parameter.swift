import NormaKernels
import NormaTensor

/// A tensor that training changes, with the gradient that backward passes add up beside it.
///
/// PyTorch: `torch.nn.Parameter`.
public final class Parameter {
  private let leaf = GradientLeaf()
  private var stored: Tensor

  /// The current value, from which gradients find their way to ``grad`` unless the parameter is
  /// frozen. Setting it does not change tensors that were computed before.
  public var value: Tensor {
    get { parametrization?.value() ?? stored }
    set {
      if let parametrization { return parametrization.assign(newValue) }
      stored = isFrozen ? newValue.detached() : newValue.withLeaf(leaf)
    }
  }

  /// What computes the value, if it is not a value of its own.
  public internal(set) var parametrization: (any Parametrization)? {
    // Of the value that was, the shape is left, and no memory.
    didSet { stored = Tensor.zeros([], dtype: dtype).broadcast(to: shape) }
  }

  /// The gradients that backward passes have added up since it was nil. PyTorch: `parameter.grad`.
  public var grad: Tensor? {
    get { leaf.gradient }
    set { leaf.gradient = newValue?.detached() }
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
