import NormaTensor

/// The parameters of one layer and direction of a recurrent network.
public struct RecurrentParameters {
  /// `[gates hidden, inputs]`, for the input.
  public let weightIH: Parameter
  /// `[gates hidden, outputs]`, for the state.
  public let weightHH: Parameter
  /// `[gates hidden]`; nil without `bias`.
  public let biasIH: Parameter?
  /// `[gates hidden]`; nil without `bias`.
  public let biasHH: Parameter?
  /// `[outputs, hidden]`: LSTM's projection, if it has one.
  public let weightHR: Parameter?

  var weights: RecurrentWeights {
    RecurrentWeights(
      input: weightIH.value, recurrent: weightHH.value, inputBias: biasIH?.value,
      recurrentBias: biasHH?.value, projection: weightHR?.value)
  }

  /// With PyTorch's names, less the number of the layer, and in its order.
  var named: [(name: String, parameter: Parameter)] {
    [
      ("weight_ih", weightIH), ("weight_hh", weightHH), ("bias_ih", biasIH), ("bias_hh", biasHH),
      ("weight_hr", weightHR),
    ].compactMap { (name, parameter) in parameter.map { (name, $0) } }
  }
}

/// The base class of ``RNN``, ``LSTM`` and ``GRU``: layers on top of each other, each in one
/// direction or both.
///
/// Parameters are initially uniform within ±1 / √hidden, bit for bit as PyTorch draws them, and
/// have its names in state dictionaries: `weight_ih_l0`, `bias_hh_l1_reverse`.
public class RecurrentLayer: Module {
  /// The number of features of the input.
  public let inputSize: Int
  /// The number of features of a state.
  public let hiddenSize: Int
  /// The number of layers on top of each other.
  public let numLayers: Int
  /// Whether the input is `[N, T, inputs]` instead of `[T, N, inputs]`.
  public let batchFirst: Bool
  /// The probability with which elements of what a layer passes to the next are dropped in
  /// training.
  public let dropout: Double
  /// Whether each layer also runs from the end to the beginning.
  public let isBidirectional: Bool
  /// The size of LSTM's projection; 0 without one.
  public let projSize: Int
  /// The parameters: for each layer those of the forward direction, then those of the other.
  public let directions: [RecurrentParameters]
  let recurrence: Recurrence

  init(
    _ recurrence: Recurrence, _ inputSize: Int, _ hiddenSize: Int, numLayers: Int, bias: Bool,
    batchFirst: Bool, dropout: Double, isBidirectional: Bool, projSize: Int, dtype: DType,
    _ options: LayerOptions
  ) {
    self.recurrence = recurrence
    self.inputSize = options.size(inputSize, "inputSize")
    self.hiddenSize = options.size(hiddenSize, "hiddenSize", atLeast: 1)
    self.numLayers = options.size(numLayers, "numLayers", atLeast: 1)
    self.projSize = options.size(projSize, "projSize")
    if projSize >= hiddenSize && projSize > 0 {
      options.refuse("projSize must be smaller than hiddenSize \(hiddenSize), got \(projSize)")
    }
    if !(0...1).contains(dropout) {
      options.refuse("dropout must be a probability in 0...1, got \(dropout)")
    }
    (self.batchFirst, self.dropout, self.isBidirectional) = (batchFirst, dropout, isBidirectional)
    let hidden = self.hiddenSize
    let (outputs, both) = (projSize > 0 ? projSize : hidden, isBidirectional ? 2 : 1)
    var directions: [RecurrentParameters] = []
    for layer in 0..<self.numLayers {
      for _ in 0..<both {
        directions.append(
          RecurrentParameters(
            recurrence.kind, inputs: layer == 0 ? self.inputSize : outputs * both, hidden: hidden,
            projection: self.projSize, bias: bias, dtype: dtype))
      }
    }
    self.directions = directions
  }

  override var ownCells: [(name: String, value: Cell)] {
    directions.enumerated().flatMap { index, parameters in
      let both = isBidirectional ? 2 : 1
      let suffix = "_l\(index / both)" + (index % both == 1 ? "_reverse" : "")
      return parameters.named.map { ($0.name + suffix, Cell.parameter($0.parameter)) }
    }
  }

  public override var optionsDescription: String {
    OptionText(inputSize, hiddenSize).with("numLayers", numLayers, unless: 1)
      .with("bias", directions[0].biasIH != nil, unless: true)
      .with("batchFirst", batchFirst, unless: false).with("dropout", dropout, unless: 0)
      .with("bidirectional", isBidirectional, unless: false)
      .with("projSize", projSize, unless: 0)
      .with("dtype", directions[0].weightIH.dtype, unless: .float32).text
  }

