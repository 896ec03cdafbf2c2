import Foundation
import NormaReference
import NormaTensor
import Testing

@testable import NormaNN

/// Layers of activations, with PyTorch's default options, beside their formulas in `Double`.
@Suite struct ActivationLayerTests {
  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  private static func selu(_ x: Double) -> Double {
    1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1))
  }

  private static func softshrink(_ x: Double) -> Double {
    if x > 0.5 { return x - 0.5 }
    return x < -0.5 ? x + 0.5 : 0
  }

  private static func clamped(_ x: Double, _ low: Double, _ high: Double) -> Double {
    min(max(x, low), high)
  }

  /// The layer of this name.
  private static func layer(_ name: String) -> Activation? {
    switch name {
    case "CELU": CELU()
    case "ELU": ELU(alpha: 2)
    case "Hardshrink": Hardshrink()
    case "Hardsigmoid": Hardsigmoid()
    case "Hardswish": Hardswish()
    case "Hardtanh": Hardtanh()
    case "LeakyReLU": LeakyReLU()
    case "LogSigmoid": LogSigmoid()
    case "Mish": Mish()
    case "ReLU6": ReLU6()
    case "SELU": SELU()
    case "SiLU": SiLU()
    case "Sigmoid": Sigmoid()
    case "Softplus": Softplus()
    case "Softshrink": Softshrink()
    case "Softsign": Softsign()
    case "Tanh": Tanh()
    case "Tanhshrink": Tanhshrink()
    case "Threshold": Threshold(1, value: 7)
    default: nil
    }
  }

  private static func expected(_ name: String, _ x: Double) -> Double {
    switch name {
    case "CELU": x > 0 ? x : exp(x) - 1
    case "ELU": x > 0 ? x : 2 * (exp(x) - 1)
    case "Hardshrink": abs(x) > 0.5 ? x : 0
    case "Hardsigmoid": clamped(x / 6 + 0.5, 0, 1)
    case "Hardswish": x * clamped(x + 3, 0, 6) / 6
    case "Hardtanh": clamped(x, -1, 1)
    case "LeakyReLU": x > 0 ? x : 0.01 * x
    case "LogSigmoid": -log1p(exp(-x))
    case "Mish": x * tanh(log1p(exp(x)))
    case "ReLU6": clamped(x, 0, 6)
    case "SELU": selu(x)
    case "SiLU": x * sigmoid(x)
    case "Sigmoid": sigmoid(x)
    case "Softplus": log1p(exp(x))
    case "Softshrink": softshrink(x)
    case "Softsign": x / (1 + abs(x))
    case "Tanh": tanh(x)
    case "Tanhshrink": x - tanh(x)
    case "Threshold": x > 1 ? x : 7
    default: .nan
    }
  }

  @Test(arguments: [
    "CELU", "ELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
    "Mish", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "Threshold",
  ])
  func formula(_ name: String) throws {
    var random = TestRandom(for: name)
    // Also the points where a branch ends.
    let values = random.doubles(200, std: 3) + [-6, -3, -1, -0.5, 0, 0.5, 1, 3, 6, 7]
    let x = Tensor(values, shape: [values.count], dtype: .float64)
    let layer = try #require(Self.layer(name))
    for (value, found) in zip(values, layer(x).array(of: Double.self)) {
      let expected = Self.expected(name, value)
      #expect(abs(found - expected) <= 1e-14 * max(1, abs(expected)), "\(value)")
    }
  }
}
