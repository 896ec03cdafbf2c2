import NormaTensor

extension Parameter: CustomStringConvertible, CustomReflectable {
  /// The parameter's name if a network has listed it, type, shape, and the values, or their
  /// statistics if there are many.
  ///
  ///     Parameter fc.bias float32 [2]: [ 0.1000, -0.2000]
  ///     Parameter fc.weight float32 [2, 64] mean 0.0003 std 0.0721 range -0.125 ... 0.125, frozen
  public var description: String {
    "Parameter \(cellText(knownName, value))" + (isFrozen ? ", frozen" : "")
  }

  /// Name, value and gradient, for `dump` and debuggers.
  public var customMirror: Mirror {
    Mirror(
      self, children: ["name": knownName as Any, "value": value.detached(), "grad": grad as Any],
      displayStyle: .class)
  }

  private var knownName: String? { Module.namesLock.locked { listedName } }
}

extension Buffer: CustomStringConvertible, CustomReflectable {
  /// The buffer's name if a network has listed it, type, shape, and the values, or their statistics
  /// if there are many.
  public var description: String { "Buffer \(cellText(knownName, value))" }

  /// Name and value, for `dump` and debuggers.
  public var customMirror: Mirror {
    Mirror(self, children: ["name": knownName as Any, "value": value], displayStyle: .class)
  }

  private var knownName: String? { Module.namesLock.locked { listedName } }
}

private let mostValues = 8

private func cellText(_ name: String?, _ value: Tensor) -> String {
  let name = name.map { "\($0) " } ?? ""
  guard value.count <= mostValues, value.count > 0, !value.isPoisoned else {
    return name + value.summary
  }
  var text = value.detached().description
  if let end = text.lastIndex(of: "]") {
    // Without the frame, and on one line.
    text = String(text[...end].dropFirst("tensor(".count))
    text = text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
  }
  return "\(name)\(value.dtype) \(value.shape): \(text)"
}
