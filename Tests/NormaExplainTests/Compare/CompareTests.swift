import Foundation
import NormaExplain
import NormaNN
import NormaTensor
import Testing

/// Two layers on one input: what differs, by how much, and by which option.
@Suite struct CompareTests {
  /// Channels of different means and spreads.
  static let x = withSeed(31) {
    Tensor.randn(4, 6, 3, 5) * Tensor.rand(6, 1, 1) * 3 + Tensor.randn(6, 1, 1)
  }

  static func differences(_ a: Tensor, _ b: Tensor) -> [Double] {
    zip(a.array(of: Double.self), b.array(of: Double.self)).map { $1 - $0 }
  }

  static func quantity(
    _ comparison: LayerComparison, _ name: QuantityComparison.Quantity
  ) -> QuantityComparison? {
    comparison.quantities.first { $0.quantity == name }
  }

  @Test func epsilon() {
    let (a, b) = (BatchNorm2d(6), BatchNorm2d(6, eps: 0.1))
    let found = compareLayers(a, b, on: Self.x)
    #expect(found.options.map(\.option) == [.eps] && found.options.first?.second == "0.1")
    let d = Self.differences(a(Self.x), b(Self.x))
    let result = Self.quantity(found, .result)
    let largest = d.map(abs).max() ?? 0
    #expect(result?.largestDifference == largest)
    let index = d.firstIndex { abs($0) == largest } ?? 0
    #expect(result?.place == [index / 90, index / 15 % 6, index / 5 % 3, index % 5])
    #expect(result?.causes.map(\.option) == [.eps])
    #expect(abs((result?.causes.first?.share ?? 0) - 1) < 1e-5)
    #expect(abs((result?.causes.first?.differenceAlone ?? 0) / largest - 1) < 1e-5)
    #expect(result?.isRounding == true && !found.isSame)
    #expect(Self.quantity(found, .runningMean)?.largestDifference == 0)
  }

