import NormaTensor

/// The state of one parameter of an optimizer.
struct ParameterSlot {
  /// The number of steps that the parameter has taken.
  var step = 0
  /// The rule's tensors, and ``master``.
  var tensors: [String: Tensor] = [:]
  /// The names of the tensors with no other owner, whose memory a step may overwrite.
  private var owned: Set<String> = []

  /// The `float32` value of a parameter of a half type. It accumulates steps that are too small for
  /// the half type, which would round each of them away.
  static let master = "master"

  /// Records that the tensors may have another owner from now on.
  mutating func share() { owned = [] }

  /// Makes one program of a parameter's step, which reads parameter, gradient and state once, and
  /// writes parameter and state.
  mutating func move(_ parameter: Parameter, by gradient: Tensor, _ rule: some UpdateRule) {
    if let rule = rule as? AdamRule, moveInOneLoop(parameter, by: gradient, rule) { return }
    let stored = parameter.value.detached()
    let type = stored.dtype
    let isHalf = type == .float16 || type == .bfloat16
    var value = stored
    if isHalf {
      value = stored.cast(to: .float32)
      // If the parameter has been set in the meantime, its own value is used.
      if let master = tensors[Self.master] {
        value = .where(master.cast(to: type) .== stored, master, value)
      }
    }
    step += 1
    var state = ParameterState(step: step, tensors: tensors)
    state.tensors[Self.master] = nil
    let moved = rule.moved(value, by: gradient.cast(to: value.dtype), &state)
      .cast(to: value.dtype)
    if isHalf { state.tensors[Self.master] = moved }
    let next = moved.cast(to: type)

    let names = Array(state.tensors.keys)
    let results = names.map { state.tensors[$0] ?? value }
    // Owned by the state alone: created by this step, and under one name only.
    let others = [next, gradient]
    let isOwn = results.indices.map { index in
      results[index].isPending && !others.contains { $0.shares(with: results[index]) }
        && !results.indices.contains { $0 != index && results[$0].shares(with: results[index]) }
    }
    let spent = names.map { name -> Tensor? in
      guard owned.contains(name), let old = tensors[name],
        !results.contains(where: { $0.shares(with: old) }), !next.shares(with: old)
      else { return nil }
      return old
    }
    Tensor.evaluate(together: [next] + results, reusing: [nil] + spent)
    owned = Set(zip(names, isOwn).filter(\.1).map(\.0))
    tensors = state.tensors
    parameter.value = next
  }

  /// Runs Adam's step as a single loop, in place if the value has no other owner; returns false
  /// if the first step, a type or a layout requires a program.
  private mutating func moveInOneLoop(
    _ parameter: Parameter, by gradient: Tensor, _ rule: AdamRule
  ) -> Bool {
    let isAlone = parameter.holdsMemoryAlone()
    let (first, second) = (AdamRule.mean, AdamRule.square)
    guard let mean = tensors[first], let square = tensors[second],
      let loop = rule.loop(step: step + 1),
      let next = Tensor.adamStep(
        loop, value: parameter.value.detached(), gradient: gradient, mean: mean, square: square,
        inPlace: (isAlone, owned.contains(first), owned.contains(second)))
    else { return false }
    step += 1
    tensors[first] = next.mean
    tensors[second] = next.square
    owned.formUnion([first, second])
    parameter.value = next.value
    return true
  }
}
