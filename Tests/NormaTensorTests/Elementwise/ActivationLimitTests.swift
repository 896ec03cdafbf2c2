import NormaTensor
import Testing

/// Activations of infinite elements equal their limits, and so do their slopes.
@Suite struct ActivationLimitTests {
  typealias Limits = (values: [Double], slopes: [Double])

  /// At -∞ and ∞.
  static let functions: [(String, @Sendable (Tensor) -> Tensor, Limits)] = [
    ("silu", { $0.silu() }, ([0, .infinity], [0, 1])),
    ("gelu", { $0.gelu() }, ([0, .infinity], [0, 1])),
    ("gelu by tanh", { $0.gelu(approximatingByTanh: true) }, ([0, .infinity], [0, 1])),
    ("mish", { $0.mish() }, ([0, .infinity], [0, 1])),
    ("hardswish", { $0.hardswish() }, ([0, .infinity], [0, 1])),
    ("softsign", { $0.softsign() }, ([-1, 1], [0, 0])),
    ("softplus", { $0.softplus() }, ([0, .infinity], [0, 1])),
    ("logSigmoid", { $0.logSigmoid() }, ([-.infinity, 0], [1, 0])),
    ("tanhshrink", { $0.tanhshrink() }, ([-.infinity, .infinity], [1, 1])),
    ("elu", { $0.elu() }, ([-1, .infinity], [0, 1])),
    ("celu", { $0.celu(alpha: 0.5) }, ([-0.5, .infinity], [0, 1])),
    ("hardsigmoid", { $0.hardsigmoid() }, ([0, 1], [0, 0])),
    ("sigmoid", { $0.sigmoid() }, ([0, 1], [0, 0])),
    ("relu", { $0.relu() }, ([0, .infinity], [0, 1])),
    ("leakyRelu", { $0.leakyRelu() }, ([-.infinity, .infinity], [0.01, 1])),
    ("softshrink", { $0.softshrink() }, ([-.infinity, .infinity], [1, 1])),
    ("hardshrink", { $0.hardshrink() }, ([-.infinity, .infinity], [1, 1])),
  ]

  @Test(arguments: functions.indices, [DType.float64, .float32, .float16, .bfloat16])
  func limits(index: Int, dtype: DType) {
    let (name, function, limits) = Self.functions[index]
    // Few elements run one by one, many in a program.
    for copies in [1, 40_000] {
      let pair = Tensor([-Double.infinity, .infinity]).cast(to: dtype)
      let x = pair.reshaped(2, 1).broadcast(to: [2, copies]).requiringGradient()
      let y = function(x)
      y.backward(upstream: .ones(y.shape, dtype: dtype))
      let slopes = x.grad ?? .full([2, copies], Double.nan)
      for place in [0, copies - 1] {
        let found = (0..<2).map { y.item(at: $0, place) }
        #expect(found == limits.values, "\(name) \(dtype): \(found)")
        let slope = (0..<2).map { slopes.item(at: $0, place) }
        #expect(slope == limits.slopes.map(dtype.rounded), "\(name) \(dtype): slopes \(slope)")
      }
    }
  }

  /// The largest numbers for which nothing is infinite yet.
  @Test(arguments: [DType.float64, .float32, .float16, .bfloat16]) func largestNumbers(dtype: DType)
  {
    let most =
      dtype == .float64
      ? Double.greatestFiniteMagnitude
      : dtype == .float16
        ? 65504
        : dtype == .float32
          ? Double(Float.greatestFiniteMagnitude) : 0x1.fep127
    let x = Tensor([-most, most]).cast(to: dtype)
    for (name, function, limits) in Self.functions[..<5] {
      let values = function(x).array(of: Double.self)
      #expect(values == [limits.values[0], most], "\(name) \(dtype): \(values)")
    }
    #expect(x.softsign().array(of: Double.self) == [-1, 1])
  }

  /// Elements that `where` does not choose have no influence on the gradient, unless they come from
  /// a function with an infinite slope: its operand must be chosen, too.
  @Test func functionsWithInfiniteSlopesInsideWhere() {
    func slopes(_ function: (Tensor) -> Tensor) -> [Double] {
      Tensor.gradient(of: { function($0).sum() }, at: Tensor([0.0, 4])).array(of: Double.self)
    }
    let naive = slopes { Tensor.where($0 .> 0, $0.sqrt(), 0) }
    #expect(naive[0].isNaN && naive[1] == 0.25)
    let safe: [((Tensor) -> Tensor, Double)] = [
      ({ x in Tensor.where(x .> 0, Tensor.where(x .> 0, x, 1).sqrt(), 0) }, 0.25),
      ({ x in Tensor.where(x .> 0, Tensor.where(x .> 0, x, 1).log(), 0) }, 0.25),
      ({ x in Tensor.where(x .== 0, 0, 1 / Tensor.where(x .== 0, 1, x)) }, -0.0625),
      ({ x in Tensor.where(x .> 0, pow(Tensor.where(x .> 0, x, 1), 0.5), 0) }, 0.25),
    ]
    for (function, expected) in safe { #expect(slopes(function) == [0, expected]) }
    // The gradient of an element that is not chosen is 0 even if the upstream gradient is infinite.
    let x = Tensor([1.0, 2]).requiringGradient()
    Tensor.where(Tensor([true, false]), x, 5).backward(upstream: Tensor([3.0, .infinity]))
    #expect(x.grad?.array(of: Double.self) == [3, 0])
  }
}
