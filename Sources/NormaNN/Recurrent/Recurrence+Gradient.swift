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
    let inputs =
      [states.gates, states.hidden, states.recurrent]
      + [states.cell, states.newBias].compactMap { $0 }
    let isRecorded = Tensor.isRecorded(inputs)
    let count = states.steps
    let order = order(count)
    let plain = states.detached
    let (gates, valid) = (plain.gates.unbound(), plain.valid?.unbound())
    let recurrent = plain.recurrent.transposed()
    let width = plain.gates.shape[2] / kind.gates
    var (hidden, cell) = (plain.hidden, plain.cell)
    var outputs = gates
    var saved = [[Tensor]](repeating: [], count: count)
    for index in order {
      let product = hidden.matmul(recurrent)
      var step = PlainStep(kind, gates[index], product, hidden, cell, width, self, plain.newBias)
      if let valid = valid?[index] { step.keep(hidden, cell, unless: valid) }
      let state = [step.hidden] + (step.cell.map { [$0] } ?? [])
      Tensor.evaluate(together: isRecorded ? state + step.saved : state)
      (hidden, cell) = (step.hidden, step.cell)
      outputs[index] = hidden
      if isRecorded { saved[index] = step.saved + (cell.map { [$0] } ?? []) }
    }
    // The last cell lies behind the outputs, so that there is one result.
    let result = Tensor.stacked(outputs + (cell.map { [$0] } ?? []))
      .recorded(
        "\(kind)", from: inputs,
        saving: inputs + (states.valid.map { [$0] } ?? []) + saved.joined(),
        savesResult: true, runsAtOnce: true
      ) { [self, hasBias = states.newBias != nil, isMasked = states.valid != nil] rule in
        let saved = SavedSteps(
          rule.saved, kind, steps: count, hasBias: hasBias, isMasked: isMasked)
        if rule.isRecording {
          return Tensor.gradient(
            of: { self.joined(self.recorded(saved.states(with: $0))) }, at: saved.inputs,
            upstream: rule.upstream)
        }
        return gradients(rule, saved)
      }
    guard cell != nil else { return (result, nil) }
    return (result.narrowed(over: 0, from: 0, count: count), result[count])
  }

  private func joined(_ results: (output: Tensor, cell: Tensor?)) -> Tensor {
    guard let cell = results.cell else { return results.output }
    return Tensor.concatenated([results.output, cell.unsqueezed(0)], over: 0)
  }

  /// The steps in the order in which they are taken.
  private func order(_ count: Int) -> [Int] {
    isReversed ? Array((0..<count).reversed()) : Array(0..<count)
  }

  private func gradients(_ rule: Backward, _ saved: SavedSteps) -> [Tensor?] {
    let states = saved.states(with: saved.inputs).detached
    let count = states.steps
    let (upstream, results) = (rule.upstream.unbound(), rule.result.detached().unbound())
    let valid = states.valid?.unbound()
    let order = order(count)
    var hidden: Tensor? = nil
    var cell = kind == .lstm ? upstream[count] : nil
    var (gates, products) = (upstream, [Tensor](upstream.prefix(count)))
    gates.removeLast(upstream.count - count)
    for (position, index) in order.enumerated().reversed() {
      let before = position > 0 ? order[position - 1] : nil
      var step = PlainStepGradient(
        kind, saved.steps[index], result: results[index],
        hidden: before.map { results[$0] } ?? states.hidden,
        cell: before.flatMap { saved.steps[$0].last } ?? states.cell,
        upstream: hidden.map { $0 + upstream[index] } ?? upstream[index], cellUpstream: cell,
        isRelu: activations == [.relu])
      if let valid = valid?[index] { step.drop(unless: valid) }
      let all =
        step.gates + (step.inner.map { [$0] } ?? []) + (step.cell.map { [$0] } ?? [])
        + (step.direct.map { [$0] } ?? [])
      Tensor.evaluate(together: all)
      gates[index] = Tensor.concatenated(step.gates, over: 1)
      products[index] =
        step.inner.map {
          Tensor.concatenated(Array(step.gates.dropLast()) + [$0], over: 1)
        } ?? gates[index]
      let back = products[index].matmul(states.recurrent)
      hidden = step.direct.map { back + $0 } ?? back
      cell = step.cell
    }
    let all = Tensor.stacked(gates)
    let product = kind == .gru ? Tensor.stacked(products) : all
    let width = states.hidden.shape[1]
    let biasGradient =
      states.newBias == nil
      ? nil
      : rule.whenNeeded(3) {
        product.narrowed(over: 2, from: 2 * width, count: width).sum(over: 0, 1)
      }
    return [
      all, hidden,
      rule.whenNeeded(2) { weightGradient(product, rule.result.detached(), states.hidden) },
      kind == .lstm ? cell : biasGradient,
    ]
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

/// What ``Recurrence/fast(_:)`` saved for its gradient.
private struct SavedSteps {
  /// The inputs that have gradients.
  let inputs: [Tensor]
  let valid: Tensor?
  /// What each step saved, with the cell at the end.
  let steps: [[Tensor]]
  private let kind: RecurrentKind

  init(_ saved: [Tensor], _ kind: RecurrentKind, steps: Int, hasBias: Bool, isMasked: Bool) {
    let count = 3 + (kind == .lstm ? 1 : 0) + (hasBias ? 1 : 0)
    inputs = Array(saved.prefix(count))
    valid = isMasked ? saved[count] : nil
    let rest = Array(saved.dropFirst(count + (isMasked ? 1 : 0)))
    let each = rest.count / steps
    self.steps = (0..<steps).map { Array(rest[($0 * each)..<(($0 + 1) * each)]) }
    self.kind = kind
  }

  /// The operation's arguments, with these inputs.
  func states(with inputs: [Tensor]) -> RecurrentStates {
    let extra = inputs.count > 3 ? inputs[3] : nil
    return RecurrentStates(
      gates: inputs[0], hidden: inputs[1], cell: kind == .lstm ? extra : nil,
      recurrent: inputs[2], newBias: kind == .gru ? extra : nil, valid: valid)
  }
}

extension RecurrentStates {
  /// The same without histories.
  fileprivate var detached: RecurrentStates {
    var states = self
    states.gates = gates.detached()
    states.hidden = hidden.detached()
    states.cell = cell?.detached()
    states.recurrent = recurrent.detached()
    states.newBias = newBias?.detached()
    return states
  }
}