  /// The formulas match the layers: with all options taken over, only rounding remains.
  @Test func formulasOfAllLayers() {
    func affine<M: Module>(_ layer: M) -> M {
      for parameter in layer.parameters {
        parameter.value = withSeed(UInt64(parameter.shape.count)) {
          Tensor.randn(parameter.shape) + 1
        }
      }
      return layer
    }
    let trained = affine(BatchNorm2d(6))
    _ = trained(Self.x * 2 + 1)
    trained.eval()
    let instance = affine(InstanceNorm2d(6, affine: true, trackRunningStats: true))
    _ = instance(Self.x + 3)
    let still = affine(InstanceNorm2d(6, affine: true, trackRunningStats: true))
    _ = still(Self.x - 2)
    still.eval()
    let layers: [any Layer] = [
      BatchNorm2d(6), affine(BatchNorm2d(6, eps: 1e-3)), trained, FrozenBatchNorm2d(trained),
      affine(GroupNorm(3, 6)), affine(GroupNorm(2, 6, eps: 0.01)), instance, still,
      affine(LayerNorm([3, 5])), affine(LayerNorm2d(6)), affine(RMSNorm([6, 3, 5], eps: nil)),
      affine(RMSNorm2d(6)),
    ]
    for (i, a) in layers.enumerated() {
      for (j, b) in layers.enumerated() {
        let found = compareLayers(a, b, on: Self.x)
        guard let result = Self.quantity(found, .result) else { continue }
        let sum = result.causes.reduce(result.unexplained) { $0 + $1.share }
        #expect(result.isRounding && result.incomparable == 0, "\(i) \(j)\n\(found)")
        #expect(result.largestDifference == 0 || abs(sum - 1) < 1e-9, "\(i) \(j)")
        if i == j { #expect(found.isSame && found.options.isEmpty) }
      }
    }
    // Frozen, it does the same.
    let frozen = compareLayers(trained, FrozenBatchNorm2d(trained), on: Self.x)
    #expect(frozen.isSame && frozen.options.isEmpty, "\(frozen)")
  }

  @Test func reachAndMean() {
    let names = { (a: any Layer, b: any Layer) in
      compareLayers(a, b, on: Self.x).options.map(\.option)
    }
    #expect(names(BatchNorm2d(6), GroupNorm(2, 6)) == [.axes])
    #expect(names(GroupNorm(1, 6), LayerNorm([6, 3, 5])).isEmpty)
    #expect(names(GroupNorm(6, 6), InstanceNorm2d(6)).isEmpty)
    #expect(names(LayerNorm([3, 5]), RMSNorm([3, 5], eps: 1e-5)) == [.meanSubtraction])
    #expect(compareLayers(GroupNorm(1, 6), LayerNorm([6, 3, 5]), on: Self.x).isSame)
    // One sample's channels are a batch's channels.
    #expect(compareLayers(BatchNorm2d(6), InstanceNorm2d(6), on: Self.x[0..<1]).options.isEmpty)
  }

  /// The comparison after the call is that of an actual call, and nothing changes.
  @Test func runningStatistics() {
    let a = BatchNorm2d(6, momentum: 0.3)
    let b = InstanceNorm2d(6, momentum: 0.1, trackRunningStats: true)
    _ = a(Self.x * 2)
    let before = (a.stateDict(), b.stateDict())
    let found = compareLayers(a, b, on: Self.x)
    for (module, state) in [(a as Module, before.0), (b, before.1)] {
      #expect(module.stateDict().allSatisfy { $1.isEqual(to: state[$0] ?? .zeros([])) })
    }
    _ = (a(Self.x), b(Self.x))
    for (quantity, mine, other) in [
      (QuantityComparison.Quantity.runningMean, a.runningMean, b.runningMean),
      (.runningVariance, a.runningVar, b.runningVar),
    ] {
      let d = Self.differences(mine?.value ?? .zeros([]), other?.value ?? .zeros([]))
      let part = Self.quantity(found, quantity)
      let largest = d.map(abs).max() ?? 0
      #expect(abs((part?.largestDifference ?? 0) - largest) <= 1e-6 * (part?.largestValue ?? 0))
      let options = part?.causes.map(\.option) ?? []
      #expect(!options.isEmpty)
      #expect(options.allSatisfy { [.axes, .momentum, .runningStatistics].contains($0) })
      #expect(part?.isRounding == true)
    }
  }

  /// Two options of one statistic, by hand: v = 0.9 + m (s - 0.9) with the divisor n or n - 1.
  @Test func conventions() throws {
    let x = Tensor([[1.0], [2.0], [6.0]])
    let found = compareLayers(.keras, .pytorch, on: x)
    #expect(found.first == "Keras" && found.second == "PyTorch")
    #expect(found.options.map(\.option) == [.eps, .momentum, .runningVarianceCorrection])
    #expect(Self.quantity(found, .result)?.causes.map(\.option) == [.eps])
    #expect(Self.quantity(found, .runningMean)?.causes.map(\.option) == [.momentum])
    // Mean 3, m2 14. From 1: Keras 0.99 + 0.01 * 14 / 3, PyTorch 0.9 + 0.1 * 14 / 2.
    func v(_ share: Double, _ n: Double) -> Double { 1 - share + share * 14 / n }
    let gap = v(0.1, 2) - v(0.01, 3)
    let variance = Self.quantity(found, .runningVariance)
    #expect(abs((variance?.largestDifference ?? 0) - gap) < 1e-12)
    let momentum = ((v(0.1, 3) - v(0.01, 3)) + (v(0.1, 2) - v(0.01, 2))) / 2 / gap
    let shares = Dictionary(
      (variance?.causes ?? []).map { ($0.option, $0.share) }
    ) { first, _ in first }
    #expect(abs((shares[.momentum] ?? 0) - momentum) < 1e-9)
    #expect(abs((shares[.runningVarianceCorrection] ?? 0) - (1 - momentum)) < 1e-9)
    #expect(compareLayers(.flax, .keras, on: x).options.map(\.option) == [.eps])
    let text = try JSONEncoder().encode(found)
    #expect(try JSONDecoder().decode(LayerComparison.self, from: text) == found)
    let words = "\(found)"
    #expect(words.hasPrefix("Keras and PyTorch on [3, 1]\n"))
    #expect(words.contains("running mean: differs by at most 0.27 at [0]"), "\(words)")
    #expect(words.contains("100.00 %, alone 0.27"), "\(words)")
    #expect(words.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(words)")
  }

  @Test func modes() {
    let (a, b) = (BatchNorm2d(6), BatchNorm2d(6))
    for norm in [a, b] { _ = norm(Self.x * 3) }
    b.eval()
    let found = compareLayers(a, b, on: Self.x)
    #expect(found.options.map(\.option) == [.statisticsSource, .updates])
    #expect(Self.quantity(found, .result)?.causes.map(\.option) == [.statisticsSource])
    #expect(Self.quantity(found, .runningMean)?.causes.map(\.option) == [.updates])
  }

  @Test func otherLayersAndMistakes() {
    let found = compareLayers(ReLU(), GELU(), on: Self.x)
    let result = Self.quantity(found, .result)
    #expect(found.options.isEmpty && result?.causes.isEmpty == true)
    #expect(result?.unexplained == 1 && result?.isRounding == false && !found.isSame)
    #expect(compareLayers(ReLU(), ReLU(), on: Self.x).isSame)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = compareLayers(Flatten(), ReLU(), on: Self.x) }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = compareLayers(BatchNorm2d(5), BatchNorm2d(6), on: Self.x) }
    }
    // Not finite in the channel of one NaN, in both; in the batch norm's whole channel.
    let broken = Tensor.where(Self.x .== Self.x.max(), Double.nan, Self.x)
    #expect(compareLayers(BatchNorm2d(6), BatchNorm2d(6), on: broken).isSame)
    let mixed = compareLayers(BatchNorm2d(6), InstanceNorm2d(6), on: broken)
    #expect(Self.quantity(mixed, .result)?.incomparable == 45)
  }
}
