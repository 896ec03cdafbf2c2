import NormaTensor

extension Module: CustomStringConvertible {
  /// The class with its options, and below it the submodules with their names and numbers of
  /// parameters.
  ///
  ///     Network(
  ///       (conv): Conv2d(3, 16, kernelSize: 3, padding: 1, bias: false), 432 parameters
  ///       (norm): BatchNorm2d(16, eps: 1e-05, momentum: 0.1), 32 parameters
  ///       (act): ReLU()
  ///     ), 464 parameters
  ///
  /// The options are those of ``optionsDescription``.
  public var description: String {
    children.isEmpty ? description(below: []) : description(below: []) + parameterText
  }

  private func description(below path: [Module]) -> String {
    let head = "\(type(of: self))(\(optionsDescription)"
    let path = path + [self]
    let children = children(below: path)
    if children.isEmpty { return head + ")" }
    let lines = children.map { name, child in
      let text = child.description(below: path) + child.parameterText
      return "  (\(name)): " + text.split(separator: "\n").joined(separator: "\n  ")
    }
    return ([head] + lines + [")"]).joined(separator: "\n")
  }

  private var parameterText: String {
    switch parameterCount {
    case 0: ""
    case 1: ", 1 parameter"
    case let count: ", \(count) parameters"
    }
  }

  /// The stored properties as options, then the shapes of parameters and buffers; see
  /// ``optionsDescription``.
  var storedOptions: OptionText {
    let options = storedProperties.reduce(OptionText()) { text, property in
      guard let name = property.label, !name.hasPrefix("$") else { return text }
      return text.with(name, property.value)
    }
    return ownCells.reduce(options) { $0.with($1.name, $1.value.shape) }
  }
}

/// The options of a module or optimizer as text: values without a name, then `name: value`.
struct OptionText {
  private(set) var text: String

  init(_ values: Any...) {
    text = values.compactMap(Self.text(of:)).joined(separator: ", ")
  }

  /// With another option; without it if the value is nil, or not of a kind that options have.
  func with(_ name: String, _ value: Any) -> OptionText {
    guard let value = Self.text(of: value) else { return self }
    var result = self
    result.text += (text.isEmpty ? "" : ", ") + "\(name): \(value)"
    return result
  }

  /// With another option, unless it has its default value.
  func with<Value>(_ name: String, _ value: Value, unless usual: Value) -> OptionText {
    Self.text(of: value) == Self.text(of: usual) ? self : with(name, value)
  }

  /// Longer lists are not shown.
  private static let longestList = 8

  /// An option as in Swift code; nil for anything that is not an option.
  private static func text(of value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional {
      return mirror.children.first.flatMap { text(of: $0.value) }
    }
    switch value {
    case let value as Momentum: return value.share.map { "\($0)" } ?? ".cumulative"
    case let value as DType: return ".\(value)"
    case let value as String: return "\"\(value)\""
    case is any BinaryInteger, is any BinaryFloatingPoint, is Bool: return "\(value)"
    case is Extents, is ConvolutionPadding, is AdaptiveSize: return "\(value)"
    default: break
    }
    if type(of: value) == [Int].self || type(of: value) == [Double].self {
      return mirror.children.count > longestList ? nil : "\(value)"
    }
    guard mirror.displayStyle == .enum else { return nil }
    return mirror.children.allSatisfy { text(of: $0.value) != nil } ? ".\(value)" : nil
  }
}
