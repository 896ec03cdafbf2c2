import Foundation
import NormaNN
import NormaTensor
import Testing

/// A small network in mixed precision beside torch.autocast("cpu"), and the scaling of losses.
@Suite(.seeded) struct MixedPrecisionTests {
  private static func numbers(_ factor: Int, _ modulus: Int, _ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    let numbers = Tensor.remainder(Tensor.arange(count) * factor, modulus).cast(to: .float32)
    return (numbers / Double(modulus) - 0.5).reshaped(shape)
  }

  private struct Network {
    let conv = Conv2d(2, 3, kernelSize: 3)
    let norm = BatchNorm2d(3)
    let fc = Linear(27, 4)
    var parameters: [Parameter] { conv.parameters + norm.parameters + fc.parameters }

    init() {
      conv.weight.value = numbers(5, 17, [3, 2, 3, 3])
      conv.bias?.value = numbers(3, 7, [3])
      fc.weight.value = numbers(11, 29, [4, 27])
      fc.bias?.value = numbers(3, 5, [4])
    }

    func callAsFunction(_ x: Tensor) -> [Tensor] {
      let first = conv(x)
      let second = norm(first)
      return [first, second, fc(second.relu().flattened(from: 1))]
    }
  }

  private static let x = numbers(7, 23, [2, 2, 5, 5])
  private static let y = Tensor([1, 3] as [Int64])

  /// Within what two roundings of the type make.
  @Test(arguments: [
    (
      DType.bfloat16, 1.32778000831604,
      [-0.227539, 0.117188, -1.78125, -0.5, -0.410156, -0.120117, 0.326172, -0.519531],
      [0.241211, -0.165039, 0.227539, -0.304688], 14.251038, 14.889587
    ),
    (
      .float16, 1.3272660970687866,
      [-0.227539, 0.123413, -1.785156, -0.502441, -0.407715, -0.120544, 0.32666, -0.522949],
      [0.241699, -0.165039, 0.227295, -0.303955], 14.240189, 14.883072
    ),
  ])
  func networkOfPyTorch(
    _ type: DType, _ loss: Double, _ scores: [Double], _ biasGradient: [Double], _ ofKernel: Double,
    _ ofMatrix: Double
  ) {
    let network = Network()
    let (results, own) = autocast(type) {
      let results = network(Self.x)
      return (results, crossEntropy(results[2], Self.y))
    }
    #expect(results.map(\.dtype) == [type, type, type] && own.dtype == .float32)
    own.backward()
    #expect(network.parameters.allSatisfy { $0.grad?.dtype == .float32 })
    let unit = type == .bfloat16 ? 0x1p-8 : 0x1p-11
    func isClose(_ a: Tensor, _ b: [Double], _ units: Double) -> Bool {
      (a.cast(to: .float64).flattened() - Tensor(b)).abs().max().item() <= units * unit
    }
    #expect(isClose(results[2].detached(), scores, 4), "\(results[2])")
    #expect(abs(own.item() - loss) <= 4 * unit)
    #expect(isClose(network.fc.bias?.grad ?? .zeros(4), biasGradient, 1))
    let sums = [network.conv.weight, network.fc.weight].map { $0.grad?.abs().sum().item() ?? 0 }
    #expect(abs(sums[0] / ofKernel - 1) < 2 * unit && abs(sums[1] / ofMatrix - 1) < 2 * unit)
    // Running statistics stay in float32.
    #expect(network.norm.runningMean?.value.dtype == .float32)
  }

  @Test func layersAndLosses() {
    let x = Tensor.randn(2, 4)
    let (query, key) = (Self.numbers(7, 23, [1, 2, 4, 8]), Self.numbers(5, 19, [1, 2, 5, 8]))
    let value = Self.numbers(3, 13, [1, 2, 5, 8])
    let mask = Tensor.zeros(4, 5)
    autocast(.bfloat16) {
      let scores = Linear(4, 3)(x)
      #expect(scores.dtype == .bfloat16)
      // torch.nn.functional.scaled_dot_product_attention
      let attention = scaledDotProductAttention(query, key, value, mask: mask)
      let expected = Tensor(
        [-0.007782, 0.013428, -0.158203, -0.101562, 0.128906, -0.063477, -0.0354, -0.178711])
      #expect(attention.dtype == .bfloat16)
      #expect(
        (attention.flattened()[0..<8].cast(to: .float64) - expected).abs().max().item() < 1e-3)
      #expect(bilinear(x, x, weight: .ones(2, 4, 4)).dtype == .float32)
      #expect(LayerNorm(3)(scores).dtype == .bfloat16)
      #expect(GroupNorm(1, 3)(scores).dtype == .bfloat16)
      #expect(scores.softmax(over: 1).dtype == .bfloat16 && scores.mean().dtype == .bfloat16)
      let target = Tensor.zeros(2, 3)
      let classes = Tensor([0, 2] as [Int64])
      for loss in [
        mseLoss(scores, target), l1Loss(scores, scores.detached()), huberLoss(scores, target),
        crossEntropy(scores, classes), nllLoss(scores.logSoftmax(over: 1), classes),
        binaryCrossEntropyWithLogits(scores, target), binaryCrossEntropy(scores.sigmoid(), target),
        klDivergence(scores, target), multiMarginLoss(scores, classes),
        multiLabelMarginLoss(scores, Tensor.zeros([2, 3], dtype: .int64)),
        multiLabelSoftMarginLoss(scores, target), softMarginLoss(scores, target + 1),
        tripletMarginLoss(scores, scores, scores.detached()),
        poissonNLLLoss(scores, scores.detached()),
        gaussianNLLLoss(scores, scores.detached(), variance: .ones(2, 3)),
        ctcLoss(scores.unsqueezed(1), Tensor([[1]] as [[Int64]])),
      ] { #expect(loss.dtype == .float32) }
      // A weight's statistics are not among its products.
      let layer = spectralNorm(Linear(4, 3))
      #expect(layer.weight.value.dtype == .float32)
    }
    let half = Tensor.ones(3, dtype: .bfloat16)
    #expect(mseLoss(half, half).dtype == .bfloat16)
  }

