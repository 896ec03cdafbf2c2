/// The operands of recurrent steps in memory, which live as long as this does.
final class RecurrentOperands {
  let steps: RecurrentSteps
  let gates: UnsafeMutableRawPointer, hidden: UnsafeMutableRawPointer
  let cell: UnsafeMutableRawPointer?, valid: UnsafeMutableRawPointer?
  let bias: UnsafeMutableRawPointer?, newBias: UnsafeMutableRawPointer?
  /// The weights, as they are stored or transposed.
  let recurrent: UnsafeMutableRawPointer
  let isTurned: Bool
  /// Other tensors, in their order.
  let further: [UnsafeMutableRawPointer]
  private let tensors: [Tensor]

  /// Nil if one could not be computed for lack of memory.
  init?(_ steps: RecurrentSteps, turning: Bool, and further: [Tensor] = []) {
    let weights = turning ? steps.recurrent.transposed().contiguous() : steps.recurrent
    let optional = [steps.cell, steps.valid, steps.bias, steps.newBias]
    let tensors =
      [steps.gates, steps.hidden, weights] + optional.compactMap { $0 } + further
    func base(_ tensor: Tensor) -> UnsafeMutableRawPointer? {
      let storage = tensor.node.materialize()
      if storage.isMissing { return nil }
      return storage.base + tensor.layout.offset * tensor.dtype.byteCount
    }
    let bases = tensors.compactMap(base)
    guard bases.count == tensors.count else { return nil }
    var rest = bases.dropFirst(3)
    let chosen = optional.map { $0 == nil ? nil : rest.popFirst() }
    self.steps = steps
    (gates, hidden, recurrent) = (bases[0], bases[1], bases[2])
    (cell, valid, bias, newBias) = (chosen[0], chosen[1], chosen[2], chosen[3])
    isTurned = turning
    self.further = Array(rest)
    self.tensors = tensors
  }

  func note(_ name: String, writes results: Tensor.Pack...) {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .recurrence, [name], over: steps.gates.shape,
        reads: tensors.reduce(0) { $0 + $1.touchedBytes },
        writes: results.reduce(0) { $0 + $1.storage.byteCount }))
  }
}
