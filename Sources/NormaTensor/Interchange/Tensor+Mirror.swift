extension Tensor: CustomReflectable {
  /// What `dump` and debuggers show: type, shape, whether gradients flow, and the values, or their
  /// statistics if there are many. Evaluates the tensor.
  public var customMirror: Mirror {
    var children: [Mirror.Child] = [("dtype", dtype), ("shape", shape)]
    if hasHistory { children.append(("requiresGrad", true)) }
    children.append(isPoisoned || count > Self.mostReflected ? ("summary", summary) : values)
    return Mirror(self, children: children, displayStyle: .struct)
  }

  private static let mostReflected = 16

  /// What ``description`` adds if gradients flow through the tensor.
  var gradientSuffix: String { hasHistory ? ", requiresGrad=True" : "" }

  private var values: Mirror.Child {
    switch dtype {
    case .bool: ("values", array(of: Bool.self))
    case .uint64: ("values", array(of: UInt64.self))
    case let type where type.isInteger: ("values", array(of: Int64.self))
    default: ("values", array(of: Double.self))
    }
  }
}
