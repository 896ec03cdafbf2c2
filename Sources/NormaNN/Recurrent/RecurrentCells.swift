import NormaTensor

/// The base class of ``RNNCell``, ``LSTMCell`` and ``GRUCell``: one step of a recurrent network.
///
/// Parameters are initially uniform within ±1 / √hidden, bit for bit as PyTorch draws them, and
/// have its names: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
public class RecurrentCell: Module {
  /// The number of features of the input.
  public let inputSize: Int
  /// The number of features of the state.
  public let hiddenSize: Int
  /// The weights and biases.
  public let own: RecurrentParameters
  let recurrence: Recurrence

  init(
    _ recurrence: Recurrence, _ inputSize: Int, _ hiddenSize: Int, bias: Bool, dtype: DType,
    _ options: LayerOptions
  ) {
    self.recurrence = recurrence
    self.inputSize = options.size(inputSize, "inputSize")
    self.hiddenSize = options.size(hiddenSize, "hiddenSize", atLeast: 1)
    own = RecurrentParameters(
      recurrence.kind, inputs: self.inputSize, hidden: self.hiddenSize, projection: 0, bias: bias,
      dtype: dtype)
  }

  override var ownCells: [(name: String, value: Cell)] {
    own.named.map { ($0.name, Cell.parameter($0.parameter)) }
  }

  public override var optionsDescription: String {
    OptionText(inputSize, hiddenSize).with("bias", own.biasIH != nil, unless: true)
      .with("dtype", own.weightIH.dtype, unless: .float32).text
  }

  /// The state after one step of `x`, `[N, inputs]` or `[inputs]`.
  func step(
    _ x: Tensor, _ hidden: Tensor?, _ cell: Tensor?, _ file: StaticString, _ line: UInt
  ) -> (hidden: Tensor, cell: Tensor) {
    var last = Tensor.poisoned
    let call = "\(type(of: self))(_:)"
    let output = checked(file: file, line: line, call: call) { () throws(TensorError) in
      if [x, hidden, cell].contains(where: { $0?.isPoisoned ?? false }) { return .poisoned }
      guard x.rank == 1 || x.rank == 2, x.shape.last == inputSize else {
        throw TensorError(
          call, "input \(x.shape) is neither [N, \(inputSize)] nor [\(inputSize)]")
      }
      let isSingle = x.rank == 1
      for case let state? in [hidden, cell] {
        let shape = x.shape.dropLast() + [hiddenSize]
        if state.shape != Array(shape) {
          throw TensorError(call, "a state has shape \(state.shape); expected \(Array(shape))")
        }
      }
      func batch(_ x: Tensor) -> Tensor { isSingle ? x.unsqueezed(0) : x }
      let result = try recurrence.run(
        batch(x).unsqueezed(0), own.weights, hidden: hidden.map(batch), cell: cell.map(batch),
        call: call)
      let state = result.cell ?? result.hidden
      last = isSingle ? state.squeezed(0) : state
      return isSingle ? result.hidden.squeezed(0) : result.hidden
    }
    return (output.observed(by: self, of: x, file, line), last)
  }
}

/// One step of an ``RNN``: h' = tanh(W x + b + R h + c), or relu.
///
/// Shapes: input `[N, inputs]` or `[inputs]`, state `[N, hidden]` or `[hidden]`, by default 0.
/// PyTorch: `nn.RNNCell`.
public final class RNNCell: RecurrentCell {
  /// A cell with PyTorch's defaults.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true,
    nonlinearity: RecurrentNonlinearity = .tanh, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      nonlinearity.recurrence, inputSize, hiddenSize, bias: bias, dtype: dtype,
      LayerOptions(layer: RNNCell.self, file: file, line: line))
  }

  /// The next state.
  public func callAsFunction(
    _ x: Tensor, state: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    step(x, state, nil, file, line).hidden
  }
}

/// One step of a ``GRU``. Shapes are those of ``RNNCell``. PyTorch: `nn.GRUCell`.
public final class GRUCell: RecurrentCell {
  /// A cell with PyTorch's defaults.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      Recurrence(.gru), inputSize, hiddenSize, bias: bias, dtype: dtype,
      LayerOptions(layer: GRUCell.self, file: file, line: line))
  }

  /// The next state.
  public func callAsFunction(
    _ x: Tensor, state: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    step(x, state, nil, file, line).hidden
  }
}

/// One step of an ``LSTM``. Shapes are those of ``RNNCell``. PyTorch: `nn.LSTMCell`.
public final class LSTMCell: RecurrentCell {
  /// A cell with PyTorch's defaults.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      Recurrence(.lstm), inputSize, hiddenSize, bias: bias, dtype: dtype,
      LayerOptions(layer: LSTMCell.self, file: file, line: line))
  }

  /// The next state; its `hidden` is the output.
  public func callAsFunction(
    _ x: Tensor, state: LSTMState? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> LSTMState {
    let next = step(x, state?.hidden, state?.cell, file, line)
    return LSTMState(hidden: next.hidden, cell: next.cell)
  }
}
