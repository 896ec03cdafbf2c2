import NormaNN
import NormaReference
import NormaTensor
import Testing

@testable import NormaExplain

/// Targets that no normalization has made: noise, a function of every value, another layer's
/// result. None of them is rounding, and no cause is to blame but a different formula.
@Suite struct ChanceTests {
  enum Kind: CaseIterable, Sendable {
    case batch, batchEvaluated, layer, images, rms, group, instance
  }

  enum Target: CaseIterable, Sendable {
    case noise, faintNoise, rectified, square, tanh, linear

    func made(from x: Tensor, _ random: inout TestRandom) -> Tensor {
      func noise(_ size: Float) -> Tensor {
        Tensor(random.floats(x.shape.reduce(1, *), std: size), shape: x.shape)
      }
      switch self {
      case .noise: return noise(1)
      case .faintNoise: return noise(0.01)
      case .rectified: return x.clamped(min: 0)
      case .square: return x.squared()
      case .tanh: return x.tanh()
      case .linear:
        // The channels mixed: another layer's result.
        let n = x.shape[0]
        let rows = x.shape.dropFirst().reduce(1, *)
        let weight = Tensor(random.floats(rows * rows, std: 0.5), shape: [rows, rows])
        return x.reshaped(n, rows).matmul(weight).reshaped(x.shape)
      }
    }
  }

  /// Shapes without an axis of length 1, and with one or several.
  static func shapes(_ kind: Kind) -> [[Int]] {
    switch kind {
    case .batch: [[4, 3, 4, 3], [1, 4, 4, 3], [12, 4, 1, 1]]
    case .batchEvaluated: [[6, 3, 4], [1, 4, 5, 5], [1, 6, 1, 1]]
    case .layer: [[2, 4, 12], [1, 1, 16], [6, 1, 12]]
    case .images: [[3, 4, 5], [1, 6, 8]]
    case .rms: [[5, 16], [1, 24], [6, 1, 12]]
    case .group: [[6, 8], [1, 8, 4, 3], [6, 8, 1]]
    case .instance: [[3, 4, 3, 4], [1, 4, 6, 6]]
    }
  }

  static func layer(_ kind: Kind, _ shape: [Int], _ random: inout TestRandom) -> LayerNumbers {
    let last = shape[shape.count - 1]
    let reach: LayerNumbers.Reach =
      switch kind {
      case .batch, .batchEvaluated: .batch
      case .layer, .rms: .axes(nil, sizes: [last])
      case .images: .axes(nil, sizes: Array(shape.suffix(2)))
      case .group: .groups(2)
      case .instance: .instance(axes: 2)
      }
    let features: Int =
      switch kind {
      case .layer, .rms: last
      case .images: shape.suffix(2).reduce(1, *)
      default: shape[1]
      }
    let isEvaluated = kind == .batchEvaluated
    return LayerNumbers(
      name: "layer", reach: reach, subtractsMean: kind != .rms, features: features,
      weight: random.doubles(features, mean: 1, std: 0.3),
      bias: kind == .rms ? nil : random.doubles(features, std: 0.3),
      runningMean: isEvaluated ? random.doubles(features, mean: 0.5, std: 0.5) : nil,
      runningVariance: isEvaluated
        ? random.doubles(features, std: 0.4).map { 1 + abs($0) } : nil,
      batchesTracked: isEvaluated ? 100 : 0, isTraining: !isEvaluated)
  }

  /// Types and shapes take turns over targets, so that each meets every kind of layer.
  @Test(arguments: Kind.allCases, Target.allCases)
  func noOtherFormulaIsBlamed(kind: Kind, target: Target) {
    let types: [DType] = [.float32, .bfloat16, .float64, .float16]
    let turn = Target.allCases.firstIndex(of: target) ?? 0
    for (number, shape) in Self.shapes(kind).enumerated() where number != turn % 3 {
      let type = types[(number + turn) % types.count]
      var random = TestRandom(seed: UInt64(17 + number))
      let layer = Self.layer(kind, shape, &random)
      let wide = Tensor(random.floats(shape.reduce(1, *), mean: 0.4, std: 1.3), shape: shape)
      let x = wide.cast(to: type).evaluated()
      let made = target.made(from: x.cast(to: .float32), &random).cast(to: type).evaluated()
      let found = Explainer(
        layer: layer, input: x, output: layer.output(for: x), expected: made
      ).explanation()
      #expect(
        !found.unexplainedIsRounding && found.causes.allSatisfy { $0.name == .other },
        "seed \(17 + number), \(shape), \(type): \(found.causes.map { ($0.name, $0.share) })")
    }
  }

  @Test func functionsOfEveryValueAreNamed() {
    var random = TestRandom(seed: 5)
    let layer = Self.layer(.layer, [6, 12], &random)
    let x = Tensor(random.floats(72, mean: 0.4, std: 1.3), shape: [6, 12])
    for (target, words) in [
      (Target.square, "x * x"), (.tanh, "tanh(x)"), (.rectified, "max(x, 0)"),
    ] {
      let found = Explainer(
        layer: layer, input: x, output: layer.output(for: x),
        expected: target.made(from: x, &random)
      ).explanation()
      #expect(found.causes.map(\.name) == [.other])
      #expect(found.causes.first?.yours.contains(words) ?? false, "\(found)")
    }
  }
}
