import NormaTensor

extension OperatorTable {
  static var resizing: Entries {
    [
      "Resize": resize,
      "Upsample": { node in
        let mode = try node.string("mode", "nearest")
        let scales = try node.floats("scales")
        let rule = try ResizeRule(mode, node, coordinates: "asymmetric", nearest: "floor")
        return { operands in
          let x = try operands.tensor(0)
          let given = scales ?? operands.optional(1)?.array(of: Double.self) ?? []
          return [.tensor(try rule.resized(x, scales: given, sizes: nil, roi: nil, operands))]
        }
      },
    ]
  }

  private static func resize(_ node: NodeContext) throws -> GraphPlan.Run {
    let mode = try node.string("mode", "nearest")
    let isOld = node.opset < 11
    let rule = try ResizeRule(
      mode, node, coordinates: isOld ? "asymmetric" : "half_pixel",
      nearest: isOld ? "floor" : "round_prefer_floor")
    return { operands in
      let x = try operands.tensor(0)
      func numbers(_ index: Int) -> [Double]? {
        guard let values = operands.optional(index)?.array(of: Double.self), !values.isEmpty
        else { return nil }
        return values
      }
      if isOld {
        return [
          .tensor(
            try rule.resized(x, scales: numbers(1), sizes: nil, roi: nil, operands))
        ]
      }
      let sizes = operands.integers(3).flatMap { $0.isEmpty ? nil : $0 }
      return [
        .tensor(
          try rule.resized(x, scales: numbers(2), sizes: sizes, roi: numbers(1), operands))
      ]
    }
  }
}

/// How Resize finds values between elements.
private struct ResizeRule {
  let mode: String
  let coordinates: String
  let nearest: String
  let cubicA: Double
  let excludesOutside: Bool
  let isAntialiased: Bool
  let extrapolation: Double
  let axes: [Int]?
  let policy: String

  init(
    _ mode: String, _ node: NodeContext, coordinates: String, nearest: String
  ) throws {
    self.mode = mode
    self.coordinates = try node.string("coordinate_transformation_mode", coordinates)
    self.nearest = try node.string("nearest_mode", nearest)
    cubicA = try node.float("cubic_coeff_a", -0.75)
    excludesOutside = try node.flag("exclude_outside")
    isAntialiased = try node.flag("antialias")
    extrapolation = try node.float("extrapolation_value", 0)
    axes = try node.ints("axes")
    policy = try node.string("keep_aspect_ratio_policy", "stretch")
    try node.require(["nearest", "linear", "bilinear", "cubic"].contains(mode), "mode \(mode)")
    let known = [
      "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
      "tf_crop_and_resize", "tf_half_pixel_for_nn",
    ]
    try node.require(known.contains(self.coordinates), "coordinates \(self.coordinates)")
    let rounding = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
    try node.require(rounding.contains(self.nearest), "nearest_mode \(self.nearest)")
  }

  func resized(
    _ x: Tensor, scales: [Double]?, sizes: [Int]?, roi: [Double]?, _ operands: Operands
  ) throws -> Tensor {
    let axes = try axes?.map { try x.axis($0, operands) } ?? Array(x.shape.indices)
    guard (scales?.count ?? sizes?.count) == axes.count else {
      throw operands.failure("\((scales?.count ?? sizes?.count) ?? 0) factors for \(x.shape)")
    }
    var plans: [AxisResize] = []
    var common: Double?
    if let sizes, policy != "stretch" {
      let factors = zip(sizes, axes).map { Double($0) / Double(x.shape[$1]) }
      common = policy == "not_larger" ? factors.min() : factors.max()
    }
    for (index, axis) in axes.enumerated() {
      let length = x.shape[axis]
      var size: Int
      let scale: Double
      if let scales {
        scale = scales[index]
        let product = (scale * Double(length)).rounded(.down)
        guard scale > 0, product <= 0x1p24 else { throw operands.failure("factor \(scale)") }
        size = Int(product)
      } else {
        size = sizes?[index] ?? length
        if let common { size = Int((common * Double(length) + 0.5).rounded(.down)) }
        guard (0...1 << 24).contains(size) else { throw operands.failure("length \(size)") }
        scale = common ?? Double(size) / Double(length)
      }
      let range = roi.flatMap { roi -> (Double, Double)? in
        roi.count == 2 * axes.count ? (roi[index], roi[index + axes.count]) : nil
      }
      plans.append(
        AxisResize(
          rule: self, axis: axis, inputs: length, outputs: size, scale: scale,
          roi: range ?? (0, 1)))
    }
    let isReal = x.dtype.isFloatingPoint
    var result = isReal || mode == "nearest" ? x : x.cast(to: .float32)
    var outside: Tensor?
    for plan in plans where plan.changes {
      result = plan.applied(to: result)
      if let beyond = plan.outside {
        var shape = [Int](repeating: 1, count: x.rank)
        shape[plan.axis] = beyond.count
        let mask = Tensor(beyond, shape: shape)
        outside = outside.map { logicalOr($0, mask) } ?? mask
      }
    }
    if let outside { result = Tensor.where(outside, extrapolation, result) }
    if !isReal && mode != "nearest" {
      result = result.rounded().clamped(
        min: Double(x.dtype.integerBounds?.low ?? 0), max: Double(x.dtype.integerBounds?.high ?? 1))
    }
    return result.cast(to: x.dtype)
  }
}

