import NormaNN
import NormaTensor

extension OperatorTable {
  static var recurrent: Entries {
    [
      "RNN": { try recurrence(.rnn, $0) },
      "LSTM": { try recurrence(.lstm, $0) },
      "GRU": { try recurrence(.gru, $0) },
    ]
  }

  private static func recurrence(
    _ kind: RecurrentKind, _ node: NodeContext
  ) throws -> GraphPlan.Run {
    let layers = try RecurrentDirections(kind, node)
    return { operands in
      func part(_ index: Int) -> Tensor? { operands.optional(index) }
      return try layers.run(
        operands.tensor(0), weight: operands.tensor(1), recurrent: operands.tensor(2),
        bias: part(3), lengths: operands.integers(4), hidden: part(5), cell: part(6),
        peepholes: part(7), operands)
    }
  }
}

/// The directions of a recurrent operator.
struct RecurrentDirections {
  let kind: RecurrentKind
  let directions: [Recurrence]
  let isBatchFirst: Bool
  private let weights = RecurrentWeightCache()

  init(_ kind: RecurrentKind, _ node: NodeContext) throws {
    self.kind = kind
    let direction = try node.string("direction", "forward")
    let isKnown = ["forward", "reverse", "bidirectional"].contains(direction)
    try node.require(isKnown, "direction \(direction)")
    isBatchFirst = try node.flag("layout")
    _ = try node.int("hidden_size")
    if node.opset < 7 { _ = try node.int("output_sequence") }
    let count = direction == "bidirectional" ? 2 : 1
    let usual = kind == .rnn ? ["Tanh"] : ["Sigmoid", "Tanh"] + (kind == .lstm ? ["Tanh"] : [])
    let names = try node.strings("activations") ?? (0..<count).flatMap { _ in usual }
    try node.require(names.count == count * usual.count, "\(names.count) activations")
    var alphas = (try node.floats("activation_alpha") ?? [])[...]
    var betas = (try node.floats("activation_beta") ?? [])[...]
    let activations = try names.map { name -> RecurrentActivation in
      let takes = RecurrentActivation.parameters(of: name)
      let alpha = takes.alpha ? alphas.popFirst() : nil
      let beta = takes.beta ? betas.popFirst() : nil
      guard let found = RecurrentActivation(named: name, alpha: alpha, beta: beta) else {
        throw Unsupported("\(node.node.title) with the activation \(name)")
      }
      return found
    }
    let clip = try node.float("clip")
    let couples = try kind == .lstm && node.flag("input_forget")
    let resetsAfter = try kind == .gru && node.flag("linear_before_reset")
    directions = (0..<count).map { index in
      var recurrence = Recurrence(
        kind, activations: Array(activations[index * usual.count..<(index + 1) * usual.count]))
      recurrence.clip = clip
      recurrence.couplesInputAndForget = couples
      recurrence.resetsAfterProduct = resetsAfter
      recurrence.isReversed = direction == "reverse" || index == 1
      return recurrence
    }
  }

  /// - Throws: unless the shapes are those of the standard.
  private func check(
    _ x: Tensor, _ weight: Tensor, _ recurrent: Tensor, _ bias: Tensor?, _ peepholes: Tensor?,
    _ operands: Operands
  ) throws {
    guard x.rank == 3, let width = x.shape.last else {
      throw operands.failure("X has shape \(x.shape), and has to have 3 axes")
    }
    guard recurrent.rank == 3, let hidden = recurrent.shape.last, hidden > 0 else {
      throw operands.failure("R has shape \(recurrent.shape), and has to have 3 axes, none empty")
    }
    let (count, rows) = (directions.count, kind.gates * hidden)
    let expected = [
      ("W", weight, [count, rows, width]), ("R", recurrent, [count, rows, hidden]),
      ("B", bias, [count, 2 * rows]), ("P", peepholes, [count, 3 * hidden]),
    ]
    for (name, tensor, shape) in expected {
      guard let tensor, tensor.shape != shape else { continue }
      throw operands.failure("\(name) has shape \(tensor.shape), and has to have \(shape)")
    }
  }

  /// The outputs Y, Y_h and, for LSTM, Y_c.
  func run(
    _ x: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor?, lengths: [Int]?,
    hidden: Tensor?, cell: Tensor?, peepholes: Tensor?, _ operands: Operands
  ) throws -> [Value] {
    try check(x, weight, recurrent, bias, peepholes, operands)
    let steps = isBatchFirst ? x.transposed(0, 1) : x
    func state(_ all: Tensor?, _ index: Int) -> Tensor? {
      all.map { isBatchFirst ? $0.selected(over: 1, at: index) : $0.selected(over: 0, at: index) }
    }
    let given = [weight, recurrent, bias, peepholes]
    let all = weights.find(given) {
      directions.indices.map { index in
        let biases = bias.map { $0.selected(over: 0, at: index).chunked(2) }
        return RecurrentWeights(
          input: .fromONNX(weight.selected(over: 0, at: index), kind),
          recurrent: .fromONNX(recurrent.selected(over: 0, at: index), kind),
          inputBias: biases.map { .fromONNX($0[0], kind) },
          recurrentBias: biases.map { .fromONNX($0[1], kind) },
          peepholes: peepholes.map {
            RecurrentWeights.peepholesFromONNX($0.selected(over: 0, at: index))
          })
      }
    }
    var results: [Recurrence.Results] = []
    for (index, direction) in directions.enumerated() {
      results.append(
        try direction.run(
          steps, all[index], hidden: state(hidden, index), cell: state(cell, index),
          lengths: lengths, call: operands.title))
    }
    // [T, D, N, H], or batch first [N, T, D, H]; states [D, N, H], or [N, D, H].
    var outputs = Tensor.stacked(results.map(\.output), over: 1)
    if isBatchFirst { outputs = outputs.permuted(2, 0, 1, 3) }
    func stacked(_ parts: [Tensor]) -> Value {
      .tensor(Tensor.stacked(parts, over: isBatchFirst ? 1 : 0))
    }
    let cells = results.compactMap(\.cell)
    return [.tensor(outputs), stacked(results.map(\.hidden))]
      + (cells.isEmpty ? [] : [stacked(cells)])
  }
}

extension Tensor {
  fileprivate static func fromONNX(_ x: Tensor, _ kind: RecurrentKind) -> Tensor {
    RecurrentWeights.fromONNX(x, kind)
  }
}

/// Weights in the order of Norma's gates, kept while they do not change and need no gradients.
private final class RecurrentWeightCache {
  private var given: [Tensor?] = []
  private var kept: [RecurrentWeights] = []

  func find(_ new: [Tensor?], make: () -> [RecurrentWeights]) -> [RecurrentWeights] {
    if Tensor.isRecorded(new.compactMap { $0 }) { return make() }
    let isSame =
      given.count == new.count
      && zip(given, new).allSatisfy { old, new in
        switch (old, new) {
        case (nil, nil): true
        case (let old?, let new?): old.isSame(as: new)
        default: false
        }
      }
    if !isSame {
      (given, kept) = (new, make())
    }
    return kept
  }
}
