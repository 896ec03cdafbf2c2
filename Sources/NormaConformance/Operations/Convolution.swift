import NormaNN
import NormaTensor

let convolutionOperations: [String: CaseOperation] = [
  "nn.functional.conv1d": { try convolved($0, conv1d) },
  "nn.functional.conv2d": { try convolved($0, conv2d) },
  "nn.functional.conv3d": { try convolved($0, conv3d) },
  "nn.functional.conv_transpose1d": { try convolvedTransposed($0, convTranspose1d) },
  "nn.functional.conv_transpose2d": { try convolvedTransposed($0, convTranspose2d) },
  "nn.functional.conv_transpose3d": { try convolvedTransposed($0, convTranspose3d) },
  "nn.functional.unfold": { arguments in
    let size = try arguments.neededExtents(1, "kernel_size")
    return [
      Tensor.unfold(
        try arguments.tensor(0), kernelSize: size,
        dilation: try arguments.extents(2, "dilation") ?? 1,
        padding: try arguments.extents(3, "padding") ?? 0,
        stride: try arguments.extents(4, "stride") ?? 1)
    ]
  },
]

let convolutionModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.Conv1d": convolutionModule {
    Conv1d(
      $0, $1, kernelSize: $2.kernel, stride: $2.stride, padding: $2.padding, dilation: $2.dilation,
      groups: $2.groups, bias: $2.bias, paddingMode: $2.paddingMode)
  },
  "nn.Conv2d": convolutionModule {
    Conv2d(
      $0, $1, kernelSize: $2.kernel, stride: $2.stride, padding: $2.padding, dilation: $2.dilation,
      groups: $2.groups, bias: $2.bias, paddingMode: $2.paddingMode)
  },
  "nn.Conv3d": convolutionModule {
    Conv3d(
      $0, $1, kernelSize: $2.kernel, stride: $2.stride, padding: $2.padding, dilation: $2.dilation,
      groups: $2.groups, bias: $2.bias, paddingMode: $2.paddingMode)
  },
  "nn.ConvTranspose1d": transposedModule {
    ConvTranspose1d(
      $0, $1, kernelSize: $2.kernel, stride: $2.stride, padding: $2.padding,
      outputPadding: $2.outputPadding, groups: $2.groups, bias: $2.bias, dilation: $2.dilation)
  },
  "nn.ConvTranspose2d": transposedModule {
    ConvTranspose2d(
      $0, $1, kernelSize: $2.kernel, stride: $2.stride, padding: $2.padding,
      outputPadding: $2.outputPadding, groups: $2.groups, bias: $2.bias, dilation: $2.dilation)
  },
  "nn.ConvTranspose3d": transposedModule {
    ConvTranspose3d(
      $0, $1, kernelSize: $2.kernel, stride: $2.stride, padding: $2.padding,
      outputPadding: $2.outputPadding, groups: $2.groups, bias: $2.bias, dilation: $2.dilation)
  },
]

extension CaseArguments {
  /// One number, or one for each axis.
  func extents(_ position: Int?, _ name: String) throws -> Extents? {
    try ints(position, name).map { $0.count == 1 ? Extents($0[0]) : Extents($0) }
  }

  func neededExtents(_ position: Int?, _ name: String) throws -> Extents {
    guard let extents = try extents(position, name) else { throw missing(name) }
    return extents
  }

  /// Numbers, or `same` and `valid`.
  func convolutionPadding(_ position: Int?, _ name: String) throws -> ConvolutionPadding {
    switch value(position, name) {
    case .text("same"): .same
    case .text("valid"): .valid
    case .text(let other): throw CaseObstacle.notWritable("padding \(other)")
    default: try extents(position, name).map { ConvolutionPadding($0) } ?? 0
    }
  }

  func text(_ position: Int?, _ name: String) throws -> String? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .text(let text): return text
    default: throw mistyped(name, "a text")
    }
  }
}

private typealias Convolve = (
  Tensor, Tensor, Tensor?, Extents, ConvolutionPadding, Extents, Int, StaticString, UInt
) -> Tensor

