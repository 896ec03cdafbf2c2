import NormaTensor

/// The differences between a state and a module's names and shapes.
public struct LoadReport: Sendable, Hashable, CustomStringConvertible {
  /// Names that the module has and the state lacks.
  public internal(set) var missing: [String] = []
  /// Names that the state has and the module lacks.
  public internal(set) var unexpected: [String] = []
  /// Values of a different shape: `fc.weight: shape [10, 64] in the state, [10, 32] in the module`.
  public internal(set) var misshapen: [String] = []

  /// Names of the state that were mapped to the same name: `a.weight, module.a.weight as a.weight`.
  public internal(set) var doubled: [String] = []

  /// Whether there are no differences.
  public var isEmpty: Bool {
    missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty && doubled.isEmpty
  }

  /// One line for each kind of difference.
  public var description: String {
    var lines: [String] = []
    if !missing.isEmpty { lines.append("missing: \(missing.joined(separator: ", "))") }
    if !unexpected.isEmpty { lines.append("unexpected: \(unexpected.joined(separator: ", "))") }
    if !doubled.isEmpty { lines.append("doubled: \(doubled.joined(separator: "; "))") }
    if !misshapen.isEmpty { lines.append("misshapen: \(misshapen.joined(separator: "; "))") }
    return lines.joined(separator: "\n")
  }
}

/// A state that does not fit a module; nothing was loaded.
public struct LoadError: Error, Sendable, CustomStringConvertible {
  /// What does not fit.
  public let report: LoadReport

  /// The error with these differences.
  package init(report: LoadReport) { self.report = report }

  /// The differences, and how to proceed.
  public var description: String {
    "the state does not fit the module; nothing was loaded\n\(report)\n"
      + "strict: false loads what fits; strippingPrefix: removes a prefix such as \"module.\"; "
      + "renaming: maps names"
  }
}

extension Module {
  /// Sets parameters and buffers to the values of a state, converted to their types.
  ///
  /// `num_batches_tracked` may be missing, as in states of old PyTorch versions. Gradients and
  /// modes do not change. PyTorch: `load_state_dict(state, strict)`.
  /// - Parameters:
  ///   - state: values by name: a ``NormaTensor/StateDict``, or a dictionary.
  ///   - strict: whether missing and unexpected names are errors; wrong shapes and two values for
  ///     one name always are.
  ///   - prefix: a prefix to remove from every name that has it: `"module."` for states saved from
  ///     `DataParallel`.
  ///   - renaming: maps a name of the state, without the prefix, to the module's name: `{
  ///     $0.replacing("gamma", with: "weight") }`.
  /// - Returns: the missing and unexpected names, if these are allowed.
  /// - Throws: ``LoadError``; then nothing was changed.
  @discardableResult
  public func load(
    _ state: some Sequence<(key: String, value: Tensor)>, strict: Bool = true,
    strippingPrefix prefix: String = "",
    renaming: (String) throws -> String = { $0 }
  ) throws -> LoadReport {
    var given: [String: Tensor] = [:]
    var origins: [String: [String]] = [:]
    for (name, value) in state {
      let short = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
      let new = try renaming(short)
      given[new] = value
      origins[new, default: []].append(name)
    }
    var report = LoadReport()
    report.doubled = origins.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map {
      "\($0.value.sorted().joined(separator: ", ")) as \($0.key)"
    }
    var changes: [(cell: Cell, value: Tensor)] = []
    let cells = cells
    for (name, cell) in cells {
      guard let value = given[name] else {
        if !name.hasSuffix("num_batches_tracked") { report.missing.append(name) }
        continue
      }
      let shape = cell.tensor.shape
      // A scalar may have been saved as a vector of one element. A lazy layer takes its size from
      // the state.
      let fits = value.shape == shape || value.count == 1 && shape == []
      guard fits || shape == [0] && value.rank == 1 else {
        report.misshapen.append(
          "\(name): shape \(value.shape) in the state, \(shape) in the module")
        continue
      }
      changes.append(
        (
          cell,
          value.detached().reshaped(shape == [0] ? value.shape : shape).cast(to: cell.tensor.dtype)
        ))
    }
    let known = Set(cells.map(\.name))
    report.unexpected = given.keys.filter { !known.contains($0) }.sorted()
    let isWrong = !report.misshapen.isEmpty || !report.doubled.isEmpty || strict && !report.isEmpty
    if isWrong { throw LoadError(report: report) }
    for (cell, value) in changes { cell.set(value.evaluated()) }
    return report
  }

  /// The number of elements of all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }
}
