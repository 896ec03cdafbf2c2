import Foundation
import NormaTensor
import Testing

/// Functions of several instructions in half types: computed in `float32`, rounded once.
@Suite struct HalfPrecisionTests {
  static let functions: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("gelu", { $0.gelu() }), ("gelu by tanh", { $0.gelu(approximatingByTanh: true) }),
    ("silu", { $0.silu() }), ("mish", { $0.mish() }), ("softplus", { $0.softplus(beta: 1.5) }),
    ("logSigmoid", { $0.logSigmoid() }), ("softsign", { $0.softsign() }),
    ("tanhshrink", { $0.tanhshrink() }), ("hardsigmoid", { $0.hardsigmoid() }),
    ("hardswish", { $0.hardswish() }), ("elu", { $0.elu(alpha: 0.7) }),
    ("celu", { $0.celu(alpha: 0.7) }), ("selu", { $0.selu() }), ("sinc", { $0.sinc() }),
    ("logit", { $0.logit(eps: 0.01) }), ("rounded", { $0.rounded(decimals: 3) }),
    ("rounded whole", { $0.rounded(decimals: -2) }), ("deg2rad", { $0.deg2rad() }),
    ("addcmul", { addcmul($0, $0, $0, value: 0.25) }),
    // The number is broadcast to one element at a time: the gradients of several elements are
    // rounded separately.
    ("addcdiv", { addcdiv($0, $0.detached(), $0.detached(), value: 0.25) }),
    ("addcdiv over", { addcdiv($0.detached(), $0, $0.detached(), value: 0.25) }),
    ("addcdiv under", { addcdiv($0.detached(), $0.detached(), $0, value: 0.25) }),
    ("softmax", { $0.reshaped(4, -1).softmax(over: 0) }),
    ("logSoftmax", { $0.reshaped(4, -1).logSoftmax(over: 0) }),
    ("logSumExp", { $0.reshaped(4, -1).logSumExp(over: 0) }),
    ("pow 2.5", { pow($0.abs(), 2.5) }), ("glu", { $0.reshaped(2, -1).glu(over: 0) }),
  ]

  /// Every eighth number of the type, finite, the largest among them.
  static func numbers(_ dtype: DType) -> Tensor {
    let wide = (0..<8192).map { k in
      let bits = UInt16(truncatingIfNeeded: k * 8 + k % 8)
      return dtype == .float16
        ? Float(Float16(bitPattern: bits)) : Float(BFloat16(bitPattern: bits))
    }
    let finite = wide.filter { $0.isFinite }.prefix(7680)
    let largest: Float = dtype == .float16 ? 65504 : 0x1.fep127
    return Tensor(Array(finite.dropLast(4)) + [largest, -largest, 300, -300]).cast(to: dtype)
  }

  @Test(arguments: functions.indices, [DType.float16, .bfloat16])
  func valuesAndGradients(index: Int, dtype: DType) {
    let (name, function) = Self.functions[index]
    let x = Self.numbers(dtype)
    // The definition: computed in float32, and rounded once.
    func run(_ x: Tensor) -> (Tensor, Tensor) {
      let start = x.requiringGradient()
      let y = function(start)
      y.backward(upstream: Tensor.ones(y.shape, dtype: x.dtype))
      return (y.detached(), start.grad ?? x)
    }
    let (value, slope) = run(x)
    let (wideValue, wideSlope) = run(x.cast(to: .float32))
    for (found, wide) in [(value, wideValue), (slope, wideSlope)] {
      let truth = wide.cast(to: dtype)
      let isSame = found.isClose(to: truth, rtol: 0, atol: 0, equalNaN: true)
      let different = isSame.logicalNot().flattened().nonzero()
      let first = different.count > 0 ? different[0, 0].item(as: Int.self) % x.count : 0
      #expect(
        different.count == 0, "\(name): \(different.count) differ, at \(x.flattened()[first])")
    }
  }

  /// PyTorch 2.13 gives these numbers.
  @Test func largeNumbers() {
    func half(_ values: [Float]) -> Tensor { Tensor(values).cast(to: .float16) }
    let x = half([255, 256, 300, -300]).requiringGradient()
    x.gelu(approximatingByTanh: true).sum().backward()
    #expect(x.grad?.array(of: Float.self) == [1, 1, 1, 0])
    #expect(half([11648]).hardswish().item() == 11648)
    #expect(half([60000]).sinc().item() == 0)
    #expect(half([25, 125]).rounded(decimals: 4).array(of: Float.self) == [25, 125])
    let y = Tensor([1e20, -1e20, 3e38] as [Float]).requiringGradient()
    y.gelu(approximatingByTanh: true).sum().backward()
    #expect(y.grad?.array(of: Float.self) == [1, 0, 1])
    #expect(
      Tensor([3.5e36, -7e37] as [Float]).rounded(decimals: 4).array(of: Float.self) == [
        3.5e36, -7e37,
      ])
    #expect(Tensor([1.5, 1e300]).rounded(decimals: 309).array(of: Double.self) == [1.5, 1e300])
    #expect(Tensor([1.5, 1e300]).rounded(decimals: -400).array(of: Double.self) == [0, 0])
  }
}
