import NormaFiles
import NormaNN
import NormaTensor

extension NumericsCase {
  /// Each layer on one input with a large mean, one case each.
  func checkNorms(_ report: inout ConformanceReport) {
    for (layer, recorded) in json["layers"]?.objectValue ?? [] {
      report.record("\(name)/\(layer)", operation: layer) {
        switch layer {
        case "batch_norm_train": try checkTraining(recorded, layer)
        case "layer_norm_CHW":
          try checkPure(recorded, layer) { x, _, _, eps in
            layerNorm(x, normalizedShape: Array(x.shape.suffix(3)), eps: eps)
          }
        case "layer_norm_W":
          try checkPure(recorded, layer) { x, _, _, eps in
            layerNorm(x, normalizedShape: Array(x.shape.suffix(1)), eps: eps)
          }
        case "rms_norm_CHW":
          try checkPure(recorded, layer) { x, _, _, eps in
            rmsNorm(x, normalizedShape: Array(x.shape.suffix(3)), eps: eps)
          }
        case "group_norm_1":
          try checkPure(recorded, layer) { groupNorm($0, groups: 1, weight: $1, bias: $2, eps: $3) }
        case "instance_norm":
          try checkPure(recorded, layer) { instanceNorm($0, weight: $1, bias: $2, eps: $3) }
        default: throw CaseObstacle.unsupported("")
        }
      }
    }
  }

  private func checkTraining(_ recorded: JSON, _ layer: String) throws -> String? {
    let shape = json["shape"]?.ints ?? []
    guard shape.count == 4, let eps = json["eps"]?.number else {
      throw CaseObstacle.unreadable("no shape [N, C, H, W] or eps")
    }
    let x = try input(json["x"], shape: shape, named: "x")
    let norm = BatchNorm2d(
      shape[1], eps: eps, momentum: .pytorch(recorded["momentum"]?.number ?? 0.1))
    norm.weight?.value = try input(json["weight"], shape: [shape[1]], named: "weight")
    norm.bias?.value = try input(json["bias"], shape: [shape[1]], named: "bias")
    norm.runningMean?.value = Tensor(recorded["running_mean0"]?.numbers ?? [], dtype: .float32)
    norm.runningVar?.value = Tensor(recorded["running_var0"]?.numbers ?? [], dtype: .float32)
    let start = x.requiringGradient()
    let y = try catchingTensorErrors { norm(start).evaluated() }
    let state = norm.stateDict()
    var truths = try trainingTruths(recorded, layer, x, norm)
    var found = [
      "y": y, "running_mean": state["running_mean"], "running_var": state["running_var"],
    ]
    try catchingTensorErrors { y.backward(upstream: try cotangent(shape)) }
    for (key, gradient) in [
      ("dx", start.grad), ("dw", norm.weight?.grad), ("db", norm.bias?.grad),
    ] where decoder.tensors.keys.contains("\(name)/\(layer)/\(key).ref64") {
      truths[key] = try decoder.tensor("\(name)/\(layer)/\(key).ref64")
      found[key] = gradient
    }
    return compare(found, with: truths, recorded)
  }

  private func cotangent(_ shape: [Int]) throws -> Tensor {
    try input(json["cotangent"], shape: shape, named: "cotangent")
  }

  /// A normalization without state, for an input, weight, bias and eps.
  private func checkPure(
    _ recorded: JSON, _ layer: String,
    _ normalize: (Tensor, Tensor, Tensor, Double) -> Tensor
  ) throws -> String? {
    let prefix = "\(name)/\(layer)"
    let shape = json["shape"]?.ints ?? []
    guard decoder.tensors.keys.contains("\(prefix)/y.ref64"), let eps = json["eps"]?.number else {
      throw CaseObstacle.unsupported("without results")
    }
    let x = try input(json["x"], shape: shape, named: "x").requiringGradient()
    let weight = try input(json["weight"], shape: [shape[1]], named: "weight").requiringGradient()
    let bias = try input(json["bias"], shape: [shape[1]], named: "bias").requiringGradient()
    let y = try catchingTensorErrors { normalize(x, weight, bias, eps).evaluated() }
    try catchingTensorErrors { y.backward(upstream: try cotangent(shape)) }
    var found = ["y": y]
    var truths = ["y": try decoder.tensor("\(prefix)/y.ref64")]
    for (key, gradient) in [("dx", x.grad), ("dw", weight.grad), ("db", bias.grad)]
    where decoder.tensors.keys.contains("\(prefix)/\(key).ref64") {
      truths[key] = try decoder.tensor("\(prefix)/\(key).ref64")
      found[key] = gradient
    }
    return compare(found, with: truths, recorded)
  }

  /// The first complaint about results, each compared with PyTorch's own error.
  private func compare(
    _ found: [String: Tensor?], with truths: [String: Tensor], _ recorded: JSON
  ) -> String? {
    for (key, actual) in found.sorted(by: { $0.key < $1.key }) {
      guard let actual, let truth = truths[key] else { return "\(key) is not there" }
      let own = recorded["pytorch_f32_error"]?[key]?["max_abs"]?.number ?? 0
      let expected = ExpectedTensor(
        recorded: truth.cast(to: .float32), truth: truth, ownError: own)
      if let complaint = expected.complaint(about: actual) { return "\(key): \(complaint)" }
    }
    return nil
  }

