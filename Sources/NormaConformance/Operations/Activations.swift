import NormaNN
import NormaTensor

let activationOperations: [String: CaseOperation] = [
  "sigmoid": plain { $0.sigmoid() },
  "expm1": plain { $0.expm1() },
  "log1p": plain { $0.log1p() },
  "sin": plain { $0.sin() },
  "cos": plain { $0.cos() },
  "nn.functional.relu": plain { $0.relu() },
  "nn.functional.relu6": plain { $0.relu6() },
  "nn.functional.selu": plain { $0.selu() },
  "nn.functional.silu": plain { $0.silu() },
  "nn.functional.mish": plain { $0.mish() },
  "nn.functional.softsign": plain { $0.softsign() },
  "nn.functional.tanhshrink": plain { $0.tanhshrink() },
  "nn.functional.logsigmoid": plain { $0.logSigmoid() },
  "nn.functional.hardsigmoid": plain { $0.hardsigmoid() },
  "nn.functional.hardswish": plain { $0.hardswish() },
  "nn.functional.leaky_relu": {
    [try $0.tensor(0).leakyRelu(slope: try $0.double(1, "negative_slope") ?? 0.01)]
  },
  "nn.functional.elu": { [try $0.tensor(0).elu(alpha: try $0.double(1, "alpha") ?? 1)] },
  "nn.functional.celu": { [try $0.tensor(0).celu(alpha: try $0.double(1, "alpha") ?? 1)] },
  "nn.functional.prelu": { [try $0.tensor(0).prelu(try $0.tensor(1, "weight"))] },
  "nn.functional.gelu": {
    let form = try $0.text("approximate") ?? "none"
    guard ["none", "tanh"].contains(form) else { throw CaseObstacle.notWritable(form) }
    return [try $0.tensor(0).gelu(approximatingByTanh: form == "tanh")]
  },
  "nn.functional.hardtanh": {
    [
      try $0.tensor(0).hardtanh(
        min: try $0.double(1, "min_val") ?? -1, max: try $0.double(2, "max_val") ?? 1)
    ]
  },
  "nn.functional.softplus": {
    [
      try $0.tensor(0).softplus(
        beta: try $0.double(1, "beta") ?? 1, threshold: try $0.double(2, "threshold") ?? 20)
    ]
  },
  "nn.functional.softshrink": {
    [try $0.tensor(0).softshrink(lambda: try $0.double(1, "lambd") ?? 0.5)]
  },
  "nn.functional.hardshrink": {
    [try $0.tensor(0).hardshrink(lambda: try $0.double(1, "lambd") ?? 0.5)]
  },
  "nn.functional.threshold": {
    [
      try $0.tensor(0).thresholded(
        at: try $0.double(1, "threshold") ?? 0, value: try $0.double(2, "value") ?? 0)
    ]
  },
  "nn.functional.glu": { [try $0.tensor(0).glu(over: try $0.int(1, "dim") ?? -1)] },
  "softmax": overAxis { $0.softmax(over: $1) },
  "softmax@with_dtype": overAxis { $0.softmax(over: $1) },
  "log_softmax": overAxis { $0.logSoftmax(over: $1) },
  "log_softmax@with_dtype": overAxis { $0.logSoftmax(over: $1) },
  "nn.functional.softmin": overAxis { (-$0).softmax(over: $1) },
  "nn.functional.softmin@with_dtype": overAxis { (-$0).softmax(over: $1) },
  "logsumexp": { arguments in
    let keepDims = try arguments.bool(2, "keepdim") ?? false
    let x = try arguments.tensor(0)
    let axes = try arguments.axes(1, of: x)
    return [
      x.rank == 0
        ? x.logSumExp(keepDims: keepDims) : x.logSumExp(over: axes, keepDims: keepDims)
    ]
  },
]

private func plain(_ function: @escaping @Sendable (Tensor) -> Tensor) -> CaseOperation {
  { [function(try $0.tensor(0))] }
}

private func overAxis(_ function: @escaping @Sendable (Tensor, Int) -> Tensor) -> CaseOperation {
  { arguments in
    var x = try arguments.tensor(0)
    let axis = try arguments.int(1, "dim") ?? -1
    if let dtype = try arguments.dtype(arguments.count > 3 ? 3 : nil) { x = x.cast(to: dtype) }
    return [function(x, axis)]
  }
}

let activationModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.ReLU": layer { _ in ReLU() },
  "nn.ReLU6": layer { _ in ReLU6() },
  "nn.SELU": layer { _ in SELU() },
  "nn.SiLU": layer { _ in SiLU() },
  "nn.Mish": layer { _ in Mish() },
  "nn.Sigmoid": layer { _ in Sigmoid() },
  "nn.Tanh": layer { _ in Tanh() },
  "nn.Softsign": layer { _ in Softsign() },
  "nn.Tanhshrink": layer { _ in Tanhshrink() },
  "nn.LogSigmoid": layer { _ in LogSigmoid() },
  "nn.Hardswish": layer { _ in Hardswish() },
  "nn.Hardtanh": layer { _ in Hardtanh() },
  "nn.GLU": layer { _ in GLU() },
  "nn.CELU": layer { CELU(alpha: try $0.double(0, "alpha") ?? 1) },
  "nn.ELU": layer { ELU(alpha: try $0.double(0, "alpha") ?? 1) },
  "nn.GELU": layer { GELU(approximatingByTanh: try $0.text(0, "approximate") == "tanh") },
  "nn.Hardshrink": layer { Hardshrink(lambda: try $0.double(0, "lambd") ?? 0.5) },
  "nn.Softshrink": layer { Softshrink(lambda: try $0.double(0, "lambd") ?? 0.5) },
  "nn.LeakyReLU": layer { LeakyReLU(slope: try $0.double(0, "negative_slope") ?? 0.01) },
  "nn.PReLU": layer { PReLU(try $0.int(0, "num_parameters") ?? 1) },
  "nn.Softplus": layer {
    Softplus(beta: try $0.double(0, "beta") ?? 1, threshold: try $0.double(1, "threshold") ?? 20)
  },
  "nn.Threshold": layer {
    Threshold(try $0.double(0, "threshold") ?? 0, value: try $0.double(1, "value") ?? 0)
  },
  "nn.Softmax": layer { Softmax(over: try $0.int(0, "dim") ?? -1) },
  "nn.Softmin": layer { Softmin(over: try $0.int(0, "dim") ?? -1) },
  "nn.LogSoftmax": layer { LogSoftmax(over: try $0.int(0, "dim") ?? -1) },
  "nn.Softmax2d": layer { _ in Softmax(over: -3) },
  "nn.Linear": layer {
    Linear(
      try $0.int(0, "in_features") ?? 0, try $0.int(1, "out_features") ?? 0,
      bias: try $0.bool(2, "bias") ?? true)
  },
]

/// A module that maps one tensor to another.
func layer(
  _ make: @escaping @Sendable (CaseArguments) throws -> any Layer
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let layer = try make(arguments)
    return CaseModule(layer) { [layer(try $0.tensor(0), file: #fileID, line: #line)] }
  }
}
