/// Finds layer norms that exporters wrote as their steps, and makes one operator of each: the norm
/// becomes a layer and runs in one pass over memory.
///
/// The steps: c = x - mean(x); c / sqrt(mean(c²) + eps) * weight + bias, over the last axes.
struct LayerNormPass {
  let patterns: GraphPatterns

  /// The nodes, with a `LayerNormalization` in the place of the last step of each.
  func nodes() -> [NodeProto] { patterns.replacing { $0.op == "Add" ? match($0) : nil } }

  /// The norm that ends in an addition.
  private func match(_ last: NodeProto) -> GraphPatterns.Match? {
    guard let (scaled, bias) = weighted(last, by: "Mul"),
      let (divided, weight) = weighted(scaled, by: "Div"),
      let shape = patterns.constantShape(weight), patterns.constantShape(bias) == shape,
      divided.inputs.count == 2, let centered = patterns.maker(divided.inputs[0], "Sub"),
      let root = patterns.maker(divided.inputs[1], "Sqrt"), centered.inputs.count == 2,
      let sum = root.inputs.first.flatMap({ patterns.maker($0, "Add") }),
      let (eps, varianceName) = patterns.sum(sum),
      let variance = patterns.maker(varianceName, "ReduceMean"),
      let square = variance.inputs.first.flatMap({ patterns.maker($0) }),
      let squared = squared(by: square), let inner = patterns.maker(squared, "Sub"),
      inner.inputs == centered.inputs,
      let mean = patterns.maker(centered.inputs[1], "ReduceMean"),
      let x = centered.inputs.first, mean.inputs.first == x
    else { return nil }
    let axes = (0..<shape.count).map { $0 - shape.count }
    guard axes == patterns.axes(of: mean), axes == patterns.axes(of: variance) else { return nil }
    let steps = [scaled, divided, centered, root, sum, variance, square, inner, mean]
    var match = GraphPatterns.Match(
      last, "LayerNormalization", [x, weight, bias], steps.compactMap(\.outputs.first))
    match.node.attributes = [
      AttributeProto("axis", .int(Int64(-shape.count))),
      AttributeProto("epsilon", .float(Float(eps))),
    ]
    return match
  }

  /// The maker of one operand, which is an `op`, and the constant that is the other.
  private func weighted(_ node: NodeProto, by op: String) -> (NodeProto, constant: String)? {
    guard node.inputs.count == 2 else { return nil }
    for (value, constant) in [(0, 1), (1, 0)]
    where patterns.constantShape(node.inputs[constant]) != nil {
      if let found = patterns.maker(node.inputs[value], op) {
        return (found, node.inputs[constant])
      }
    }
    return nil
  }

  /// What a node squares, if it does.
  private func squared(by node: NodeProto) -> String? {
    guard node.inputs.count == 2 else { return nil }
    switch node.op {
    case "Pow": return patterns.number(node.inputs[1]) == 2 ? node.inputs[0] : nil
    case "Mul": return node.inputs[0] == node.inputs[1] ? node.inputs[0] : nil
    default: return nil
    }
  }
}