  /// The answers in the file; if `y` is missing, it follows from the exact mean and variance.
  private func trainingTruths(
    _ recorded: JSON, _ layer: String, _ x: Tensor, _ norm: BatchNorm
  ) throws -> [String: Tensor] {
    let prefix = "\(name)/\(layer)"
    if decoder.tensors.keys.contains("\(prefix)/y.ref64") {
      return try Dictionary(
        uniqueKeysWithValues: ["y", "running_mean", "running_var"].map {
          ($0, try decoder.tensor("\(prefix)/\($0).ref64"))
        })
    }
    func channels(_ values: [Double]) -> Tensor { Tensor(values).reshaped(1, -1, 1, 1) }
    func exact(_ key: String) -> [Double] { recorded[key]?.numbers ?? [] }
    func wide(_ parameter: Parameter?) -> Tensor {
      channels(parameter?.value.array(of: Double.self) ?? [])
    }
    let distance = x.cast(to: .float64) - channels(exact("ref_mean"))
    let y = distance / (channels(exact("ref_var_biased")) + norm.eps).sqrt()
    return [
      "y": y * wide(norm.weight) + wide(norm.bias),
      "running_mean": Tensor(exact("ref_running_mean")),
      "running_var": Tensor(exact("ref_running_var")),
    ]
  }

  /// A new layer in training on an input that is degenerate in some way.
  func checkBatchNorm() throws -> String? {
    let isShape = json["kind"]?.stringValue == "bn_shape"
    let shape = json["shape"]?.ints ?? [3, 6, 2, 2]
    let isGiven = decoder.tensors.keys.contains("\(name)/x")
    let x = isGiven ? try decoder.tensor("\(name)/x") : Tensor.ones(shape)
    let eps = json["eps"]?.number ?? 1e-5
    let norm =
      shape.count < 4 ? BatchNorm1d(shape[1], eps: eps) : BatchNorm2d(shape[1], eps: eps)
    if json["training"]?.boolValue == false { norm.eval() }
    if json["raises"] != nil { return try refusal { norm(x) } }
    let y = try catchingTensorErrors { norm(x).evaluated() }
    let state = norm.stateDict()
    for key in ["running_mean", "running_var"] {
      guard let actual = state[key] else { return "\(key) is not there" }
      if let complaint = complaint(key, actual, json[key]?.numbers ?? []) { return complaint }
    }
    if isShape { return complaint("y", y, json["y"]?.numbers ?? []) }
    let recorded = try decoder.tensor("\(name)/y.pytorch32")
    let truth = try decoder.tensor("\(name)/y.pytorch64")
    let errors = zip(recorded.array(of: Double.self), truth.array(of: Double.self)).map {
      ($0 - $1).magnitude
    }
    let own = errors.filter { !$0.isNaN }.max() ?? 0
    return ExpectedTensor(recorded: recorded, truth: truth, ownError: own).complaint(about: y)
  }

  /// The input of the thread that motivated Norma, `torch.rand(6, 64, 224, 224)` with seed 0.
  func checkThread() throws -> String? {
    guard name == "rand(6,64,224,224)_seed0" else { throw CaseObstacle.unsupported(name) }
    let x = withSeed(0) { Tensor.rand(6, 64, 224, 224) }
    let norm = BatchNorm2d(64)
    let y = norm(x).evaluated()
    let state = norm.stateDict()
    let ends = y.array(of: Float.self)
    let wide = y.cast(to: .float64)
    // PyTorch's recorded layer output is `float32`, with an error of its own.
    let own = json["bn_channel0_max_abs_err_vs_f64"]?.number ?? 0
    let layerSum = own * Double(y.count)
    let checks: [(key: String, actual: Tensor?, allowance: Double)] = [
      ("mean_ref64", x.mean(), 0),
      ("var_unbiased_ref64", x.variance(), 0),
      ("sum_ref64", x.sum(), 0),
      ("channel_mean_ref64", x.mean(over: 0, 2, 3), 0),
      ("channel_var_biased_ref64", x.variance(over: 0, 2, 3, correction: 0), 0),
      ("bn_running_mean_after", state["running_mean"], 0),
      ("bn_running_var_after", state["running_var"], 0),
      ("bn_y_first16", Tensor(Array(ends.prefix(16))), 2 * own),
      ("bn_y_last16", Tensor(Array(ends.suffix(16))), 2 * own),
      ("bn_y_sum64", wide.sum(), layerSum),
      ("bn_y_sumsq64", wide.squared().sum(), layerSum),
    ]
    for (key, actual, allowance) in checks {
      guard let recorded = json[key], let actual else { return "\(key) is not there" }
      let numbers = recorded.number.map { [$0] } ?? recorded.numbers
      if let complaint = complaint(key, actual, numbers, atLeast: allowance) { return complaint }
    }
    return nil
  }
}
