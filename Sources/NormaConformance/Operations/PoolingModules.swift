import NormaNN
import NormaTensor

let poolingModules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  "nn.MaxPool1d": maxPoolModule {
    MaxPool1d(kernelSize: $0, stride: $1, padding: $2, dilation: $3, ceilMode: $4)
  },
  "nn.MaxPool2d": maxPoolModule {
    MaxPool2d(kernelSize: $0, stride: $1, padding: $2, dilation: $3, ceilMode: $4)
  },
  "nn.MaxPool3d": maxPoolModule {
    MaxPool3d(kernelSize: $0, stride: $1, padding: $2, dilation: $3, ceilMode: $4)
  },
  "nn.AvgPool1d": avgPoolModule {
    AvgPool1d(
      kernelSize: $0, stride: $1, padding: $2, ceilMode: $3, countIncludePad: $4,
      divisorOverride: $5)
  },
  "nn.AvgPool2d": avgPoolModule {
    AvgPool2d(
      kernelSize: $0, stride: $1, padding: $2, ceilMode: $3, countIncludePad: $4,
      divisorOverride: $5)
  },
  "nn.AvgPool3d": avgPoolModule {
    AvgPool3d(
      kernelSize: $0, stride: $1, padding: $2, ceilMode: $3, countIncludePad: $4,
      divisorOverride: $5)
  },
  "nn.AdaptiveAvgPool1d": adaptiveAvgModule { AdaptiveAvgPool1d($0) },
  "nn.AdaptiveMaxPool1d": adaptiveMaxModule { AdaptiveMaxPool1d($0) },
  "nn.AdaptiveAvgPool2d": adaptiveAvgModule { AdaptiveAvgPool2d($0) },
  "nn.AdaptiveMaxPool2d": adaptiveMaxModule { AdaptiveMaxPool2d($0) },
  "nn.AdaptiveAvgPool3d": adaptiveAvgModule { AdaptiveAvgPool3d($0) },
  "nn.AdaptiveMaxPool3d": adaptiveMaxModule { AdaptiveMaxPool3d($0) },
  "nn.ConstantPad1d": { arguments in
    let value = try arguments.double(1, "value") ?? 0
    return try paddingModule { ConstantPad1d($0, value: value) }(arguments)
  },
  "nn.ConstantPad2d": { arguments in
    let value = try arguments.double(1, "value") ?? 0
    return try paddingModule { ConstantPad2d($0, value: value) }(arguments)
  },
  "nn.ConstantPad3d": { arguments in
    let value = try arguments.double(1, "value") ?? 0
    return try paddingModule { ConstantPad3d($0, value: value) }(arguments)
  },
  "nn.ZeroPad1d": paddingModule { ZeroPad1d($0) },
  "nn.ZeroPad2d": paddingModule { ZeroPad2d($0) },
  "nn.ZeroPad3d": paddingModule { ZeroPad3d($0) },
  "nn.ReflectionPad1d": paddingModule { ReflectionPad1d($0) },
  "nn.ReflectionPad2d": paddingModule { ReflectionPad2d($0) },
  "nn.ReflectionPad3d": paddingModule { ReflectionPad3d($0) },
  "nn.ReplicationPad1d": paddingModule { ReplicationPad1d($0) },
  "nn.ReplicationPad2d": paddingModule { ReplicationPad2d($0) },
  "nn.ReplicationPad3d": paddingModule { ReplicationPad3d($0) },
  "nn.CircularPad1d": paddingModule { CircularPad1d($0) },
  "nn.CircularPad2d": paddingModule { CircularPad2d($0) },
  "nn.CircularPad3d": paddingModule { CircularPad3d($0) },
]

private func maxPoolModule(
  _ make: @escaping @Sendable (Extents, Extents?, Extents, Extents, Bool) -> MaxPool
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let layer = make(
      try arguments.neededExtents(0, "kernel_size"), try arguments.extents(1, "stride"),
      try arguments.extents(2, "padding") ?? 0, try arguments.extents(3, "dilation") ?? 1,
      try arguments.bool(5, "ceil_mode") ?? false)
    let wantsIndices = try arguments.bool(4, "return_indices") ?? false
    return CaseModule(layer) { call in
      let pooled = layer.withIndices(try call.tensor(0))
      return wantsIndices ? [pooled.values, pooled.indices] : [pooled.values]
    }
  }
}

private func avgPoolModule(
  _ make: @escaping @Sendable (Extents, Extents?, Extents, Bool, Bool, Int?) -> AvgPool
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let layer = make(
      try arguments.neededExtents(0, "kernel_size"), try arguments.extents(1, "stride"),
      try arguments.extents(2, "padding") ?? 0, try arguments.bool(3, "ceil_mode") ?? false,
      try arguments.bool(4, "count_include_pad") ?? true,
      try arguments.int(5, "divisor_override"))
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  }
}

private func adaptiveAvgModule(
  _ make: @escaping @Sendable (AdaptiveSize) -> AdaptiveAvgPool
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let layer = make(try arguments.adaptiveSize(0, "output_size"))
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  }
}

private func adaptiveMaxModule(
  _ make: @escaping @Sendable (AdaptiveSize) -> AdaptiveMaxPool
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let layer = make(try arguments.adaptiveSize(0, "output_size"))
    let wantsIndices = try arguments.bool(1, "return_indices") ?? false
    return CaseModule(layer) { call in
      let pooled = layer.withIndices(try call.tensor(0))
      return wantsIndices ? [pooled.values, pooled.indices] : [pooled.values]
    }
  }
}

private func paddingModule(
  _ make: @escaping @Sendable (Extents) -> PaddingLayer
) -> @Sendable (CaseArguments) throws -> CaseModule {
  { arguments in
    let layer = make(try arguments.neededExtents(0, "padding"))
    return CaseModule(layer) { [layer(try $0.tensor(0))] }
  }
}
