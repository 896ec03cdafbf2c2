import NormaNN
import NormaTensor

/// The parameters that a new PyTorch module draws, by name, in drawing order.
///
/// - Parameter module: Such as `Conv2d(4,6,(3,2),groups=2)`; a suffix `f64` means `float64`.
/// - Returns: nil for an unknown module.
func initialParameters(_ module: CallText) -> StateDict? {
  guard let name = module.name else { return nil }
  let dtype: DType = module.suffix == "f64" ? .float64 : .float32
  let sizes = module.arguments.compactMap(\.int)
  let rank = name.last == "d" ? Int(String(name.dropLast().last ?? "?")) : nil
  switch name {
  case "Sequential":
    var all: StateDict = [:]
    for (index, part) in module.arguments.enumerated() {
      guard let parameters = initialParameters(part) else { return nil }
      for (key, value) in parameters { all["\(index).\(key)"] = value }
    }
    return all
  case "Linear" where sizes.count == 2:
    return Linear(sizes[0], sizes[1], bias: module.hasBias, dtype: dtype).stateDict()
  case "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d":
    return rank.flatMap { convolution(module, rank: $0, dtype)?.stateDict() }
  case "Bilinear" where sizes.count == 3:
    return Bilinear(sizes[0], sizes[1], sizes[2], dtype: dtype).stateDict()
  case "LSTM", "GRU", "RNN":
    return sizes.count == 2 ? recurrent(name, sizes[0], sizes[1], dtype) : nil
  case "Embedding" where sizes.count == 2:
    return Embedding(sizes[0], sizes[1], dtype: dtype).stateDict()
  case "PReLU": return PReLU(sizes.first ?? 1, dtype: dtype).stateDict()
  case "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm":
    guard let features = sizes.last, sizes.count == (name == "GroupNorm" ? 2 : 1) else {
      return nil
    }
    return ["weight": .ones([features], dtype: dtype), "bias": .zeros([features], dtype: dtype)]
  case "ReLU", "Flatten", "Dropout", "MaxPool2d": return [:]
  default: return nil
  }
}

private func convolution(_ module: CallText, rank: Int, _ dtype: DType) -> Module? {
  let arguments = module.arguments
  guard arguments.count == 3, let inputs = arguments[0].int, let outputs = arguments[1].int,
    let kernel = arguments[2].int.map({ [Int](repeating: $0, count: rank) }) ?? arguments[2].ints
  else { return nil }
  let groups = module.options["groups"]?.int ?? 1
  let size = Extents(kernel)
  let bias = module.hasBias
  return switch module.name {
  case "Conv1d": Conv1d(inputs, outputs, kernelSize: size, groups: groups, bias: bias, dtype: dtype)
  case "Conv2d": Conv2d(inputs, outputs, kernelSize: size, groups: groups, bias: bias, dtype: dtype)
  case "Conv3d": Conv3d(inputs, outputs, kernelSize: size, groups: groups, bias: bias, dtype: dtype)
  case "ConvTranspose1d":
    ConvTranspose1d(inputs, outputs, kernelSize: size, groups: groups, bias: bias, dtype: dtype)
  case "ConvTranspose2d":
    ConvTranspose2d(inputs, outputs, kernelSize: size, groups: groups, bias: bias, dtype: dtype)
  default:
    ConvTranspose3d(inputs, outputs, kernelSize: size, groups: groups, bias: bias, dtype: dtype)
  }
}

extension CallText {
  fileprivate var hasBias: Bool { options["bias"] != .word("False") }
}

private func recurrent(
  _ name: String, _ inputs: Int, _ hidden: Int, _ dtype: DType
) -> StateDict {
  let rows = hidden * (["LSTM": 4, "GRU": 3][name] ?? 1)
  let bound = 1 / Double(hidden).squareRoot()
  func draw(_ shape: [Int]) -> Tensor { uniform(shape, dtype, low: -bound, high: bound) }
  // A literal evaluates its elements in order, and this order is PyTorch's.
  return [
    "weight_ih_l0": draw([rows, inputs]), "weight_hh_l0": draw([rows, hidden]),
    "bias_ih_l0": draw([rows]), "bias_hh_l0": draw([rows]),
  ]
}

/// The draw of a function of `torch.nn.init`, such as `xavier_uniform_(8,6)`; nil for others.
func initialized(_ call: CallText) -> Tensor? {
  guard let shape = call.ints, !shape.isEmpty else { return nil }
  let area = Double(shape.dropFirst(2).reduce(1, *))
  let fanIn = shape.count > 1 ? Double(shape[1]) * area : 0
  let fanOut = Double(shape[0]) * area
  let rootOfThree = 3.0.squareRoot()
  let xavier = (2 / (fanIn + fanOut)).squareRoot()
  let gain = 2.0.squareRoot()
  switch (call.name, call.suffix) {
  case ("uniform_", ""): return uniform(shape)
  case ("normal_", ""): return normal(shape)
  case ("xavier_uniform_", ""):
    return uniform(shape, low: -rootOfThree * xavier, high: rootOfThree * xavier)
  case ("xavier_normal_", ""): return normal(shape, std: xavier)
  case ("kaiming_uniform_", ""):
    let bound = rootOfThree * (gain / fanIn.squareRoot())
    return uniform(shape, low: -bound, high: bound)
  case ("kaiming_normal_", "fan_out,relu"):
    return normal(shape, std: gain / fanOut.squareRoot())
  case ("trunc_normal_", "std=0.02"):
    // The bounds are +-2, a hundred standard deviations away: one draw is always enough.
    return normal(shape, std: 0.02)
  default: return nil
  }
}
