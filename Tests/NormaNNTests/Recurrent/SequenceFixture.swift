import NormaFiles
import NormaNN
import NormaTensor
import Testing

/// A case of `sequences.safetensors`, which `Tools/make-sequence-fixtures.py` wrote with PyTorch.
struct SequenceFixture {
  let tensors: [String: Tensor]

  init(_ name: String) throws {
    let file = try SafeTensors(contentsOf: fixture("sequences.safetensors"))
    var tensors: [String: Tensor] = [:]
    for key in file.keys where key.hasPrefix(name + "/") {
      tensors[String(key.dropFirst(name.count + 1))] = try file.tensor(named: key)
    }
    #expect(!tensors.isEmpty, "\(name) is not in the file")
    self.tensors = tensors
  }

  /// The tensors whose names begin so, by the rest of the name.
  func all(_ prefix: String) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix + ".") }
        .map { (String($0.key.dropFirst(prefix.count + 1)), $0.value) })
  }

  /// Loads the state, calls the module, and compares results, gradients, and gradients of gradients
  /// where there are any. Returns the worst error relative to max(1, |expected|).
  @discardableResult
  func check(
    _ module: Module, within bound: Double = 1e-12, first: String = "x",
    _ call: ([String: Tensor]) -> [Tensor?]
  ) throws -> Double {
    try module.load(all("state"))
    let inputs = all("in").mapValues { $0.dtype.isFloatingPoint ? $0.requiringGradient() : $0 }
    let outputs = call(inputs).compactMap { $0 }
    var worst = 0.0
    func compare(_ found: Tensor?, _ expected: Tensor, _ name: String) {
      guard let found, found.shape == expected.shape else {
        Issue.record("\(name): \(found?.shape ?? []) instead of \(expected.shape)")
        return
      }
      let error = ((found - expected).abs() / expected.abs().clamped(min: 1.0)).max().item()
      // Written so that NaN fails.
      #expect(error <= bound, "\(name)")
      worst = max(worst, error)
    }
    #expect(outputs.count == all("out").count)
    var loss = Tensor(0, dtype: .float64)
    for (index, output) in outputs.enumerated() {
      if let expected = tensors["out.\(index)"] { compare(output, expected, "out.\(index)") }
      let weights = Tensor.arange(output.count).cast(to: .float64).cos()
      loss = loss + (output.flattened() * weights).sum()
    }
    let parameters = Dictionary(
      uniqueKeysWithValues: module.namedParameters.map { ($0.name, $0.parameter.value) })
    func leaf(_ name: String) -> Tensor? {
      name.hasPrefix("in.")
        ? inputs[String(name.dropFirst(3))] : parameters[String(name.dropFirst(6))]
    }
    let wanted = all("grad").sorted { $0.key < $1.key }
    let again = all("second").sorted { $0.key < $1.key }
    let leaves = wanted.compactMap { leaf($0.key) }
    guard leaves.count == wanted.count, !wanted.isEmpty else {
      Issue.record("gradients \(wanted.map(\.key)) of \(parameters.keys.sorted())")
      return .nan
    }
    let gradients = Tensor.gradient(of: loss, at: leaves, retainGraph: true)
    for ((key, expected), gradient) in zip(wanted, gradients) {
      compare(gradient, expected, "grad.\(key)")
    }
    guard !again.isEmpty, let x = inputs[first] else { return worst }
    let gradient = Tensor.gradient(of: loss, at: [x], createGraph: true)[0]
    let second = Tensor.gradient(
      of: (gradient * gradient).sum(), at: again.compactMap { leaf($0.key) })
    for ((key, expected), found) in zip(again, second) { compare(found, expected, "second.\(key)") }
    return worst
  }

  /// That a module has the state of the case bit for bit, in PyTorch's order, after seed 0.
  func checkInitial(_ make: () -> Module) {
    let state = withSeed(0) { make().stateDict() }
    let expected = all("state")
    #expect(Set(state.keys) == Set(expected.keys))
    for (name, tensor) in expected {
      #expect(state[name]?.array(of: Float.self) == tensor.array(of: Float.self), "\(name)")
    }
  }
}
