extension Tensor {
  /// The axes of a dense tensor from the slowest in memory to the fastest.
  ///
  /// Axes of size 1 could go anywhere; they are put where larger ones would be.
  var memoryOrder: [Int] {
    if layout.isContiguous { return Array(shape.indices) }
    if isChannelsLast { return [0] + Array(2..<rank) + [1] }
    return Layout.order(shape, strides)
  }

  /// Whether channels (axis 1) are contiguous in memory, without gaps, and not just because there
  /// is only one channel or one spatial element.
  var isChannelsLast: Bool {
    guard rank >= 3, !layout.isContiguous else { return false }
    let wanted = ConvolutionShape.layout(shape)
    return shape.indices.allSatisfy { shape[$0] == 1 || strides[$0] == wanted.strides[$0] }
  }

  /// Dense: unchanged if channels last already, else in row-major order.
  var denseOverSpace: Tensor { isChannelsLast ? self : contiguous() }

  /// These values with channels (axis 1) contiguous in memory, without gaps.
  var channelsLastDense: Tensor {
    let wanted = ConvolutionShape.layout(shape)
    let isSame = shape.indices.allSatisfy {
      shape[$0] == 1 || layout.strides[$0] == wanted.strides[$0]
    }
    return isSame ? self : copied(to: wanted)
  }

  /// The same values with channels (axis 1) contiguous in memory, for shapes `[N, C, ...]`.
  ///
  /// Shape and indices do not change. Convolutions return their results in this order and need no
  /// copy of such inputs; elementwise operations and normalizations preserve it.
  /// PyTorch: `to(memory_format=torch.channels_last)`.
  public func channelsLast(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      try demand(
        rank >= 3, "channelsLast()", "expected a shape [N, C, ...] with spatial axes, got \(shape)")
      return channelsLastDense.recorded("channelsLast()", from: [self]) { [$0.upstream] }
    }
  }
}
