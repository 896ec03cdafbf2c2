import Foundation
import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Networks that are not sequences, folded in place, compared with themselves before.
@Suite struct FoldInsideTests {
  /// A block with a shortcut, as in residual networks.
  final class Block: Module, Layer {
    let conv1: Conv2d
    let bn1: BatchNorm2d
    let convs: [String: Conv2d]
    let norms: [BatchNorm2d]
    let shortcut: Sequential
    /// Whether something else uses the result of the first convolution.
    var usesConv = false

    init(_ inputs: Int, _ outputs: Int, _ random: inout TestRandom) {
      conv1 = Conv2d(inputs, outputs, kernelSize: 3, padding: 1, bias: false)
      bn1 = FoldedTests.drawn(BatchNorm2d(outputs), &random)
      convs = ["second": Conv2d(outputs, outputs, kernelSize: 3, padding: 1)]
      norms = [FoldedTests.drawn(BatchNorm2d(outputs), &random)]
      shortcut = Sequential(
        Conv2d(inputs, outputs, kernelSize: 1, bias: false),
        FoldedTests.drawn(BatchNorm2d(outputs), &random))
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let first = conv1(x)
      let y = bn1(first).relu()
      let second = convs["second"].map { $0(y) } ?? y
      return (norms[0](second) + shortcut(x) + (usesConv ? first : .zeros([]))).relu()
    }
  }

  final class Network: Module, Layer {
    let blocks: Sequential
    let fc: Linear
    let bn: BatchNorm1d
    let late: BatchNorm1d

    init(_ random: inout TestRandom) {
      blocks = Sequential(Block(2, 4, &random), Block(4, 4, &random))
      fc = Linear(4, 3)
      bn = FoldedTests.drawn(BatchNorm1d(3), &random)
      late = FoldedTests.drawn(BatchNorm1d(3), &random)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      late(bn(fc(blocks(x).mean(over: 2, 3))).relu())
    }
  }

  private let names = [
    "blocks.0.bn1", "blocks.0.norms.0", "blocks.0.shortcut.1", "blocks.1.bn1",
    "blocks.1.norms.0", "blocks.1.shortcut.1", "bn",
  ]

  @Test func everyNormBehindItsLayer() throws {
    var random = TestRandom()
    let network = withSeed(3) { Network(&random) }
    network.train()
    let x = Tensor(random.floats(2 * 2 * 5 * 5), shape: [2, 2, 5, 5])
    let before = network.withEvaluationForTests { network(x).array(of: Double.self) }
    let report = foldBatchNorms(inside: network, on: x)
    #expect(Set(report.folds.map(\.norm)) == Set(names), "\(report)")
    #expect(report.rest.map(\.norm) == ["late"])
    #expect(network.isTraining)
    let (difference, largest) = (report.largestDifference ?? 1, report.largestResult ?? 0)
    #expect(difference <= 2000 * 0x1p-24 * largest && report.incomparable == 0)
    network.eval()
    let after = network(x).array(of: Double.self)
    #expect(zip(before, after).map { abs($0 - $1) }.max() == difference)
    // The state is that of the folded network.
    let keys = network.stateDict().keys
    #expect(keys.contains("blocks.0.conv1.bias") && !keys.contains("blocks.0.bn1.running_mean"))
    #expect(keys.contains("late.running_mean"))
    #expect(network.namedModules.filter { $0.module is BatchNorm }.map(\.name) == ["late"])
    #expect(network.namedModules.filter { $0.module is Identity }.count == 7)
    // Again, there is nothing left to do.
    let again = foldBatchNorms(inside: network, on: x)
    #expect(again.folds.isEmpty && again.largestDifference == 0)
    let text = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(FoldingReport.self, from: text) == report)
  }

  /// The result of a convolution is used twice: that fold is undone, the others stay.
  @Test func whatIsUsedElsewhereStays() {
    var random = TestRandom()
    let network = withSeed(4) { Network(&random) }
    (network.blocks[0] as? Block)?.usesConv = true
    let x = Tensor(random.floats(2 * 2 * 5 * 5), shape: [2, 2, 5, 5])
    network.eval()
    let before = network(x)
    let report = foldBatchNorms(inside: network, on: x)
    #expect(Set(report.folds.map(\.norm)) == Set(names).subtracting(["blocks.0.bn1"]), "\(report)")
    #expect(report.rest.last?.reason.contains("something else uses") == true)
    let scale = before.abs().max().item()
    #expect((network(x) - before).abs().max().item() <= 2000 * 0x1p-24 * scale)
  }

  /// Norms before layers, consecutive norms, shared layers, and layers that are not called.
  @Test func otherOrders() {
    final class Odd: Module, Layer {
      let first: BatchNorm2d
      let conv = withSeed(5) { Conv2d(3, 4, kernelSize: 3) }
      let one: BatchNorm2d
      let two: FrozenBatchNorm2d
      let shared = withSeed(6) { Conv2d(4, 4, kernelSize: 1) }
      let sharedNorm: BatchNorm2d
      let idle = BatchNorm2d(4)

      init(_ random: inout TestRandom) {
        first = FoldedTests.drawn(BatchNorm2d(3), &random)
        one = FoldedTests.drawn(BatchNorm2d(4), &random)
        two = FrozenBatchNorm2d(FoldedTests.drawn(BatchNorm2d(4), &random))
        sharedNorm = FoldedTests.drawn(BatchNorm2d(4), &random)
      }

      func callAsFunction(_ x: Tensor) -> Tensor {
        let y = two(one(conv(first(x)))).tanh()
        return sharedNorm(shared(sharedNorm(shared(y)))) + shared(y.relu())
      }
    }
    var random = TestRandom()
    let network = Odd(&random)
    network.eval()
    let x = Tensor(random.floats(2 * 3 * 4 * 4), shape: [2, 3, 4, 4])
    let before = network(x)
    let report = foldBatchNorms(inside: network, on: x)
    #expect(
      report.folds.map { "\($0.norm) \($0.layer) \($0.isBefore)" } == [
        "first conv true", "one conv false", "two conv false",
      ], "\(report)")
    #expect(Set(report.rest.map(\.norm)) == ["sharedNorm".snaked, "idle"])
    let scale = before.abs().max().item()
    #expect((network(x) - before).abs().max().item() <= 400 * 0x1p-24 * scale)
  }

  @Test func resultsThatAreNoNumbers() throws {
    let network = Sequential(Linear(2, 2), FoldedTests.fixed(BatchNorm1d(2)))
    network.eval()
    let x = Tensor([[1, 2], [.nan, 1]] as [[Float]])
    let (_, report) = foldBatchNorms(in: network, verifying: x)
    #expect(report.largestDifference?.isFinite == true && report.incomparable == 0)
    #expect(throws: Never.self) { try JSONEncoder().encode(report) }
  }
}

extension Module {
  fileprivate func withEvaluationForTests<R>(_ body: () -> R) -> R {
    let wasTraining = isTraining
    eval()
    defer { if wasTraining { train() } }
    return body()
  }
}

extension String {
  fileprivate var snaked: String {
    reduce("") { $0 + ($1.isUppercase ? "_" : "") + $1.lowercased() }
  }
}
