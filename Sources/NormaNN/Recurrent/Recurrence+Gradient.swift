import NormaTensor

// The usual recurrences as one operation over all steps. Recording every step would add a gradient
// of the recurrent weights per step; here they are one product for all steps.

extension Recurrence {
  /// Whether the operation below computes this recurrence; others are recorded step by step.
  func isPlain(_ states: RecurrentStates) -> Bool {
    let isUsual =
      activations == Self.usual(kind) || kind == .rnn && activations == [.relu]
    return isUsual && clip == nil && !couplesInputAndForget && resetsAfterProduct
      && states.peepholes == nil && states.projection == nil
      && (states.gates.dtype == .float32 || states.gates.dtype == .float64)
  }

  /// The same as ``recorded(_:)`` for plain recurrences.
  func fast(_ states: RecurrentStates) -> (output: Tensor, cell: Tensor?) {
    let inputs = states.differentiable
    guard let results = steps(states).results(saving: Tensor.isRecorded(inputs)) else {
      return (.poisoned, states.cell.map { _ in .poisoned })
    }
    // The last cell lies behind the outputs, so that there is one result.
    let result = results.states.recorded(
      "\(kind)", from: inputs,
      saving: inputs + (states.valid.map { [$0] } ?? []) + results.saved,
      savesResult: true, runsAtOnce: true
    ) { [self, parts = SavedParts(states)] rule in
      let (states, saved) = parts.restored(rule.saved)
      if rule.isRecording {
        return Tensor.gradient(
          of: { self.joined(self.recorded(parts.restored($0 + rule.saved.dropFirst($0.count)).0)) },
          at: states.differentiable, upstream: rule.upstream)
      }
      return gradients(rule, states, saved)
    }
    guard kind == .lstm else { return (result, nil) }
    let count = states.steps
    return (result.narrowed(over: 0, from: 0, count: count), result[count])
  }

  private func steps(_ states: RecurrentStates) -> RecurrentSteps {
    let formula: RecurrentFormula
    switch kind {
    case .rnn: formula = activations == [.relu] ? .rnnRelu : .rnnTanh
    case .lstm: formula = .lstm
    case .gru: formula = .gru
    }
    return RecurrentSteps(
      formula, gates: states.gates, hidden: states.hidden, cell: states.cell,
      recurrent: states.recurrent, bias: states.bias, newBias: states.newBias,
      valid: states.valid, isReversed: isReversed)
  }

  private func joined(_ results: (output: Tensor, cell: Tensor?)) -> Tensor {
    guard let cell = results.cell else { return results.output }
    return Tensor.concatenated([results.output, cell.unsqueezed(0)], over: 0)
  }

  private func gradients(
    _ rule: Backward, _ states: RecurrentStates, _ saved: [Tensor]
  ) -> [Tensor?] {
    let result = rule.result.detached()
    guard
      let gradients = steps(states).gradients(
        .init(states: result, saved: saved), upstream: rule.upstream)
    else { return states.differentiable.map { _ in .poisoned } }
    let (products, width) = (gradients.products, states.hidden.shape[1])
    var all = [
      gradients.gates, gradients.hidden,
      rule.whenNeeded(2) { weightGradient(products, result, states.hidden.detached()) },
    ]
    if let cell = gradients.cell { all.append(cell) }
    if states.bias != nil {
      all.append(rule.whenNeeded(all.count) { gradients.gates.sum(over: 0, 1) })
    }
    if states.newBias != nil {
      all.append(
        rule.whenNeeded(all.count) {
          products.narrowed(over: 2, from: 2 * width, count: width).sum(over: 0, 1)
        })
    }
    return all
  }

  /// The gradient of the recurrent weights, from those of all products with states.
  private func weightGradient(_ products: Tensor, _ results: Tensor, _ first: Tensor) -> Tensor {
    let count = products.shape[0]
    func rows(_ x: Tensor, _ start: Int, _ count: Int) -> Tensor {
      x.narrowed(over: 0, from: start, count: count).reshaped(-1, x.shape[2])
    }
    let begin = products[isReversed ? count - 1 : 0].transposed().matmul(first)
    if count == 1 { return begin }
    let (later, earlier) = isReversed ? (0, 1) : (1, 0)
    return rows(products, later, count - 1).transposed()
      .matmul(rows(results, earlier, count - 1)) + begin
  }
}

extension RecurrentStates {
  /// What has gradients, in the order of ``SavedParts``.
  fileprivate var differentiable: [Tensor] {
    [gates, hidden, recurrent] + [cell, bias, newBias].compactMap { $0 }
  }
}

/// Which of the optional tensors ``Recurrence/fast(_:)`` saved for its gradient.
private struct SavedParts {
  private let hasCell: Bool, hasBias: Bool, hasNewBias: Bool, isMasked: Bool

  init(_ states: RecurrentStates) {
    (hasCell, hasBias) = (states.cell != nil, states.bias != nil)
    (hasNewBias, isMasked) = (states.newBias != nil, states.valid != nil)
  }

  /// The operation's arguments, and what the steps saved.
  func restored(_ saved: [Tensor]) -> (RecurrentStates, [Tensor]) {
    var rest = saved[3...]
    func next(_ isThere: Bool) -> Tensor? { isThere ? rest.popFirst() : nil }
    var states = RecurrentStates(gates: saved[0], hidden: saved[1], recurrent: saved[2])
    states.cell = next(hasCell)
    states.bias = next(hasBias)
    states.newBias = next(hasNewBias)
    states.valid = next(isMasked)
    return (states, Array(rest))
  }
}
