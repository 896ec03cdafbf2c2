/// How formulas are written: in PyTorch's or Norma's notation.
struct Notation {
  enum Library { case pytorch, norma }

  let library: Library
  /// Whether reduced axes are kept, as running code needs; short formulas omit this.
  let keepsAxes: Bool

  /// For readers: PyTorch's notation without details that only the computer needs.
  static let short = Notation(library: .pytorch, keepsAxes: false)
  static let pytorch = Notation(library: .pytorch, keepsAxes: true)
  static let norma = Notation(library: .norma, keepsAxes: true)

  private var isPyTorch: Bool { library == .pytorch }

  /// The name of the variance, as `var` is a keyword of Swift.
  var variance: String { isPyTorch ? "var" : "variance" }

  /// A line that assigns a value to a name.
  func line(_ name: String, _ value: String) -> String {
    isPyTorch ? "\(name) = \(value)" : "let \(name) = \(value)"
  }

  /// A comment at the end of a line, or on a line of its own.
  func remark(_ words: String) -> String { (isPyTorch ? "# " : "// ") + words }

  /// `x.mean((0, 2, 3), keepdim=True)`; only variances and deviations have a correction.
  func reduced(_ value: String, _ name: String, over axes: [Int], correction: Int? = nil) -> String
  {
    let name = !isPyTorch && name == "var" ? "variance" : name
    var arguments: [String] = []
    if isPyTorch {
      arguments.append(axes.count == 1 ? "\(axes[0])" : list(axes))
      if let correction, correction != 1 { arguments.append("correction=\(correction)") }
      if keepsAxes { arguments.append("keepdim=True") }
    } else {
      arguments.append("over: " + axes.map(String.init).joined(separator: ", "))
      if let correction, correction != 1 { arguments.append("correction: \(correction)") }
      if keepsAxes { arguments.append("keepDims: true") }
    }
    return "\(value).\(name)(\(arguments.joined(separator: ", ")))"
  }

  /// The name of the call that reshapes a tensor.
  var reshape: String { isPyTorch ? "reshape" : "reshaped" }

  func reshaped(_ value: String, _ shape: [Int]) -> String {
    "\(value).\(reshape)(\(shape.map(String.init).joined(separator: ", ")))"
  }

  func squared(_ value: String) -> String { isPyTorch ? "\(value) ** 2" : "\(value).squared()" }

  /// The square root of a sum, which needs parentheses, or of a name.
  func root(_ value: String) -> String {
    value.contains(" ") ? "(\(value)).sqrt()" : "\(value).sqrt()"
  }

  func atLeast(_ value: String, _ bound: String) -> String {
    isPyTorch ? "\(value).clamp(min=\(bound))" : "\(value).clamped(min: \(bound))"
  }

  func rectified(_ value: String) -> String {
    isPyTorch ? "torch.relu(\(value))" : "(\(value)).relu()"
  }

  func cast(_ value: String, to type: String) -> String {
    let value = value.contains(" ") ? "(\(value))" : value
    return isPyTorch ? "\(value).to(torch.\(type))" : "\(value).cast(to: .\(type))"
  }

  /// A parameter or buffer of a layer, in the shape that broadcasts to the input; nil for its own
  /// shape.
  func cell(_ name: String, of layer: String, view: [Int]?) -> String {
    if !keepsAxes { return name }
    let swift = ["running_mean": "runningMean", "running_var": "runningVar"][name] ?? name
    let cell = isPyTorch ? "\(layer).\(name)" : "\(layer).\(swift)!.value"
    guard let view else { return cell }
    let sizes = view.map(String.init).joined(separator: ", ")
    return isPyTorch ? "\(cell).view(\(sizes))" : "\(cell).reshaped(\(sizes))"
  }
}
