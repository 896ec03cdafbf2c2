import NormaNN
import NormaTensor
import Testing

/// Weight norm and spectral norm, with PyTorch's numbers.
@Suite struct WeightParametrizationTests {
  /// sin(0.37 i) in a shape.
  static func waves(_ shape: [Int]) -> Tensor {
    (Tensor.arange(shape.reduce(1, *)).cast(to: .float64) * 0.37).sin().cast(to: .float32)
      .reshaped(shape)
  }

  static func linear() -> Linear {
    let layer = Linear(3, 2)
    layer.weight.value = waves([2, 3])
    layer.bias?.value = .zeros(2)
    return layer
  }

  static func expect(
    _ found: Tensor?, _ values: [Double], _ tolerance: Double = 2e-7,
    location: SourceLocation = #_sourceLocation
  ) {
    let numbers = found?.array(of: Double.self) ?? []
    let errors = zip(numbers, values).map { abs($0 - $1) }
    #expect(
      numbers.count == values.count && errors.allSatisfy { $0 <= tolerance }, "\(numbers)",
      sourceLocation: location)
  }

  @Test func weightNormAsInPyTorch() throws {
    let layer = weightNorm(Self.linear())
    #expect(
      layer.stateDict().keys.sorted() == [
        "bias", "parametrizations.weight.original0", "parametrizations.weight.original1",
      ])
    let norm = try #require(layer.weight.parametrization as? WeightNorm)
    #expect(norm.original0.shape == [2, 1])
    Self.expect(norm.original0.value, [0.76513392, 1.64866757])
    Self.expect(layer.weight.value, Self.waves([2, 3]).array())
    norm.original0.value = norm.original0.value * 2
    let y = layer(Self.waves([2, 3]))
    Self.expect(y, [1.17085981, 2.01660442, 2.01660442, 5.43620968], 1e-6)
    y.backward(upstream: Self.waves([2, 2]))
    Self.expect(norm.original0.grad, [0.88858420, 1.69786835], 5e-7)
    Self.expect(
      norm.original1.grad,
      [1.20791757, 0.50310045, -0.26980883, -0.24030538, -0.00565143, 0.22976716], 5e-7)
    #expect(layer.namedParameters.count == 3 && layer.weight.grad == nil)
  }

  @Test func lengthsAlongOtherAxes() {
    func length(_ axis: Int?) -> Tensor? {
      (weightNorm(Self.linear(), axis: axis).weight.parametrization as? WeightNorm)?
        .original0.value
    }
    #expect(length(nil)?.shape == [] && length(1)?.shape == [1, 3] && length(-2)?.shape == [2, 1])
    Self.expect(length(nil), [1.81756282])
  }

  @Test func removalAndAssignment() throws {
    let layer = weightNorm(Conv2d(2, 3, kernelSize: 2))
    let weight = Self.waves([3, 2, 2, 2])
    layer.weight.value = weight
    Self.expect(layer.weight.value, weight.array())
    let other = weightNorm(Conv2d(2, 3, kernelSize: 2))
    try other.load(layer.stateDict())
    let x = Self.waves([1, 2, 4, 4])
    #expect(other(x).isEqual(to: layer(x)))
    let before = layer(x)
    layer.weight.removeParametrization()
    #expect(layer(x).isEqual(to: before) && layer.weight.parametrization == nil)
    #expect(layer.stateDict().keys.sorted() == ["bias", "weight"])
    layer(x).sum().backward()
    #expect(layer.weight.grad?.shape == [3, 2, 2, 2])
  }

  @Test func spectralNormAsInPyTorch() throws {
    let layer = withSeed(0) {
      // PyTorch draws the layer's own parameters first.
      spectralNorm(Self.linear())
    }
    let names = [
      "bias", "parametrizations.weight.0._u", "parametrizations.weight.0._v",
      "parametrizations.weight.original",
    ]
    #expect(layer.stateDict().keys.sorted() == names)
    Self.expect(layer.stateDict()[names[1]], [0.36972767, 0.92914015])
    Self.expect(layer.stateDict()[names[2]], [0.47120762, 0.59961170, 0.64686102])
    let y = layer(Self.waves([2, 3]))
    Self.expect(y, [0.33146986, 0.57089972, 0.57089972, 1.53898835], 5e-7)
    y.sum().backward()
    Self.expect(
      layer.weight.parametrization?.namedParameters.first?.parameter.grad,
      [0.21000758, 0.39050746, 0.51815391, -0.23957121, -0.18158144, -0.09901571], 1e-6)
    let after = layer.stateDict()
    layer.eval()
    _ = layer(Self.waves([2, 3])).evaluated()
    #expect(layer.stateDict()[names[1]]?.isEqual(to: after[names[1]] ?? .zeros(1)) == true)
    layer.train()
    for _ in 0..<40 { _ = layer(Self.waves([2, 3])) }
    // The largest singular value of what is left is 1.
    let w = layer.weight.value.detached()
    let gram = w.matmul(w.transposed()).array(of: Double.self)
    let (half, determinant) = ((gram[0] + gram[3]) / 2, gram[0] * gram[3] - gram[1] * gram[2])
    #expect(abs(half + (half * half - determinant).squareRoot() - 1) < 1e-6)
  }

  @Test func spectralNormOfATransposedConvolution() {
    let layer = withSeed(0) { () -> ConvTranspose2d in
      let layer = ConvTranspose2d(2, 3, kernelSize: 2)
      layer.weight.value = Self.waves([2, 3, 2, 2])
      return spectralNorm(layer, powerIterations: 2)
    }
    let weight = layer.weight.value
    let state = layer.stateDict()
    Self.expect(
      state["parametrizations.weight.0._u"], [0.71252459, 0.15260303, -0.68485105], 5e-7)
    Self.expect(
      state["parametrizations.weight.0._v"]?[..<4],
      [0.00945175, 0.17793201, 0.32233003, 0.42310214], 5e-7)
    Self.expect(
      weight.flattened()[..<4],
      [0.00000000, 0.12080412, 0.22525795, 0.29922417], 5e-7)
  }

  @Test func mistakes() {
    for call in [
      { weightNorm(Linear(3, 2), name: "weigth") }, { weightNorm(Linear(3, 2), axis: 2) },
      { spectralNorm(Linear(3, 2), powerIterations: 0) }, { spectralNorm(Linear(3, 2), axis: -3) },
      { weightNorm(weightNorm(Linear(3, 2))) },
    ] as [() -> Linear] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { _ = call() } }
    }
  }
}