  /// The results of all layers: the output in the input's form, and the last states
  /// `[layers directions, N, ...]`.
  func run(
    _ x: Tensor, _ hidden: Tensor?, _ cell: Tensor?, _ lengths: [Int]?, _ file: StaticString,
    _ line: UInt
  ) -> (output: Tensor, hidden: Tensor, cell: Tensor) {
    var last: (hidden: Tensor, cell: Tensor) = (.poisoned, .poisoned)
    let call = "\(type(of: self))(_:)"
    let output = checked(file: file, line: line, call: call) { () throws(TensorError) in
      if [x, hidden, cell].contains(where: { $0?.isPoisoned ?? false }) { return .poisoned }
      guard x.rank == 3 || x.rank == 2, x.shape.last == inputSize else {
        let form = batchFirst ? "[N, T, \(inputSize)]" : "[T, N, \(inputSize)]"
        throw TensorError(
          call, "input \(x.shape) is neither \(form) nor, without a batch, [T, \(inputSize)]")
      }
      let isSingle = x.rank == 2
      let batched = isSingle ? x.unsqueezed(1) : batchFirst ? x.permuted(1, 0, 2) : x
      let outputs = projSize > 0 ? projSize : hiddenSize
      func states(_ state: Tensor?, _ name: String, _ size: Int) throws(TensorError) -> [Tensor]? {
        guard let state else { return nil }
        let shape = [directions.count, batched.shape[1], size]
        let expected = isSingle ? [shape[0], size] : shape
        guard state.shape == expected else {
          throw TensorError(call, "\(name) has shape \(state.shape); expected \(expected)")
        }
        return (isSingle ? state.unsqueezed(1) : state).unbound()
      }
      let result = try layers(
        batched, try states(hidden, "the hidden state", outputs),
        try states(cell, "the cell state", hiddenSize), lengths, call)
      last = (
        isSingle ? result.hidden.squeezed(1) : result.hidden,
        isSingle ? result.cell.squeezed(1) : result.cell
      )
      return isSingle
        ? result.output.squeezed(1)
        : batchFirst ? result.output.permuted(1, 0, 2) : result.output
    }
    let observed = output.observed(by: self, of: x, file, line)
    CallRecorder.note(states: [hidden, cell], last: [last.hidden, last.cell])
    return (observed, last.hidden, last.cell)
  }

  private func layers(
    _ x: Tensor, _ hidden: [Tensor]?, _ cell: [Tensor]?, _ lengths: [Int]?, _ call: String
  ) throws(TensorError) -> (output: Tensor, hidden: Tensor, cell: Tensor) {
    var (output, lastHidden, lastCell) = (x, [Tensor](), [Tensor]())
    let both = isBidirectional ? 2 : 1
    for layer in 0..<numLayers {
      if layer > 0 && dropout > 0 {
        output = Tensor.dropout(output, p: dropout, training: isTraining)
      }
      var parts: [Tensor] = []
      for direction in 0..<both {
        let index = layer * both + direction
        var recurrence = recurrence
        recurrence.isReversed = direction == 1
        let result = try recurrence.run(
          output, directions[index].weights, hidden: hidden?[index], cell: cell?[index],
          lengths: lengths, call: call)
        parts.append(result.output)
        lastHidden.append(result.hidden)
        lastCell.append(result.cell ?? result.hidden)
      }
      output = parts.count == 1 ? parts[0] : Tensor.concatenated(parts, over: 2)
    }
    return (output, Tensor.stacked(lastHidden), Tensor.stacked(lastCell))
  }
}

extension RecurrentParameters {
  /// Uniform within ±1 / √hidden.
  init(
    _ kind: RecurrentKind, inputs: Int, hidden: Int, projection: Int, bias: Bool, dtype: DType
  ) {
    let bound = 1 / Double(hidden).squareRoot()
    func draw(_ shape: [Int]) -> Parameter {
      Parameter(.uniform(shape, low: -bound, high: bound, dtype: dtype))
    }
    let rows = kind.gates * hidden
    weightIH = draw([rows, inputs])
    weightHH = draw([rows, projection > 0 ? projection : hidden])
    biasIH = bias ? draw([rows]) : nil
    biasHH = bias ? draw([rows]) : nil
    weightHR = projection > 0 ? draw([projection, hidden]) : nil
  }
}
