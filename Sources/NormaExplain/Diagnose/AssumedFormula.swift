import NormaTensor

/// The possible formula of a custom layer, judged by its parameters and its input.
struct AssumedFormula {
  /// The corresponding kind of `torch.nn`: `RMSNorm`.
  let kind: String
  let numbers: LayerNumbers

  /// The formulas worth comparing, most likely first; empty if the layer has no weight that matches
  /// an axis.
  static func candidates(_ layer: CapturedLayer, for x: Tensor) -> [AssumedFormula] {
    guard layer.kind == "custom" || layer.kind == "LayerNorm" || layer.kind == "RMSNorm",
      let weight = layer.weight, weight.rank == 1, x.rank >= 2
    else { return [] }
    let features = weight.count
    let axes: [Int]?
    if x.shape[x.rank - 1] == features {
      axes = nil
    } else if x.rank >= 3, x.shape[1] == features {
      axes = [1]
    } else {
      return []
    }
    func formula(_ kind: String, subtractsMean: Bool) -> AssumedFormula {
      AssumedFormula(
        kind: kind,
        numbers: LayerNumbers(
          name: kind, reach: .axes(axes, sizes: [features]), subtractsMean: subtractsMean,
          features: features, epsilon: layer.options.epsilon ?? (subtractsMean ? 1e-5 : 1e-6),
          weight: weight.array(of: Double.self), bias: layer.bias?.array(of: Double.self),
          isTraining: false))
    }
    let centred = formula("LayerNorm", subtractsMean: true)
    let plain = formula("RMSNorm", subtractsMean: false)
    return layer.bias == nil ? [plain, centred] : [centred, plain]
  }
}
