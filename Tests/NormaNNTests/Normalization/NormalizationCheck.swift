import NormaReference
import NormaTensor
import Testing

/// What a normalization and its gradients should be, in the shape in which it reduces whole axes.
struct NormalizationCheck {
  /// The reduced axes of `shape`.
  let axes: [Int]
  /// The input's shape, with channels split into groups.
  let shape: [Int]
  /// The parameters' sizes beside `shape`.
  let parameterShape: [Int]
  var isCentered = true
  var eps = 1e-5

  /// The worst errors of y, dx, dweight and dbias, in ulp of the largest expected value.
  ///
  /// - Parameter normalize: the normalization of an input with weight and bias of all channels or
  ///   positions, in one axis.
  func errors(
    _ x: Tensor, weight: [Double], bias: [Double]?, upstream: [Double],
    _ normalize: (Tensor, Tensor, Tensor?) -> Tensor
  ) -> [String: Double] {
    let dtype = x.dtype
    let leaf = x.requiringGradient()
    let scale = Tensor(weight, dtype: dtype).requiringGradient()
    let shift = bias.map { Tensor($0, dtype: dtype).requiringGradient() }
    let g = Tensor(upstream, shape: x.shape, dtype: dtype)
    let y = normalize(leaf, scale, shift)
    guard y.shape == x.shape, y.dtype == dtype else { return ["shape or type": .infinity] }
    y.backward(upstream: g)
    let input = ReferenceTensor(shape: shape, values: x.array())
    var definition = ReferenceNormalization(
      over: axes, weight: ReferenceTensor(shape: parameterShape, values: scale.array()),
      isCentered: isCentered)
    definition.eps = eps
    let normalized = definition.normalized(input)
    let shifts = ReferenceTensor(
      shape: parameterShape, values: shift?.array() ?? weight.map { _ in 0 })
    let expected = ReferenceTensor(shape: shape) { index in
      let place = zip(index, parameterShape).map { $1 == 1 ? 0 : $0 }
      return normalized[index] * definition.weight[place] + shifts[place]
    }
    let gradients = definition.gradients(
      input, ReferenceTensor(shape: shape, values: g.array()))
    // Sums of many terms of either sign may cancel.
    let size = Double(x.count).squareRoot()
    var errors = [
      "y": Self.error(y, expected.values), "dx": Self.error(leaf.grad, gradients.x.values),
      "dweight": Self.error(scale.grad, gradients.weight.values, atLeast: size),
    ]
    if let shift {
      errors["dbias"] = Self.error(shift.grad, gradients.bias.values, atLeast: size)
    }
    return errors
  }

  static func error(_ found: Tensor?, _ expected: [Double], atLeast: Double = 0) -> Double {
    guard let found, found.count == expected.count else { return .infinity }
    let scale = expected.reduce(atLeast) { max($0, abs($1)) }
    let unit = BatchNormTests.unit(found.dtype) * max(scale.binade, .leastNormalMagnitude)
    return zip(found.array(of: Double.self), expected).reduce(0) { worst, pair in
      let error = abs(pair.0 - pair.1)
      return error.isNaN ? .infinity : max(worst, error / unit)
    }
  }

  /// The helper itself must detect errors.
  static func expectSmall(
    _ errors: [String: Double], limit: Double, _ what: String,
    location: SourceLocation = #_sourceLocation
  ) {
    for (name, error) in errors where !(error <= limit) {
      Issue.record("\(name) of \(what): \(error) ulp of the largest", sourceLocation: location)
    }
  }
}

@Suite struct NormalizationCheckTests {
  @Test func itNotices() {
    let x = Tensor([1, 2, 4, 8, 3, 5], shape: [2, 3], dtype: .float64)
    let check = NormalizationCheck(axes: [1], shape: [2, 3], parameterShape: [1, 3])
    let upstream = [1.0, -2, 3, 0.5, 2, -1]
    func errors(_ change: @escaping (Tensor) -> Tensor) -> [String: Double] {
      check.errors(x, weight: [1, 2, 3], bias: [0, 1, 2], upstream: upstream) { x, weight, bias in
        let centered = x - x.mean(over: 1, keepDims: true)
        let variance = x.variance(over: 1, correction: 0, keepDims: true)
        return change(centered / (variance + 1e-5).sqrt() * weight + (bias ?? weight))
      }
    }
    #expect(errors { $0 }.values.allSatisfy { $0 <= 20 })
    #expect(errors { $0 * (1 + 1e-12) }.values.allSatisfy { $0 > 1000 })
    #expect(errors { $0 * Double.nan }.values.allSatisfy { $0 == .infinity })
    #expect(errors { $0[0] } == ["shape or type": .infinity])
  }
}