  @Test func scaling() throws {
    let parameter = Parameter(Tensor([1, 2] as [Float]))
    let optimizer = SGD([parameter], learningRate: 0.5)
    let scaler = GradientScaler(scale: 1024, growthInterval: 2)
    func round(_ factor: Float) -> Bool {
      optimizer.zeroGrad()
      scaler.scaled((parameter.value * Double(factor)).sum()).backward()
      defer { scaler.update() }
      return scaler.step(optimizer)
    }
    #expect(round(1) && parameter.value.array() == [0.5, 1.5] as [Float])
    #expect(scaler.state.scale == 1024 && scaler.state.goodSteps == 1)
    #expect(round(-1) && scaler.state.scale == 2048 && scaler.state.goodSteps == 0)
    #expect(round(0) && scaler.state.goodSteps == 1)
    // No step is taken for gradients that are infinite or NaN.
    for factor in [Float.infinity, -.infinity, .nan] { #expect(!round(factor)) }
    #expect(parameter.value.array() == [1, 2] as [Float] && optimizer.stepCount == 3)
    #expect(scaler.state.scale == 256 && scaler.state.goodSteps == 0)
    // Clipping happens in between.
    optimizer.zeroGrad()
    scaler.scaled(parameter.value.sum() * 3).backward()
    scaler.unscale(optimizer)
    #expect(parameter.grad?.array() == [3, 3] as [Float])
    try clipGradients(of: [parameter], norm: 1)
    #expect(scaler.step(optimizer))
    scaler.update()
    #expect(abs(parameter.value.detached()[0].item() - 0.6464) < 1e-3)
    // A resumed run continues.
    let saved = try JSONDecoder().decode(
      GradientScaler.State.self, from: JSONEncoder().encode(scaler.state))
    let other = GradientScaler(growthInterval: 2)
    other.state = saved
    #expect(other.state.scale == 256 && other.state.goodSteps == 1)
    // The factor stays finite.
    let largest = GradientScaler(scale: 0x1p127, growthInterval: 1)
    parameter.grad = .zeros(2)
    largest.step(optimizer)
    largest.update()
    #expect(largest.state.scale == 0x1p127)
    // Of two optimizers, only the one with finite gradients steps, and the factor shrinks.
    let second = Parameter(.ones(1))
    let others = [SGD([second], learningRate: 1), optimizer]
    second.grad = .full([1], Float(1024))
    parameter.grad = .full([2], Float.nan)
    let two = GradientScaler(scale: 1024)
    #expect(others.map { two.step($0) } == [true, false] && second.value.item() == 0)
    two.update()
    #expect(two.state.scale == 512)
    let idle = GradientScaler(isEnabled: false)
    #expect(idle.scaled(Tensor(3 as Float)).item() == 3)
    parameter.grad = .full([2], Float.infinity)
    idle.unscale(optimizer)
    #expect(idle.step(optimizer))
    idle.update()
  }

  /// Without the factor the gradient of float16 would be 0.
  @Test func smallGradientsDoNotVanish() {
    let layer = Linear(1, 1, bias: false)
    layer.weight.value = .ones(1, 1)
    let optimizer = SGD(layer.parameters, learningRate: 1)
    let scaler = GradientScaler(scale: 0x1p16)
    for (isScaled, expected) in [(false, 0), (true, 0x1p-26)] {
      optimizer.zeroGrad()
      let loss = autocast(.float16) { layer(.ones(1, 1)).cast(to: .float32).sum() * 0x1p-26 }
      (isScaled ? scaler.scaled(loss) : loss).backward()
      if isScaled { scaler.unscale(optimizer) }
      #expect(layer.weight.grad?.item() == expected)
    }
    let half = autocast(.float16) { layer(.ones(1, 1)).sum() }
    #expect(half.dtype == .float16 && scaler.scaled(half).item() == 0x1p16)
  }

  @Test func mistakesAreRefused() {
    let half = Parameter(.ones(2, dtype: .float16))
    half.grad = .ones(2, dtype: .float16)
    let optimizer = SGD([Parameter(.ones(1))])
    let mistakes: [(String, () -> Void)] = [
      ("scale must be positive", { _ = GradientScaler(scale: 0) }),
      ("growth must be above 1", { _ = GradientScaler(growth: 1) }),
      ("backoff must be", { _ = GradientScaler(backoff: 1) }),
      ("growthInterval must be", { _ = GradientScaler(growthInterval: 0) }),
      ("is float16; keep parameters in float32", { _ = GradientScaler().step(SGD([half])) }),
      ("call step(_:) or unscale", { GradientScaler().update() }),
      (
        "were divided already",
        {
          let scaler = GradientScaler()
          scaler.unscale(optimizer)
          scaler.unscale(optimizer)
        }
      ),
      (
        "a step was taken already",
        {
          let scaler = GradientScaler()
          scaler.step(optimizer)
          scaler.step(optimizer)
        }
      ),
    ]
    for (text, body) in mistakes {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors(body) }
      #expect(error?.description.contains(text) == true, "\(text): \(error as Any)")
    }
    #expect(half.value.array() == [1, 1] as [Float])
  }
}
