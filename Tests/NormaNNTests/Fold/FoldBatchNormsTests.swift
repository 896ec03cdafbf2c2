import Foundation
import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Networks whose batch norm layers are folded, against the networks as they were.
@Suite struct FoldBatchNormsTests {
  static func network(_ dtype: DType, _ random: inout TestRandom) -> Sequential {
    func norm<Norm: BatchNorm>(_ layer: Norm) -> Norm { FoldedTests.drawn(layer, &random) }
    return withSeed(11) {
      Sequential(
        norm(BatchNorm2d(3, dtype: dtype)), Conv2d(3, 8, kernelSize: 3, bias: false, dtype: dtype),
        norm(BatchNorm2d(8, dtype: dtype)), ReLU(),
        Sequential(
          ConvTranspose2d(8, 4, kernelSize: 2, stride: 2, dtype: dtype), Identity(),
          norm(BatchNorm2d(4, dtype: dtype)), ReLU()),
        norm(BatchNorm2d(4, dtype: dtype)), Conv2d(4, 4, kernelSize: 3, padding: 1, dtype: dtype),
        norm(BatchNorm2d(4, dtype: dtype)), norm(BatchNorm2d(4, dtype: dtype)), Flatten(),
        Dropout(), Linear(4 * 8 * 8, 5, dtype: dtype), norm(BatchNorm1d(5, dtype: dtype)))
    }
  }

  @Test(arguments: [DType.float64, .float32])
  func wholeNetwork(dtype: DType) throws {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let network = Self.network(dtype, &random)
    network.train()
    let before = network.stateDict().mapValues { $0.array(of: Double.self) }
    let x = Tensor(random.doubles(2 * 3 * 6 * 6), shape: [2, 3, 6, 6], dtype: dtype)
    let (folded, report) = foldBatchNorms(in: network, verifying: x)
    #expect(
      report.folds.map { "\($0.norm) \($0.layer) \($0.isBefore)" } == [
        "4.2 4.0 false", "0 1 true", "2 1 false", "7 6 false", "8 6 false", "12 11 false",
      ])
    // Before a padded convolution, after a sequence.
    #expect(report.rest.map(\.norm) == ["5"])
    #expect(report.rest.first?.reason.contains("padding of zeros") == true)
    #expect(folded.namedModules.filter { $0.module is BatchNorm }.map(\.name) == ["5"])
    // In float32 four layers of up to 256 terms; each rounds weights, sums and results.
    let unit = dtype == .float64 ? 0x1p-53 : 0x1p-24
    let (difference, largest) = (report.largestDifference ?? .nan, report.largestResult ?? .nan)
    #expect(difference <= 400 * unit * largest, "\(report)")
    #expect(difference > 0)
    // The network itself is as before.
    #expect(network.isTraining && network.namedModules.allSatisfy { $0.module.isTraining })
    let after = network.stateDict().mapValues { $0.array(of: Double.self) }
    #expect(after == before)
    network.eval()
    folded.eval()
    let (a, b) = (network(x).array(of: Double.self), folded(x).array(of: Double.self))
    #expect(zip(a, b).map { abs($0 - $1) }.max() == difference)
    let text = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(FoldingReport.self, from: text) == report)
    #expect("\(report)".contains("5 stays: the convolution sees padding of zeros"))
  }

  /// What must not be folded shows in the difference.
  @Test func verificationShowsDifferences() {
    var random = TestRandom()
    let layers = Sequential(
      withSeed(2) { Linear(3, 4) }, FoldedTests.drawn(BatchNorm1d(4), &random))
    // Axis 1 has size 4 here, but the outputs are the last axis.
    let (_, report) = foldBatchNorms(in: layers, verifying: Tensor.ones(2, 4, 3))
    #expect((report.largestDifference ?? 0) > 0.1)
    let (_, right) = foldBatchNorms(in: layers, verifying: Tensor.ones(2, 3))
    #expect((right.largestDifference ?? 1) < 1e-5)
    let (_, broken) = foldBatchNorms(in: layers, verifying: Tensor.ones(2, 3) * Double.nan)
    #expect(broken.largestDifference == 0)
  }

  @Test func modulesInsideAreNamed() {
    final class Block: Module, Layer {
      let bn = BatchNorm1d(2)
      func callAsFunction(_ x: Tensor) -> Tensor {
        bn(x)
      }
    }
    let (folded, report) = foldBatchNorms(in: Sequential(Linear(2, 2), Block(), BatchNorm1d(2)))
    #expect(report.folds.isEmpty && report.largestDifference == nil)
    #expect(report.rest.map(\.norm) == ["1.bn", "2"] && folded.layers.count == 3)
    #expect("\(report)".contains("1.bn stays: Block is not a Sequential"))
    #expect("\(foldBatchNorms(in: Sequential(ReLU())).report)" == "no batch norm")
  }

  /// Norms that are permanently frozen or split, and convolutions with a computed weight.
  @Test func specialKinds() {
    var random = TestRandom()
    let norm = FoldedTests.drawn(BatchNorm2d(4), &random)
    let split = SplitBatchNorm2d(4)
    FoldedTests.set(split, ["mean": [1, 2, 3, 4], "bias": [4, 3, 2, 1]])
    let network = withSeed(6) {
      Sequential(
        StdConv2d(3, 4, kernelSize: 3), FrozenBatchNorm2d(norm), ReLU(),
        ScaledStdConv2d(4, 4, kernelSize: 1, gamma: 1.7), split)
    }
    let x = Tensor(random.floats(2 * 3 * 5 * 5), shape: [2, 3, 5, 5])
    let (folded, report) = foldBatchNorms(in: network, verifying: x)
    #expect(report.folds.map(\.norm) == ["1", "4"] && report.rest.isEmpty)
    #expect(type(of: folded[0]) == Conv2d.self && type(of: folded[3]) == Conv2d.self)
    #expect((report.largestDifference ?? 1) <= 200 * 0x1p-24 * (report.largestResult ?? 0))
    // A layer of this static type cannot hold the result.
    #expect(throws: TensorError.self) {
      try norm.folded(intoPrevious: StdConv2d(3, 4, kernelSize: 3))
    }
  }
}
