import NormaTensor

/// The effect of a normalization on each channel in evaluation: x * scale + shift, in `float64`.
package struct ChannelMap {
  package let scale: Tensor
  package let shift: Tensor

  /// The map of a batch norm or frozen batch norm; nil for other layers.
  init?(anyOf layer: any Layer, call: String) throws(TensorError) {
    if let norm = layer as? BatchNorm {
      try self.init(norm, call: call)
    } else if let norm = layer as? FrozenBatchNorm2d {
      try self.init(
        mean: norm.runningMean.value, variance: norm.runningVar.value, eps: norm.eps,
        weight: norm.weight.value, bias: norm.bias.value, call: call)
    } else {
      return nil
    }
  }

  /// The map of a layer in evaluation.
  package init(_ norm: BatchNorm, call: String) throws(TensorError) {
    guard let mean = norm.runningMean?.value, let variance = norm.runningVar?.value else {
      throw TensorError(
        call, "the layer has no running statistics: in evaluation, too, it follows its batch")
    }
    if norm.statistics == .batch && !norm.isFrozen {
      throw TensorError(
        call, "the layer normalizes with its batch in evaluation; set statistics to .auto")
    }
    try self.init(
      mean: mean, variance: variance, eps: norm.eps, weight: norm.weight?.value,
      bias: norm.bias?.value, call: call)
  }

  /// scale = weight / √(variance + eps), shift = bias - mean * scale.
  init(
    mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?, call: String
  ) throws(TensorError) {
    func wide(_ tensor: Tensor) -> Tensor { tensor.detached().cast(to: .float64) }
    let inverse = (wide(variance) + eps).rsqrt()
    let scale = weight.map { wide($0) * inverse } ?? inverse
    let moved = wide(mean) * scale
    let shift = bias.map { wide($0) - moved } ?? -moved
    (self.scale, self.shift) = (scale, shift)
    Tensor.evaluate([scale, shift])
    let numbers = zip(scale.array(of: Double.self), shift.array(of: Double.self))
    for (channel, (scale, shift)) in numbers.enumerated()
    where !(scale.isFinite && shift.isFinite) {
      throw TensorError(
        call,
        "channel \(channel) has running mean \(mean[channel].item()) and running variance "
          + "\(variance[channel].item()), which give no finite scale and shift")
    }
  }

  var channels: Int { scale.count }
  /// Whether zero maps to zero in every channel.
  var keepsZero: Bool { !shift.array(of: Double.self).contains { $0 != 0 } }
}
