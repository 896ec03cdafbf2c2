import NormaTensor
import Testing

/// Programs in which one number per channel is computed while slices run.
@Suite struct SingleValueTests {
  @Test func aChannelsMeanSurvivesSeveralTiles() {
    // 64 x 64 values a channel are more than one tile; the mean is converted once per channel.
    let values = (0..<65536).map { (i: Int) -> Float in Float(i * 7919 % 1013) / 1013 }
    let x = Tensor(values, shape: [2, 8, 64, 64])
    let axes = [0, 2, 3]
    let std = (x.std(over: axes, keepDims: true) + 1e-5).evaluated()
    let mean = x.mean(over: axes, keepDims: true).evaluated()
    let right = ((x - mean) / std).evaluated()
    let pending = (x - x.mean(over: axes, keepDims: true)) / std
    #expect(pending.isEqual(to: right))
  }
}
