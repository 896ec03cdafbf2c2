import Foundation
import NormaReference
import NormaTensor
import Testing

@testable import NormaNN

/// Layers of activations, with PyTorch's default options, beside their formulas in `Double`.
@Suite struct ActivationLayerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let layer: @Sendable () -> any Layer
    let formula: @Sendable (Double) -> Double
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  static let cases: [Case] = [
    Case(testDescription: "CELU", layer: { CELU() }, formula: { $0 > 0 ? $0 : exp($0) - 1 }),
    Case(testDescription: "ELU", layer: { ELU(alpha: 2) }) { $0 > 0 ? $0 : 2 * (exp($0) - 1) },
    Case(testDescription: "Hardshrink", layer: { Hardshrink() }) { abs($0) > 0.5 ? $0 : 0 },
    Case(testDescription: "Hardsigmoid", layer: { Hardsigmoid() }) {
      min(max($0 / 6 + 0.5, 0), 1)
    },
    Case(testDescription: "Hardswish", layer: { Hardswish() }) {
      $0 * min(max($0 + 3, 0), 6) / 6
    },
    Case(testDescription: "Hardtanh", layer: { Hardtanh() }) { min(max($0, -1), 1) },
    Case(testDescription: "LeakyReLU", layer: { LeakyReLU() }) { $0 > 0 ? $0 : 0.01 * $0 },
    Case(testDescription: "LogSigmoid", layer: { LogSigmoid() }) { -log1p(exp(-$0)) },
    Case(testDescription: "Mish", layer: { Mish() }) { $0 * tanh(log1p(exp($0))) },
    Case(testDescription: "ReLU6", layer: { ReLU6() }) { min(max($0, 0), 6) },
    Case(testDescription: "SELU", layer: { SELU() }) {
      1.0507009873554805 * ($0 > 0 ? $0 : 1.6732632423543772 * (exp($0) - 1))
    },
    Case(testDescription: "SiLU", layer: { SiLU() }) { $0 * sigmoid($0) },
    Case(testDescription: "Sigmoid", layer: { Sigmoid() }) { sigmoid($0) },
    Case(testDescription: "Softplus", layer: { Softplus() }) { log1p(exp($0)) },
    Case(testDescription: "Softshrink", layer: { Softshrink() }) {
      $0 > 0.5 ? $0 - 0.5 : $0 < -0.5 ? $0 + 0.5 : 0
    },
    Case(testDescription: "Softsign", layer: { Softsign() }) { $0 / (1 + abs($0)) },
    Case(testDescription: "Tanh", layer: { Tanh() }) { tanh($0) },
    Case(testDescription: "Tanhshrink", layer: { Tanhshrink() }) { $0 - tanh($0) },
    Case(testDescription: "Threshold", layer: { Threshold(1, value: 7) }) { $0 > 1 ? $0 : 7 },
  ]

  @Test(arguments: cases) func formula(_ test: Case) throws {
    var random = TestRandom(for: test.testDescription)
    // Also the points where a branch ends.
    let values = random.doubles(200, std: 3) + [-6, -3, -1, -0.5, 0, 0.5, 1, 3, 6, 7]
    let x = Tensor(values, shape: [values.count], dtype: .float64)
    let result = test.layer()(x).array(of: Double.self)
    for (value, found) in zip(values, result) {
      let expected = test.formula(value)
      #expect(abs(found - expected) <= 1e-14 * max(1, abs(expected)), "\(value)")
    }
  }
}
