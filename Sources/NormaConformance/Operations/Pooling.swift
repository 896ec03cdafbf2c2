import NormaNN
import NormaTensor

let poolingOperations: [String: CaseOperation] = [
  "nn.functional.max_pool1d": { try maxPooled($0, space: 1) },
  "nn.functional.max_pool2d": { try maxPooled($0, space: 2) },
  "nn.functional.max_pool3d": { try maxPooled($0, space: 3) },
  "nn.functional.avg_pool1d": { try avgPooled($0, space: 1) },
  "nn.functional.avg_pool2d": { try avgPooled($0, space: 2) },
  "nn.functional.avg_pool3d": { try avgPooled($0, space: 3) },
  "nn.functional.adaptive_avg_pool1d": { try adaptiveAvgPooled($0, adaptiveAvgPool1d) },
  "nn.functional.adaptive_avg_pool2d": { try adaptiveAvgPooled($0, adaptiveAvgPool2d) },
  "nn.functional.adaptive_avg_pool3d": { try adaptiveAvgPooled($0, adaptiveAvgPool3d) },
  "nn.functional.adaptive_max_pool1d": { try adaptiveMaxPooled($0, adaptiveMaxPool1dWithIndices) },
  "nn.functional.adaptive_max_pool2d": { try adaptiveMaxPooled($0, adaptiveMaxPool2dWithIndices) },
  "nn.functional.adaptive_max_pool3d": { try adaptiveMaxPooled($0, adaptiveMaxPool3dWithIndices) },
  "nn.functional.interpolate@nearest": interpolated,
  "nn.functional.interpolate@nearest-exact": interpolated,
  "nn.functional.interpolate@linear": interpolated,
  "nn.functional.interpolate@bilinear": interpolated,
  "nn.functional.interpolate@bicubic": interpolated,
  "nn.functional.interpolate@trilinear": interpolated,
  "nn.functional.interpolate@area": interpolated,
  "nn.functional.pad@constant": padded, "nn.functional.pad@reflect": padded,
  "nn.functional.pad@replicate": padded, "nn.functional.pad@replicate_negative": padded,
  "nn.functional.pad@circular": padded,
  "constant_pad_nd": { arguments in
    let value = try arguments.double(2, "value") ?? 0
    return [
      try arguments.tensor(0).padded(try arguments.ints(1, "pad") ?? [], mode: .constant(value))
    ]
  },
]

/// The options of a pooling call, whose tensor comes first, or of a constructor.
private struct WindowOptions {
  let kernel: Extents, stride: Extents?, padding: Extents

  init(_ arguments: CaseArguments, from place: Int) throws {
    kernel = try arguments.neededExtents(place, "kernel_size")
    stride = try arguments.extents(place + 1, "stride")
    padding = try arguments.extents(place + 2, "padding") ?? 0
  }
}

extension CaseArguments {
  /// A size for each axis; None keeps the input's.
  func adaptiveSize(_ position: Int, _ name: String) throws -> AdaptiveSize {
    switch value(position, name) {
    case .int(let size): return AdaptiveSize([size])
    case .list(let sizes), .tuple(let sizes):
      return AdaptiveSize(
        try sizes.map { size -> Int? in
          switch size {
          case .none: nil
          case .int(let size): size
          default: throw mistyped(name, "sizes")
          }
        })
    default: throw mistyped(name, "sizes")
    }
  }
}

private func maxPooled(_ arguments: CaseArguments, space: Int) throws -> [Tensor] {
  let options = try WindowOptions(arguments, from: 1)
  let pooled = maxPool(
    try arguments.tensor(0), space: space, kernelSize: options.kernel, stride: options.stride,
    padding: options.padding, dilation: try arguments.extents(4, "dilation") ?? 1,
    ceilMode: try arguments.bool(5, "ceil_mode") ?? false, call: "maxPool\(space)d(_:)",
    file: #fileID, line: #line)
  let wantsIndices = try arguments.bool(6, "return_indices") ?? false
  return wantsIndices ? [pooled.values, pooled.indices] : [pooled.values]
}

private func avgPooled(_ arguments: CaseArguments, space: Int) throws -> [Tensor] {
  let options = try WindowOptions(arguments, from: 1)
  return [
    avgPool(
      try arguments.tensor(0), space: space, kernelSize: options.kernel, stride: options.stride,
      padding: options.padding, ceilMode: try arguments.bool(4, "ceil_mode") ?? false,
      countIncludePad: try arguments.bool(5, "count_include_pad") ?? true,
      divisorOverride: try arguments.int(6, "divisor_override"), call: "avgPool\(space)d(_:)",
      file: #fileID, line: #line)
  ]
}

private func adaptiveAvgPooled(
  _ arguments: CaseArguments, _ pool: (Tensor, AdaptiveSize, StaticString, UInt) -> Tensor
) throws -> [Tensor] {
  [
    pool(
      try arguments.tensor(0), try arguments.adaptiveSize(1, "output_size"), #fileID, #line)
  ]
}

private func adaptiveMaxPooled(
  _ arguments: CaseArguments,
  _ pool: (Tensor, AdaptiveSize, StaticString, UInt) -> (values: Tensor, indices: Tensor)
) throws -> [Tensor] {
  let pooled = pool(
    try arguments.tensor(0), try arguments.adaptiveSize(1, "output_size"), #fileID, #line)
  let wantsIndices = try arguments.bool(2, "return_indices") ?? false
  return wantsIndices ? [pooled.values, pooled.indices] : [pooled.values]
}

@Sendable private func interpolated(_ arguments: CaseArguments) throws -> [Tensor] {
  var factors: [Double]?
  switch arguments.value(2, "scale_factor") {
  case nil, .some(.none): break
  case .int(let factor): factors = [Double(factor)]
  case .double(let factor): factors = [factor]
  case .list(let values), .tuple(let values):
    factors = values.compactMap { value in
      switch value {
      case .int(let factor): Double(factor)
      case .double(let factor): factor
      default: nil
      }
    }
  default: throw arguments.mistyped("scale_factor", "numbers")
  }
  let name = try arguments.text(3, "mode") ?? "nearest"
  let mode = name == "nearest-exact" ? .nearestExact : InterpolationMode(rawValue: name)
  guard let mode else { throw CaseObstacle.notWritable("mode \(name)") }
  return [
    Tensor.interpolate(
      try arguments.tensor(0), size: try arguments.extents(1, "size"), scaleFactor: factors,
      mode: mode, alignCorners: try arguments.bool(4, "align_corners"),
      recomputeScaleFactor: try arguments.bool(5, "recompute_scale_factor") ?? false)
  ]
}

@Sendable private func padded(_ arguments: CaseArguments) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  let amounts = try arguments.ints(1, "pad") ?? []
  let value = try arguments.double(3, "value") ?? 0
  let mode: PaddingMode
  switch try arguments.text(2, "mode") ?? "constant" {
  case "constant": mode = .constant(value)
  case "reflect": mode = .reflect
  case "replicate": mode = .replicate
  case "circular": mode = .circular
  case let other: throw CaseObstacle.notWritable("mode \(other)")
  }
  return [x.padded(amounts, mode: mode)]
}