/// Resizing along one axis.
private struct AxisResize {
  let rule: ResizeRule
  let axis: Int
  let inputs: Int
  let outputs: Int
  let scale: Double
  let roi: (start: Double, end: Double)

  var changes: Bool {
    inputs != outputs || scale != 1 || rule.coordinates == "tf_crop_and_resize" && roi != (0, 1)
  }

  /// The position of a result among the elements.
  private func position(_ output: Int) -> Double {
    let x = Double(output)
    // The length before it was rounded down.
    let length = scale * Double(inputs)
    switch rule.coordinates {
    case "align_corners": return length == 1 ? 0 : x * Double(inputs - 1) / (length - 1)
    case "asymmetric": return x / scale
    case "tf_crop_and_resize":
      let last = Double(inputs - 1)
      let inside =
        outputs == 1
        ? (roi.end - roi.start) * last / 2
        : x * (roi.end - roi.start) * last / (Double(outputs) - 1)
      return inside + roi.start * last
    case "pytorch_half_pixel": return outputs == 1 ? -0.5 : (x + 0.5) / scale - 0.5
    case "tf_half_pixel_for_nn": return (x + 0.5) / scale
    case "half_pixel_symmetric":
      let offset = Double(inputs) / 2 * (1 - Double(outputs) / length)
      return offset + (x + 0.5) / scale - 0.5
    default: return (x + 0.5) / scale - 0.5
    }
  }

  /// Which results lie outside of the elements, where these have a value of their own.
  var outside: [Bool]? {
    guard rule.coordinates == "tf_crop_and_resize" else { return nil }
    let all = (0..<outputs).map { position($0) < 0 || position($0) > Double(inputs - 1) }
    return all.contains(true) ? all : nil
  }

  func applied(to x: Tensor) -> Tensor {
    if rule.mode == "nearest" { return x.picked(axis, (0..<outputs).map(nearestIndex)) }
    let taps = (0..<outputs).map(taps)
    var shape = [Int](repeating: 1, count: x.rank)
    shape[axis] = outputs
    var result: Tensor?
    for tap in 0..<(taps.first?.count ?? 0) {
      let weights = Tensor(taps.map { $0[tap].weight }, shape: shape).cast(to: x.dtype)
      let part = x.picked(axis, taps.map { $0[tap].index }) * weights
      result = result.map { $0 + part } ?? part
    }
    return result ?? x.picked(axis, [])
  }

  private func nearestIndex(_ output: Int) -> Int {
    let x = position(output)
    let index =
      switch rule.nearest {
      case "floor": x.rounded(.down)
      case "ceil": x.rounded(.up)
      case "round_prefer_ceil": (x + 0.5).rounded(.down)
      default: (x - 0.5).rounded(.up)
      }
    return min(max(Int(index), 0), inputs - 1)
  }

  /// The elements of a result with their weights.
  private func taps(_ output: Int) -> [(index: Int, weight: Double)] {
    let x = position(output)
    // The ratio is in (0, 1]: the left element of a whole position is the one before it.
    let left = x.rounded(.up) - 1
    let ratio = x - left
    let width = rule.mode == "cubic" ? 2.0 : 1.0
    let shrink = rule.isAntialiased ? min(scale, 1) : 1
    let first = (-width / shrink).rounded(.down) + 1
    var weights = stride(from: first, to: 2 - first, by: 1).map { weight(($0 - ratio) * shrink) }
    let indices = weights.indices.map { Int(left + first) + $0 }
    if rule.excludesOutside {
      for (place, index) in indices.enumerated() where !(0..<inputs).contains(index) {
        weights[place] = 0
      }
    }
    if rule.excludesOutside || rule.isAntialiased {
      let sum = weights.reduce(0, +)
      weights = weights.map { $0 / sum }
    }
    return zip(indices, weights).map { (min(max($0, 0), inputs - 1), $1) }
  }

  private func weight(_ distance: Double) -> Double {
    let (x, a) = (distance.magnitude, rule.cubicA)
    if rule.mode != "cubic" { return max(1 - x, 0) }
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}