private func convolved(_ arguments: CaseArguments, _ convolve: Convolve) throws -> [Tensor] {
  [
    convolve(
      try arguments.tensor(0), try arguments.tensor(1, "weight"),
      try arguments.optionalTensor(2, "bias"), try arguments.extents(3, "stride") ?? 1,
      try arguments.convolutionPadding(4, "padding"), try arguments.extents(5, "dilation") ?? 1,
      try arguments.int(6, "groups") ?? 1, #fileID, #line)
  ]
}

private typealias ConvolveTransposed = (
  Tensor, Tensor, Tensor?, Extents, Extents, Extents, Int, Extents, StaticString, UInt
) -> Tensor

private func convolvedTransposed(
  _ arguments: CaseArguments, _ convolve: ConvolveTransposed
) throws -> [Tensor] {
  [
    convolve(
      try arguments.tensor(0), try arguments.tensor(1, "weight"),
      try arguments.optionalTensor(2, "bias"), try arguments.extents(3, "stride") ?? 1,
      try arguments.extents(4, "padding") ?? 0, try arguments.extents(5, "output_padding") ?? 0,
      try arguments.int(6, "groups") ?? 1, try arguments.extents(7, "dilation") ?? 1, #fileID,
      #line)
  ]
}

private struct ConvolutionOptions {
  let kernel: Extents, stride: Extents, dilation: Extents, outputPadding: Extents
  let padding: ConvolutionPadding
  let groups: Int, bias: Bool
  let paddingMode: PaddingMode
}

private func convolutionModule(
  _ make: @escaping @Sendable (Int, Int, ConvolutionOptions) -> Convolution
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let (inputs, outputs) = try channels(arguments)
    let modes: [String: PaddingMode] = [
      "zeros": .zeros, "reflect": .reflect, "replicate": .replicate, "circular": .circular,
    ]
    let options = ConvolutionOptions(
      kernel: try arguments.neededExtents(2, "kernel_size"),
      stride: try arguments.extents(3, "stride") ?? 1,
      dilation: try arguments.extents(5, "dilation") ?? 1, outputPadding: 0,
      padding: try arguments.convolutionPadding(4, "padding"),
      groups: try arguments.int(6, "groups") ?? 1, bias: try arguments.bool(7, "bias") ?? true,
      paddingMode: try arguments.text(8, "padding_mode").flatMap { modes[$0] } ?? .zeros)
    let layer = make(inputs, outputs, options)
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  }
}

private struct TransposedOptions {
  let kernel: Extents, stride: Extents, padding: Extents, outputPadding: Extents
  let dilation: Extents
  let groups: Int, bias: Bool
}

private func transposedModule(
  _ make: @escaping @Sendable (Int, Int, TransposedOptions) -> TransposedConvolution
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let (inputs, outputs) = try channels(arguments)
    let options = TransposedOptions(
      kernel: try arguments.neededExtents(2, "kernel_size"),
      stride: try arguments.extents(3, "stride") ?? 1,
      padding: try arguments.extents(4, "padding") ?? 0,
      outputPadding: try arguments.extents(5, "output_padding") ?? 0,
      dilation: try arguments.extents(8, "dilation") ?? 1,
      groups: try arguments.int(6, "groups") ?? 1, bias: try arguments.bool(7, "bias") ?? true)
    let layer = make(inputs, outputs, options)
    return CaseModule(layer) { call in
      guard let size = try call.ints(1, "output_size") else { return [layer(try call.tensor(0))] }
      return [layer(try call.tensor(0), outputSize: size)]
    }
  }
}

private func channels(_ arguments: CaseArguments) throws -> (Int, Int) {
  guard let inputs = try arguments.int(0, "in_channels"),
    let outputs = try arguments.int(1, "out_channels")
  else { throw arguments.missing("in_channels, out_channels") }
  return (inputs, outputs)
}

extension CaseModule {
  /// A module whose parameter names are those of its state dictionary.
  init(_ module: Module, call: @escaping (CaseArguments) throws -> [Tensor]) {
    self.init(
      call: call, load: { name, tensor in try module.load([name: tensor], strict: false) },
      state: { module.stateDict() },
      gradient: { name in module.namedParameters.first { $0.name == name }?.parameter.grad },
      setTraining: { $0 ? module.train() : module.eval() })
  }
}
