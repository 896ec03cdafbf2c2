import NormaNN
import NormaTensor

/// A graph that is ready to run: steps on numbered slots.
final class GraphPlan {
  /// One node.
  struct Step {
    let title: String
    /// The slots of the operands; nil for those left out.
    var inputs: [Int?]
    var outputs: [Int?]
    /// The slots that nothing reads after this step.
    var releases: [Int] = []
    let run: Run
    var role = StepRole.plain
    /// Whether the results follow from the operands alone.
    var isPure = false
    /// Whether the step changes nothing but its results.
    var isQuiet = true

    /// The results; a mistake of a tensor's call names the node.
    func results(_ operands: Operands) throws -> [Value] {
      do {
        return try run(operands)
      } catch let error as TensorError {
        report(error, file: #fileID, line: #line)
        // Throws the error that was reported, with the node.
        return [.tensor(try Tensor.poisoned.validated())]
      }
    }
  }

  /// The operator of a node: operands to results.
  typealias Run = (Operands) throws -> [Value]

  var steps: [Step] = []
  /// The constants, at their slots.
  var constants: [(slot: Int, constant: Constant)] = []
  var inputs: [Int] = []
  var outputs: [Int] = []
  /// Slots that take values of the enclosing graph, and their slots there.
  var captures: [(outer: Int, slot: Int)] = []
  private var template: [Value?] = []
  private(set) var parameters: [(slot: Int, parameter: Parameter)] = []
  private var evaluation: EvaluationPlan?

  /// The slots and their constants.
  var slotsWithConstants: [Value?] { template }

  /// Prepares the slots and finds out when values can be released.
  func finish(slots: Int, options: ONNXModel.Options) {
    template = [Value?](repeating: nil, count: slots)
    for (slot, constant) in constants {
      if let parameter = constant.parameter {
        parameters.append((slot, parameter))
      } else {
        template[slot] = constant.value
      }
    }
    let unused = inputs + captures.map(\.slot)
    Self.release(&steps, keeping: outputs + constants.map(\.slot), unused)
    if options.removesIdentities || options.foldsNorms || options.preparesWeights {
      evaluation = EvaluationPlan(self, options)
    }
  }

  /// Marks the last use of each slot; `given` ones may have none.
  static func release(_ steps: inout [Step], keeping kept: [Int], _ given: [Int]) {
    let kept = Set(kept)
    var last: [Int: Int] = [:]
    for (index, step) in steps.enumerated() {
      steps[index].releases = []
      for slot in step.inputs + step.outputs { if let slot { last[slot] = index } }
    }
    for slot in given where last[slot] == nil { last[slot] = 0 }
    for (slot, index) in last where !kept.contains(slot) && index < steps.count {
      steps[index].releases.append(slot)
    }
  }

  /// The titles of the steps that run in evaluation without gradients.
  func evaluationSteps() throws -> [String] {
    (try evaluation?.prepared()?.steps ?? steps).map(\.title)
  }

  /// Runs the graph.
  ///
  /// - Parameters:
  ///   - given: the inputs in the graph's order.
  ///   - outer: the values of the enclosing graph that are captured.
  func run(_ given: [Value], outer: [Value] = [], in call: ModelCall) throws -> [Value] {
    if call.isEvaluation, let prepared = try evaluation?.prepared() {
      var slots = prepared.slots
      for (slot, value) in zip(prepared.inputs, given) { slots[slot] = value }
      for (slot, value) in zip(prepared.captures, outer) { slots[slot] = value }
      return try run(prepared.steps, &slots, results: prepared.outputs, call)
    }
    if call.isTraining { evaluation?.forget() }
    var slots = template
    for (slot, parameter) in parameters { slots[slot] = .tensor(parameter.value) }
    for (slot, value) in zip(inputs, given) { slots[slot] = value }
    for (capture, value) in zip(captures, outer) { slots[capture.slot] = value }
    return try run(steps, &slots, results: outputs, call)
  }

  private func run(
    _ steps: [Step], _ slots: inout [Value?], results: [Int], _ call: ModelCall
  ) throws -> [Value] {
    for step in steps {
      call.node = step.title
      let operands = Operands(
        values: step.inputs.map { $0.flatMap { slots[$0] } }, title: step.title, call: call)
      for slot in step.releases { slots[slot] = nil }
      let results = try step.results(operands)
      for (slot, value) in zip(step.outputs, results) {
        if case .tensor(let tensor) = value { _ = try tensor.validated() }
        if let slot { slots[slot] = value }
      }
      // Results that nothing reads.
      for slot in step.releases { slots[slot] = nil }
    }
    return try results.map { slot in
      guard let value = slots[slot] else {
        throw ONNXError.node(call.node, "makes no value for an output of its graph")
      }
      return value
    }
  }
}

/// One call of a model.
final class ModelCall {
  let isTraining: Bool
  /// Whether it is an evaluation without gradients, in which no batch norm is observed.
  let isEvaluation: Bool
  /// The node that runs, for messages.
  var node = ""

  init(isTraining: Bool, isEvaluation: Bool = false) {
    self.isTraining = isTraining
    self.isEvaluation = isEvaluation
  }
}

/// A constant of the model. It becomes a parameter if it is a weight.
final class Constant {
  let name: String
  let value: Value
  var parameter: Parameter?

  init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }
}

/// The operands of a node in one call.
struct Operands {
  let values: [Value?]
  let title: String
  let call: ModelCall

  /// Whether an operand is there.
  func has(_ index: Int) -> Bool { index < values.count && values[index] != nil }

  func value(_ index: Int) throws -> Value {
    guard index < values.count, let value = values[index] else {
      throw failure("operand \(index) is missing")
    }
    return value
  }

  func tensor(_ index: Int) throws -> Tensor { try value(index).tensor }

  /// An operand that may be left out.
  func optional(_ index: Int) -> Tensor? { index < values.count ? values[index]?.tensor : nil }

  /// The elements of an operand as integers; nil if it is left out.
  func integers(_ index: Int) -> [Int]? { index < values.count ? values[index]?.integers : nil }

  /// The first element of an operand as a number; nil if it is left out.
  func number(_ index: Int) throws -> Double? {
    guard index < values.count, let value = values[index] else { return nil }
    if case .host(let integers) = value, let first = integers.values.first { return Double(first) }
    let tensor = value.tensor
    guard tensor.count == 1 else { throw failure("operand \(index) is not one number") }
    return tensor.item()
  }

  func failure(_ reason: String) -> ONNXError { .node(title, reason) }
}
