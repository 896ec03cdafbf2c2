import NormaNN
import NormaTensor

/// The passes that make the steps of an ``EvaluationPlan``.
struct EvaluationPasses {
  /// A parameter or buffer whose value is in a slot.
  struct Weight {
    let slot: Int
    let cell: Cell

    var value: Tensor {
      switch cell {
      case .parameter(let parameter): parameter.value
      case .buffer(let buffer): buffer.value
      }
    }
  }

  /// What changes in training.
  enum Cell {
    case parameter(Parameter)
    case buffer(Buffer)
  }

  /// What the results follow from, beside the inputs.
  private(set) var weights: [Weight]
  /// The steps of a call.
  private(set) var steps: [GraphPlan.Step]
  /// The steps that run when weights change.
  private var preparations: [GraphPlan.Step] = []
  private(set) var outputs: [Int]
  /// The slots of a call that take its inputs, and the values of the enclosing graph.
  private(set) var inputs: [Int] = []
  private(set) var captures: [Int] = []
  /// The slots of a call, in the numbers of the plan.
  private var used: [Int] = []
  /// Constants, and room for everything else.
  private var template: [Value?]
  private unowned let plan: GraphPlan

  init(_ plan: GraphPlan, _ options: ONNXModel.Options) throws {
    self.plan = plan
    template = plan.slotsWithConstants
    steps = plan.steps
    outputs = plan.outputs
    weights = plan.parameters.map { Weight(slot: $0.slot, cell: .parameter($0.parameter)) }
    if options.removesIdentities { removeIdentities() }
    if options.preparesWeights { separatePreparations() }
    if options.foldsNorms { try foldNorms() }
    removeUnused()
    let constant =
      plan.constants.map(\.slot) + preparations.flatMap { $0.outputs.compactMap(\.self) }
    GraphPlan.release(
      &steps, keeping: outputs + constant + weights.map(\.slot),
      plan.inputs + plan.captures.map(\.slot))
    number()
  }

  /// Gives the slots that calls use new numbers, so that no call copies the others.
  private mutating func number() {
    var numbers: [Int: Int] = [:]
    var used: [Int] = []
    func new(_ slot: Int) -> Int {
      if let known = numbers[slot] { return known }
      numbers[slot] = used.count
      used.append(slot)
      return used.count - 1
    }
    inputs = plan.inputs.map(new)
    captures = plan.captures.map { new($0.slot) }
    for index in steps.indices {
      steps[index].inputs = steps[index].inputs.map { $0.map(new) }
      steps[index].outputs = steps[index].outputs.map { $0.map(new) }
      steps[index].releases = steps[index].releases.map(new)
    }
    outputs = outputs.map(new)
    self.used = used
  }

  /// The slots of a call with what follows from these weights; nil if a value does not exist.
  func prepared(_ values: [Tensor]) -> EvaluationPlan.Prepared? {
    slots(values).map { slots in
      EvaluationPlan.Prepared(
        steps: steps, slots: used.map { slots[$0] }, inputs: inputs, captures: captures,
        outputs: outputs)
    }
  }

  private func slots(_ values: [Tensor]) -> [Value?]? {
    var slots = template
    for (weight, value) in zip(weights, values) { slots[weight.slot] = .tensor(value.detached()) }
    return try? catchingTensorErrors {
      for step in preparations { try run(step, &slots) }
      return slots
    }
  }

  private func run(_ step: GraphPlan.Step, _ slots: inout [Value?]) throws {
    let call = ModelCall(isTraining: false)
    let operands = Operands(
      values: step.inputs.map { $0.flatMap { slots[$0] } }, title: step.title, call: call)
    for (slot, value) in zip(step.outputs, try step.run(operands)) {
      guard let slot else { continue }
      if case .tensor(let tensor) = value {
        slots[slot] = .tensor(try tensor.validated().evaluated())
      } else {
        slots[slot] = value
      }
    }
  }

