import NormaNN
import NormaTensor
import Testing

/// Norms of a page each, against their formulas in `float64`.
@Suite struct ModernNormTests {
  /// Images, as they lie by default or channels last, and the same in `float64`.
  private func images(
    _ shape: [Int], seed: UInt64, channelsLast: Bool = false
  ) -> (x: Tensor, wide: Tensor) {
    let x = withSeed(seed) {
      channelsLast
        ? Tensor.randn([shape[0], shape[2], shape[3], shape[1]]).permuted(0, 3, 1, 2)
        : Tensor.randn(shape)
    }
    return (x, x.cast(to: .float64))
  }

  /// Random values for all parameters; and one of them in `float64`, with the channels in axis 1.
  private func fill(_ module: Module) {
    withSeed(99) {
      for parameter in module.parameters {
        parameter.value = (Tensor.randn(parameter.shape) * 0.5 + 0.7).evaluated()
      }
    }
  }

  private func channels(_ parameter: Parameter?) -> Tensor {
    (parameter?.value.detached() ?? .zeros(1)).cast(to: .float64).reshaped(1, -1, 1, 1)
  }

  /// The result, and the gradients of input and parameters, beside those of the formula.
  private func compare(
    _ layer: some Layer, _ x: Tensor, ulps: Double = 4, gradientUlps: Double = 24,
    location: SourceLocation = #_sourceLocation,
    _ formula: (Tensor, [String: Tensor]) -> Tensor
  ) {
    fill(layer)
    let g = withSeed(7) { Tensor.randn(x.shape) }
    let leaf = x.requiringGradient()
    let y = layer(leaf)
    y.backward(upstream: g)
    let twin = x.cast(to: .float64).requiringGradient()
    var twins: [String: Tensor] = [:]
    for (name, parameter) in layer.namedParameters {
      twins[name] = parameter.value.detached().cast(to: .float64).requiringGradient()
    }
    let expected = formula(twin, twins)
    expected.backward(upstream: g.cast(to: .float64))
    func check(_ what: String, _ found: Tensor?, _ truth: Tensor?, _ limit: Double) {
      let size = Double(x.count).squareRoot()
      let error =
        truth.map {
          NormalizationCheck.error(
            found, $0.array(), atLeast: what == "y" || what == "dx" ? 0 : size)
        } ?? .infinity
      if !(error <= limit) || found?.shape != truth?.shape {
        Issue.record("\(what): \(error) ulp of the largest", sourceLocation: location)
      }
    }
    check("y", y, expected, ulps)
    check("dx", leaf.grad, twin.grad, gradientUlps)
    for (name, parameter) in layer.namedParameters {
      check(name, parameter.grad, twins[name]?.grad, gradientUlps)
    }
  }

  private func square(_ x: Tensor, _ axes: [Int]) -> Tensor {
    x.squared().mean(over: axes, keepDims: true)
  }

  private func variance(_ x: Tensor, _ axes: [Int]) -> Tensor {
    x.variance(over: axes, correction: 0, keepDims: true)
  }

  @Test(arguments: [false, true])
  func filterResponse(channelsLast: Bool) {
    let (x, _) = images([2, 3, 4, 5], seed: 1, channelsLast: channelsLast)
    compare(FilterResponseNorm2d(3)) { x, own in
      func of(_ name: String) -> Tensor { own[name]?.reshaped(1, 3, 1, 1) ?? .zeros(1) }
      let y = x / (square(x, [2, 3]) + 1e-5).sqrt() * of("weight") + of("bias")
      return maximum(y, of("tau"))
    }
    let plain = FilterResponseNorm2d(3, threshold: false)
    #expect(plain.stateDict().keys.sorted() == ["bias", "weight"])
    #expect(plain(x).min().item() < 0 && FilterResponseNorm2d(3)(x).min().item() == 0)
    #expect(throws: TensorError.self) { try catchingTensorErrors { plain(x[0]) } }

    func compare(
      _ layer: some Layer, _ formula: (Tensor, [String: Tensor]) -> Tensor
    ) { self.compare(layer, x, formula) }
  }

