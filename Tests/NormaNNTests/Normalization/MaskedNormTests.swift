import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Norms of samples give padded data what their values without padding give.
@Suite struct MaskedNormTests {
  /// A norm of `[N, 4, L]` over channels and positions, or positions only.
  enum Norm: String, CaseIterable, Sendable {
    case group, instance, layer, rms

    func callAsFunction(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, mask: Tensor?) -> Tensor {
      switch self {
      case .group:
        return mask.map { groupNorm(x, groups: 2, mask: $0, weight: weight, bias: bias) }
          ?? groupNorm(x, groups: 2, weight: weight, bias: bias)
      case .instance:
        return mask.map { instanceNorm(x, mask: $0, weight: weight, bias: bias) }
          ?? instanceNorm(x, weight: weight, bias: bias)
      case .layer:
        return mask.map {
          layerNorm(x, normalizedShape: [4], axes: [1], mask: $0, weight: weight, bias: bias)
        } ?? layerNorm(x, normalizedShape: [4], axes: [1], weight: weight, bias: bias)
      case .rms:
        return mask.map { rmsNorm(x, normalizedShape: [4], axes: [1], mask: $0, weight: weight) }
          ?? rmsNorm(x, normalizedShape: [4], axes: [1], weight: weight)
      }
    }
  }

  // The gradient of two values cancels.
  private let lengths = [6, 3, 5, 4]

  /// The results of each sample without its padding, and the sums of their gradients.
  private struct Apart {
    var y: [Tensor] = []
    /// Of x, weight and bias.
    var gradients: [Tensor] = []
    /// The largest number on the way to each of them.
    var sums = [0.0, 0.0, 0.0]
  }

  private func apart(_ norm: Norm, _ inputs: [Tensor], _ upstream: Tensor) -> Apart {
    let leaves = inputs.map { $0.requiringGradient() }
    var result = Apart()
    for (n, length) in lengths.enumerated() {
      let part = norm(leaves[0][n..<n + 1, 0..., 0..<length], leaves[1], leaves[2], mask: nil)
      part.backward(upstream: upstream[n..<n + 1, 0..., 0..<length])
      result.y.append(part.detached())
      result.gradients = leaves.map { $0.grad ?? .zeros($0.shape, dtype: $0.dtype) }
      for (index, gradient) in result.gradients.enumerated() {
        result.sums[index] = max(result.sums[index], gradient.abs().max().item())
      }
    }
    return result
  }