  /// Reads what passes a value on in its place.
  private mutating func removeIdentities() {
    var names: [Int: Int] = [:]
    func source(_ slot: Int) -> Int { names[slot] ?? slot }
    var rest: [GraphPlan.Step] = []
    for var step in steps {
      step.inputs = step.inputs.map { $0.map(source) }
      if case .passing = step.role, let input = step.inputs.first.flatMap(\.self),
        let output = step.outputs.first.flatMap(\.self)
      {
        names[output] = input
      } else {
        rest.append(step)
      }
    }
    steps = rest
    outputs = outputs.map(source)
  }

  /// Moves the steps that depend on weights and constants alone out of the calls.
  private mutating func separatePreparations() {
    var known = Set(plan.constants.map(\.slot))
    var rest: [GraphPlan.Step] = []
    for step in steps {
      let inputs = step.inputs.compactMap(\.self)
      if step.isPure && !inputs.isEmpty && inputs.allSatisfy(known.contains) {
        known.formUnion(step.outputs.compactMap(\.self))
        preparations.append(step)
      } else {
        rest.append(step)
      }
    }
    steps = rest
  }

  /// Folds maps of channels into the products before them.
  private mutating func foldNorms() throws {
    let values = weights.map(\.value)
    // Without values nothing is known about shapes.
    guard let known = slots(values) else { return }
    var uses: [Int: Int] = [:]
    for slot in steps.flatMap(\.inputs) + outputs { if let slot { uses[slot, default: 0] += 1 } }
    var products: [Int: ChannelFold] = [:]
    var rest: [GraphPlan.Step?] = []
    for step in steps {
      rest.append(step)
      if let output = step.outputs.first.flatMap(\.self),
        let fold = ChannelFold(step, at: rest.count - 1, known)
      {
        products[output] = fold
      } else if let (input, map) = ChannelFold.map(step, known), uses[input] == 1,
        let output = step.outputs.first.flatMap(\.self),
        let fold = products[input]?.adding(map, known)
      {
        products[input] = nil
        products[output] = fold
        rest[rest.count - 1] = nil
      }
    }
    for (output, fold) in products where !fold.maps.isEmpty {
      var step = fold.step
      let made = template.count
      template += [nil, nil]
      for case .norm(let layer) in fold.maps { addState(of: layer) }
      preparations.append(
        GraphPlan.Step(
          title: step.title, inputs: fold.operands, outputs: [made, made + 1], run: fold.run))
      step.inputs[1] = made
      if fold.product.takesBias {
        while step.inputs.count < 3 { step.inputs.append(nil) }
        step.inputs[2] = made + 1
      }
      step.outputs[0] = output
      rest[fold.index] = step
    }
    steps = rest.compactMap(\.self)
  }

  /// Looks at the state of a layer in each call.
  private mutating func addState(of layer: BatchNorm) {
    let parameters = [layer.weight, layer.bias].compactMap(\.self).map(Cell.parameter)
    let buffers = [layer.runningMean, layer.runningVar].compactMap(\.self).map(Cell.buffer)
    for cell in parameters + buffers {
      weights.append(Weight(slot: template.count, cell: cell))
      template.append(nil)
    }
  }

  /// Drops steps whose results nothing reads.
  private mutating func removeUnused() {
    func needed(_ steps: [GraphPlan.Step], _ read: inout Set<Int>) -> [GraphPlan.Step] {
      var rest: [GraphPlan.Step] = []
      for step in steps.reversed() {
        let results = step.outputs.compactMap(\.self)
        if step.isQuiet && results.allSatisfy({ !read.contains($0) }) { continue }
        read.formUnion(step.inputs.compactMap(\.self))
        rest.append(step)
      }
      return rest.reversed()
    }
    var read = Set(outputs)
    steps = needed(steps, &read)
    preparations = needed(preparations, &read)
  }
}