  @Test(arguments: [1, -1])
  func globalResponse(axis: Int) {
    let x = withSeed(2) { axis == 1 ? Tensor.randn(2, 6, 4, 5) : Tensor.randn(2, 4, 5, 6) }
    let layer = GlobalResponseNorm(6, axis: axis)
    #expect(layer(x).isEqual(to: x) && layer.stateDict().keys.sorted() == ["bias", "weight"])
    let (space, shape) = axis == 1 ? ([2, 3], [1, 6, 1, 1]) : ([1, 2], [1, 1, 1, 6])
    compare(layer, x) { x, own in
      let length = x.squared().sum(over: space, keepDims: true).sqrt()
      let response = length / (length.mean(over: axis, keepDims: true) + 1e-6)
      return (own["weight"] ?? x).reshaped(shape) * (x * response)
        + (own["bias"] ?? x).reshaped(shape) + x
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { layer(.zeros(2, 5, 4, 7)) } }
  }

  @Test func evolvedForBatches() {
    let (x, wide) = images([3, 4, 5, 2], seed: 3)
    let layer = EvoNorm2dB0(4, momentum: 0.3)
    #expect(layer.stateDict().keys.sorted() == ["bias", "running_var", "v", "weight"])
    compare(layer, x, ulps: 8) { x, own in
      func of(_ name: String) -> Tensor { own[name]?.reshaped(1, 4, 1, 1) ?? .zeros(1) }
      let right = x * of("v") + (variance(x, [2, 3]) + 1e-3).sqrt()
      return x / maximum((variance(x, [0, 2, 3]) + 1e-3).sqrt(), right) * of("weight")
        + of("bias")
    }
    BatchNormKindsTests.expect(
      layer.runningVar.value, wide.variance(over: 0, 2, 3) * 0.3 + 0.7, ulps: 1)
    layer.eval()
    let running = layer.runningVar.value.cast(to: .float64).reshaped(1, 4, 1, 1)
    let right = wide * channels(layer.v) + (variance(wide, [2, 3]) + 1e-3).sqrt()
    BatchNormKindsTests.expect(
      layer(x),
      wide / maximum((running + 1e-3).sqrt(), right) * channels(layer.weight)
        + channels(layer.bias), ulps: 8)
    layer.train()
    #expect(throws: TensorError.self) { try catchingTensorErrors { layer(.zeros(1, 4, 1, 1)) } }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { EvoNorm2dB0(4, momentum: .cumulative)(x) }
    }
  }

  @Test(arguments: [false, true])
  func evolvedForSamples(channelsLast: Bool) {
    let (x, _) = images([2, 6, 3, 4], seed: 4, channelsLast: channelsLast)
    compare(EvoNorm2dS0(6, groups: 2), x, ulps: 8) { x, own in
      func of(_ name: String) -> Tensor { own[name]?.reshaped(1, 6, 1, 1) ?? .zeros(1) }
      let spread = (variance(x.reshaped(2, 2, -1), [2]) + 1e-5).sqrt()
      let divisor = spread.broadcast(to: [2, 2, 3]).reshaped(2, 6, 1, 1)
      return x * (x * of("v")).sigmoid() / divisor * of("weight") + of("bias")
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = EvoNorm2dS0(6, groups: 4) }
    }
  }

  @Test func lengths() {
    let x = withSeed(5) { Tensor.randn(3, 4, 5) }
    func length(_ x: Tensor) -> Tensor { x.squared().sum(over: -1, keepDims: true).sqrt() }
    compare(ScaleNorm(5), x) { x, own in x / length(x) * (own["scale"] ?? x) }
    #expect(ScaleNorm(16).scale.value.item() == 4 && ScaleNorm(16).scale.shape == [])
    compare(UnitNorm(), x) { x, _ in x / length(x) }
    #expect(UnitNorm(axis: 1)(x).isEqual(to: Tensor.normalize(x)))
    let heads = QKNorm(5)
    #expect(heads.stateDict().keys.sorted() == ["k_norm.weight", "q_norm.weight"])
    heads.kNorm.weight?.value = .full([5], 2.0)
    let (queries, keys) = heads(queries: x, keys: x)
    #expect((queries * 2).isEqual(to: keys))
    #expect(queries.isEqual(to: rmsNorm(x, normalizedShape: [5], eps: 1e-6)))
  }

  @Test(arguments: [-1, 1])
  func squashing(axis: Int) {
    let x = withSeed(6) { Tensor.randn(3, 5, 5) }
    let layer = DynamicTanh(5, axis: axis)
    #expect(layer.alpha.value.array(of: Float.self) == [0.5])
    compare(layer, x) { x, own in
      let shape = axis == 1 ? [1, 5, 1] : [5]
      return (x * (own["alpha"] ?? x)).tanh() * (own["weight"] ?? x).reshaped(shape)
        + (own["bias"] ?? x).reshaped(shape)
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { layer(.zeros(3, 4)) } }
  }
}