  @Test(arguments: Norm.allCases, [DType.float32, .float64, .bfloat16])
  func paddingHasNoInfluence(norm: Norm, dtype: DType) {
    var random = TestRandom(for: "\(#function) \(norm) \(dtype)")
    let shape = [4, 4, 6]
    let values = Tensor(random.doubles(96, mean: 2), shape: shape, dtype: dtype)
    let mask = Tensor.mask(lengths: lengths, over: 2, of: shape)
    let x = Tensor.where(mask, values, .full([], Double.nan, dtype: dtype)).evaluated()
    let upstream = Tensor(random.doubles(96), shape: shape, dtype: dtype)
    let parameters = [0, 1].map { _ in Tensor(random.doubles(4, mean: 1), dtype: dtype) }
    let leaves = ([x] + parameters).map { $0.requiringGradient() }
    let y = norm(leaves[0], leaves[1], leaves[2], mask: mask)
    y.backward(upstream: upstream)
    let whole = apart(norm, [values] + parameters, upstream)
    // Three values can lie so close together that rounding them, or the gradients, once changes the
    // results by many ulps: how much is measured, in float64, with several roundings, as one may
    // cancel by chance.
    let step = 0x1p-30
    let wide = ([values] + parameters).map { $0.cast(to: .float64) }
    func moved(_ x: Tensor) -> Tensor {
      let signs = (0..<x.count).map { _ in Bool.random(using: &random) ? step : -step }
      return x * (Tensor(signs, shape: x.shape) + 1)
    }
    let wideUpstream = upstream.cast(to: .float64)
    let exact = apart(norm, wide, wideUpstream)
    let near = (0..<8).map { _ in
      apart(norm, [moved(wide[0])] + wide.dropFirst(), moved(wideUpstream))
    }
    func condition(_ part: (Apart) -> Tensor) -> Double {
      near.reduce(0) { max($0, (part(exact) - part($1)).abs().max().item() / step) }
    }
    let unit = dtype == .float64 ? 0x1p-50 : dtype == .float32 ? 0x1p-21 : 0x1p-6
    func close(_ a: Tensor, _ b: Tensor, _ what: String, _ scale: Double) {
      let (a, b) = (a.array(of: Double.self), b.array(of: Double.self))
      let scale = b.reduce(max(scale, 1)) { max($0, abs($1)) }
      #expect(
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= unit * scale }, "\(what)")
    }
    for (n, length) in lengths.enumerated() {
      let part = y[n..<n + 1, 0..., 0..<length]
      close(part, whole.y[n], "y \(n)", condition { $0.y[n] })
      #expect(y[n, 0..., length...].array(of: Double.self).allSatisfy { $0 == 0 })
      let rest = leaves[0].grad?[n, 0..., length...].array(of: Double.self) ?? [1]
      #expect(rest.allSatisfy { $0 == 0 })
      func own(_ all: Tensor) -> Tensor { all[n, 0..., 0..<length] }
      close(
        own(leaves[0].grad ?? x), own(whole.gradients[0]), "dx \(n)",
        condition { own($0.gradients[0]) })
    }
    for (index, name) in [(1, "dweight"), (2, "dbias")] where index == 1 || norm != .rms {
      close(
        leaves[index].grad ?? x, whole.gradients[index], name,
        max(condition { $0.gradients[index] }, whole.sums[index]))
    }
  }

  @Test(arguments: Norm.allCases)
  func gradients(norm: Norm) throws {
    var random = TestRandom(for: "\(#function) \(norm)")
    let x = Tensor(random.doubles(96), shape: [4, 4, 6], dtype: .float64)
    let (weight, bias) = (
      Tensor(random.doubles(4, mean: 1), dtype: .float64),
      Tensor(random.doubles(4), dtype: .float64)
    )
    let mask = Tensor.mask(lengths: lengths, over: 2, of: x.shape)
    try checkGradient(
      of: { norm($0[0], $0[1], $0[2], mask: mask) }, at: [x, weight, bias], order: 2)
  }

  /// A mask inside of the normalized axes, as of features that a sample lacks.
  @Test func featuresLeftOut() {
    var random = TestRandom()
    let x = Tensor(random.doubles(3 * 8), shape: [3, 8], dtype: .float32)
    let holds = [true, false, true, true, false, true, true, false]
    let kept = holds.indices.filter { holds[$0] }
    let some = Tensor.concatenated(kept.map { x[0..., $0..<$0 + 1] }, over: 1)
    for (whole, part) in [
      (
        LayerNorm(8)(x, mask: Tensor(holds)), layerNorm(some, normalizedShape: [kept.count])
      ), (RMSNorm(8)(x, mask: Tensor(holds)), rmsNorm(some, normalizedShape: [kept.count])),
      (
        GroupNorm(1, 8)(x, mask: Tensor(holds)), groupNorm(some, groups: 1)
      ),
    ] {
      let found = Tensor.concatenated(kept.map { whole[0..., $0..<$0 + 1] }, over: 1)
      #expect(found.allClose(to: part, rtol: 4e-7, atol: 4e-7))
      #expect(whole[0..., 1].abs().max().item() == 0)
    }
  }

  /// Running statistics follow the samples that have values.
  @Test func runningStatistics() {
    var random = TestRandom()
    let x = Tensor(random.doubles(72, mean: 3), shape: [3, 4, 6], dtype: .float32)
    let layer = InstanceNorm1d(4, momentum: 1, trackRunningStats: true)
    let mask = Tensor.mask(lengths: [6, 0, 1], over: 2, of: x.shape)
    _ = layer(x, mask: mask)
    let (first, third) = (x[0].cast(to: .float64), x[2, 0..., 0].cast(to: .float64))
    let mean = (first.mean(over: 1) + third) / 2
    // One value has no variance.
    let variance = first.variance(over: 1)
    #expect(layer.runningMean?.value.cast(to: .float64).allClose(to: mean, rtol: 1e-6) == true)
    #expect(layer.runningVar?.value.cast(to: .float64).allClose(to: variance, rtol: 1e-6) == true)
    layer.eval()
    let (y, whole) = (layer(x, mask: mask), layer(x))
    #expect(y.isEqual(to: Tensor.where(mask, whole, 0)))
    // Nothing is selected, so nothing changes.
    layer.train()
    let before = layer.runningMean?.value.array(of: Float.self)
    #expect(layer(x, mask: .zeros(6)).abs().max().item() == 0)
    #expect(layer.runningMean?.value.array(of: Float.self) == before)
  }

  @Test func oneValueIsTheBias() {
    let layer = GroupNorm(1, 2)
    layer.bias?.value = Tensor([3, -1] as [Float])
    let mask = Tensor([true, false, false, false, false, false], shape: [1, 2, 3])
    let y = layer(.full([1, 2, 3], 7.0), mask: mask)
    #expect(y.array(of: Float.self) == [3, 0, 0, 0, 0, 0])
  }

  @Test func masksOfLengths() {
    let mask = Tensor.mask(lengths: [2, 0], over: 1, of: [2, 3, 5])
    #expect(mask.shape == [2, 3, 1] && mask.dtype == .bool)
    #expect(mask.array(of: Double.self) == [1, 1, 0, 0, 0, 0])
    let message = BatchNormSettingsTests.message
    #expect(
      message { .mask(lengths: [4, 0], over: 1, of: [2, 3]) }
        == "mask(lengths:over:of:): length 4 is out of range; axis 1 has lengths from 0 to 3")
    #expect(message { .mask(lengths: [1], over: 1, of: [2, 3]) }.contains("one for each sample"))
    #expect(
      message { .mask(lengths: [1, 1], over: 0, of: [2, 3]) }.contains("one for each sample"))
    #expect(
      message { LayerNorm(3)(.zeros(2, 3), mask: .ones(4)) }
        == "LayerNorm(_:mask:): the mask has shape [4], which does not stretch to [2, 3]")
    #expect(message { GroupNorm(2, 4)(.zeros(2, 4), mask: .ones(3)) }.contains("mask has shape"))
    #expect(message { InstanceNorm1d(4)(.zeros(2, 4), mask: .ones(3)) }.contains("mask has shape"))
    #expect(message { RMSNorm(3)(.zeros(2, 3), mask: .ones(2, 1, 3)) }.contains("mask has shape"))
  }
}
