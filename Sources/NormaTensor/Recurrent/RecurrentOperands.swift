/// The operands of recurrent steps, evaluated.
struct RecurrentOperands {
  let memory: [KernelMemory]
  private let tensors: [Tensor]
  private let steps: RecurrentSteps
  private let isTurned: Bool

  /// Nil if one could not be computed for lack of memory.
  init?(_ steps: RecurrentSteps, turning: Bool, and further: [Tensor] = []) {
    let weights = turning ? steps.recurrent.transposed().contiguous() : steps.recurrent
    tensors =
      [steps.gates, steps.hidden, weights]
      + [steps.cell, steps.valid, steps.bias, steps.newBias].compactMap { $0 } + further
    memory = tensors.map { $0.memory() }
    if memory.contains(where: \.storage.isMissing) { return nil }
    (self.steps, isTurned) = (steps, turning)
  }

  /// What does not depend on where they are.
  var form: RecurrentForm { RecurrentForm(steps, isTurned: isTurned) }

  func note(_ name: String, writes results: Tensor.Pack...) {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .recurrence, [name], over: steps.gates.shape,
        reads: tensors.reduce(0) { $0 + $1.touchedBytes },
        writes: results.reduce(0) { $0 + $1.storage.byteCount }))
  }
}

/// The sizes of recurrent steps, and which operands there are.
struct RecurrentForm: Sendable {
  let formula: RecurrentFormula
  let steps: Int, batch: Int, width: Int
  let dtype: DType
  let isReversed: Bool
  let isTurned: Bool
  fileprivate let isGiven: [Bool]

  init(_ steps: RecurrentSteps, isTurned: Bool) {
    formula = steps.formula
    (self.steps, batch, width, dtype) = (steps.steps, steps.batch, steps.width, steps.dtype)
    isReversed = steps.isReversed
    self.isTurned = isTurned
    isGiven = [steps.cell, steps.valid, steps.bias, steps.newBias].map { $0 != nil }
  }
}

/// The operands of recurrent steps in memory.
struct RecurrentMemory {
  let gates: UnsafeMutableRawPointer, hidden: UnsafeMutableRawPointer
  let cell: UnsafeMutableRawPointer?, valid: UnsafeMutableRawPointer?
  let bias: UnsafeMutableRawPointer?, newBias: UnsafeMutableRawPointer?
  /// The weights, as they are stored or transposed.
  let recurrent: UnsafeMutableRawPointer
  /// Other tensors, in their order.
  let further: KernelAddresses

  /// The memory of ``RecurrentOperands``.
  init(_ form: RecurrentForm, at addresses: KernelAddresses) {
    (gates, hidden, recurrent) = (addresses[0], addresses[1], addresses[2])
    var next = addresses + 3
    let chosen = form.isGiven.map { isGiven -> UnsafeMutableRawPointer? in
      if !isGiven { return nil }
      next += 1
      return next[-1]
    }
    (cell, valid, bias, newBias) = (chosen[0], chosen[1], chosen[2], chosen[3])
    further = next
  }
}
