/// Finds activations that exporters wrote as their steps, and makes one operator of each:
///
/// - SiLU: x sigmoid(β x);
/// - hard-swish: x clip(x + 3, 0, 6) / 6, or x hardsigmoid(x) with slope 1/6;
/// - GELU: x (1 + erf(x / √2)) / 2, or x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2;
/// - softmax: exp(x - max(x)) divided by its sum, over one axis.
///
/// Factors may have any order, and be divisors.
struct ActivationPass {
  let patterns: GraphPatterns

  /// The nodes, with an operator in the place of the last step of each activation.
  func nodes() -> [NodeProto] {
    patterns.replacing { node in
      switch node.op {
      case "Mul": gated(node)
      case "Div": gated(node) ?? softmax(node)
      default: nil
      }
    }
  }

  /// A product as its factors: one number, and other values.
  private struct Factors {
    var number = 1.0
    var values: [String] = []
    /// The products inside.
    var inside: [String] = []
  }

  /// More factors than any activation has.
  private static let most = 4

  /// The factors of a product; nil for other nodes.
  private func factors(_ node: NodeProto) -> Factors? {
    guard node.op == "Mul" || node.op == "Div", node.inputs.count == 2 else { return nil }
    var result = Factors()
    if node.op == "Div" {
      guard let divisor = patterns.number(node.inputs[1]) else { return nil }
      result.number = 1 / divisor
    }
    for name in node.op == "Div" ? [node.inputs[0]] : node.inputs {
      if let number = patterns.number(name) {
        result.number *= number
        continue
      }
      // A product that is used once is a part of this one.
      let inner = patterns.useCount(name) == 1 ? patterns.maker(name).flatMap(factors) : nil
      result.number *= inner?.number ?? 1
      result.values += inner?.values ?? [name]
      result.inside += inner.map { $0.inside + [name] } ?? []
      if result.values.count > Self.most { return nil }
    }
    return result
  }

  /// The factors of a value, which may be a product.
  private func factors(_ name: String) -> Factors {
    if let node = patterns.maker(name), var found = factors(node) {
      found.inside.append(name)
      return found
    }
    return Factors(values: [name])
  }

  private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-6 * abs(b) }

  /// An activation that is its input times a gate.
  private func gated(_ last: NodeProto) -> GraphPatterns.Match? {
    guard let product = factors(last), product.values.count == 2 else { return nil }
    for (x, gate) in [(0, 1), (1, 0)].map({ (product.values[$0.0], product.values[$0.1]) }) {
      guard let node = patterns.maker(gate),
        var match = match(last, x, node, by: product.number)
      else { continue }
      match.inside += product.inside + [gate]
      return match
    }
    return nil
  }

  private func match(
    _ last: NodeProto, _ x: String, _ gate: NodeProto, by number: Double
  ) -> GraphPatterns.Match? {
    guard let operand = gate.inputs.first else { return nil }
    switch gate.op {
    case "Sigmoid" where number == 1:
      let scaled = factors(operand)
      guard scaled.values == [x] else { return nil }
      var match = GraphPatterns.Match(last, "Swish", [x], scaled.inside)
      match.node.attributes = [AttributeProto("alpha", .float(Float(scaled.number)))]
      return match
    case "HardSigmoid" where number == 1 && operand == x:
      guard isNear(gate.float("alpha") ?? 0.2, 1 / 6), gate.float("beta") ?? 0.5 == 0.5 else {
        return nil
      }
      return GraphPatterns.Match(last, "HardSwish", [x], [])
    case "Clip" where isNear(number, 1 / 6):
      guard isFromZeroToSix(gate), let sum = patterns.maker(operand, "Add"),
        let (three, other) = patterns.sum(sum), three == 3, other == x
      else { return nil }
      return GraphPatterns.Match(last, "HardSwish", [x], [operand])
    case "Add" where isNear(number, 0.5):
      guard let (one, other) = patterns.sum(gate), one == 1,
        let function = patterns.maker(other), let inner = function.inputs.first
      else { return nil }
      let kind: String
      var inside: [String]?
      switch function.op {
      case "Erf":
        let scaled = factors(inner)
        inside =
          isNear(scaled.number, 0.5.squareRoot()) && scaled.values == [x]
          ? scaled.inside : nil
        kind = "none"
      case "Tanh":
        inside = cubic(inner, of: x)
        kind = "tanh"
      default: return nil
      }
      guard let inside else { return nil }
      var match = GraphPatterns.Match(last, "Gelu", [x], inside + [other])
      match.node.attributes = [AttributeProto("approximate", .string(kind))]
      return match
    default: return nil
    }
  }

  /// Whether a node clips to 0 ... 6, by attributes or operands.
  private func isFromZeroToSix(_ clip: NodeProto) -> Bool {
    func bound(_ name: String, _ index: Int) -> Double? {
      clip.float(name) ?? (index < clip.inputs.count ? patterns.number(clip.inputs[index]) : nil)
    }
    return bound("min", 1) == 0 && bound("max", 2) == 6
  }

  /// The values inside of √(2/π) (x + 0.044715 x³); nil if a value is something else.
  private func cubic(_ name: String, of x: String) -> [String]? {
    let scaled = factors(name)
    guard isNear(scaled.number, (2 / Double.pi).squareRoot()), scaled.values.count == 1,
      let sum = patterns.maker(scaled.values[0], "Add"), sum.inputs.count == 2
    else { return nil }
    for (first, second) in [(0, 1), (1, 0)] where sum.inputs[first] == x {
      let cube = factors(sum.inputs[second])
      guard isNear(cube.number, 0.044715) else { continue }
      let inside = scaled.inside + scaled.values + cube.inside
      if cube.values == [x, x, x] { return inside }
      if cube.values.count == 1, let power = patterns.maker(cube.values[0], "Pow"),
        power.inputs.count == 2, power.inputs[0] == x, patterns.number(power.inputs[1]) == 3
      {
        return inside + cube.values
      }
    }
    return nil
  }

  private func softmax(_ last: NodeProto) -> GraphPatterns.Match? {
    guard last.inputs.count == 2, let power = patterns.maker(last.inputs[0], "Exp"),
      let sum = patterns.maker(last.inputs[1], "ReduceSum"), sum.inputs.first == last.inputs[0],
      let difference = power.inputs.first.flatMap({ patterns.maker($0, "Sub") }),
      difference.inputs.count == 2, let most = patterns.maker(difference.inputs[1], "ReduceMax"),
      let x = difference.inputs.first, most.inputs.first == x,
      let axes = patterns.axes(of: sum), axes.count == 1, patterns.axes(of: most) == axes
    else { return nil }
    var match = GraphPatterns.Match(
      last, "Softmax", [x], last.inputs + power.inputs.prefix(1) + [difference.inputs[1]])
    match.node.attributes = [AttributeProto("axis", .int(Int64(axes[0])))]
    // The operator along one axis, not along all from it on.
    match.node.version = 13
    return match
  }
}
