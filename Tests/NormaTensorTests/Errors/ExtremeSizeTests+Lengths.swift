import NormaTensor

/// Axes of a length that only broadcasting makes possible.
extension ExtremeSizeTests {
  /// Besides the numbers of all calls, lengths between those that fit 32 bits and those that exceed
  /// all memory.
  static let longAxes = [1 << 31, 1 << 33, 1 << 40]

  static func lengths(_ n: Int) -> [() -> Any] {
    func long(_ shape: Int...) -> Tensor { Tensor.ones(1).broadcast(to: shape) }
    // Operations that read or write all elements get more than any machine can hold.
    let m = n > 1 << 20 ? max(n, 1 << 40) : n
    let one = Tensor.ones(1, 1, 1)
    return [
      { maxPool1d(long(1, 1, n), kernelSize: 2) },
      { maxPool1d(long(1, 1, n), kernelSize: 1, stride: 1 << 20) },
      { maxPool2d(long(1, 1, 2, n), kernelSize: [2, 1], stride: 1 << 30) },
      { maxPool3d(long(1, 1, 2, n, 2), kernelSize: 2) },
      { adaptiveMaxPool1d(long(1, 1, n), outputSize: 2) },
      { adaptiveMaxPool2d(long(1, 1, n, 2), outputSize: [1, nil]) },
      { adaptiveMaxPool3d(long(1, 1, 2, 2, n), outputSize: 1) },
      { avgPool1d(long(1, 1, n), kernelSize: 1, stride: 1 << 21) },
      { avgPool1d(long(1, 1, n), kernelSize: 1 << 30, stride: 1 << 30) },
      { avgPool2d(long(1, 1, 2, n), kernelSize: 2, divisorOverride: 3) },
      { avgPool3d(long(1, 1, n, 2, 2), kernelSize: 2) },
      { adaptiveAvgPool1d(long(1, 1, n), outputSize: 1) },
      { adaptiveAvgPool1d(long(1, 1, n), outputSize: 2) },
      { adaptiveAvgPool2d(long(1, 1, n, 2), outputSize: [3, nil]) },
      { adaptiveAvgPool3d(long(1, 1, 2, 2, n), outputSize: 2) },
      { maxUnpool1d(long(1, 1, n), indices: long(1, 1, n).cast(to: .int64), kernelSize: 2) },
      { Tensor.interpolate(long(1, 1, n), size: 2) },
      { Tensor.interpolate(long(1, 1, n), size: 2, mode: .linear) },
      { Tensor.interpolate(long(1, 1, n), size: 2, mode: .area) },
      { Tensor.interpolate(long(1, 1, 2, n), size: 2, mode: .bicubic) },
      { Tensor.interpolate(long(1, 1, n), scaleFactor: [1e-12], mode: .nearestExact) },
      { Tensor.unfold(long(1, 1, 2, n), kernelSize: 2, stride: 1 << 30) },
      { Tensor.fold(long(1, 1, n), outputSize: 4, kernelSize: 1) },
      { conv1d(long(1, 1, m), weight: one, stride: 1 << 30) },
      { conv1d(Tensor.ones(1, 1, 9), weight: long(1, 1, n), dilation: 1 << 30) },
      { conv1d(Tensor.ones(1, 1, 9), weight: long(1, 1, n), padding: .same) },
      { conv1d(Tensor.ones(1, 4, 9), weight: long(1, n, 1), groups: 1 << 30) },
      { conv2d(long(1, 1, n, 2), weight: long(1, 1, n, 1)) },
      { convTranspose1d(long(1, 1, m), weight: one, stride: 1 << 30) },
      { convTranspose1d(long(1, 1, m), weight: one, stride: 2) },
      { convTranspose1d(Tensor.ones(1, 1, 9), weight: long(1, 1, n), dilation: 1 << 30) },
      { convTranspose1d(Tensor.ones(1, 4, 9), weight: long(4, m, 1), groups: 4) },
      { long(1, 1, m).padded([1, 1], mode: .reflect) },
      { long(1, 1, m).padded([m, m], mode: .circular) },
      { pixelShuffle(long(1, 4, m, 2), upscaleFactor: 2) },
      { long(1, 1, n).unfolded(over: 2, size: 2, step: n / 2) },
    ]
  }
}
