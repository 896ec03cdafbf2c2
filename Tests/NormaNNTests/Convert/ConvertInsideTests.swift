import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Networks that are not sequences, converted in place.
@Suite struct ConvertInsideTests {
  private func network(_ random: inout TestRandom) -> FoldInsideTests.Network {
    withSeed(3) { FoldInsideTests.Network(&random) }
  }

  @Test func toFrozenAndBack() {
    var random = TestRandom()
    let network = network(&random)
    network.eval()
    let x = Tensor(random.floats(2 * 2 * 5 * 5), shape: [2, 2, 5, 5])
    let (before, names) = (network(x), Set(network.stateDict().keys))
    let report = convertNorms(inside: network, to: .frozen)
    #expect(report.conversions.count == 8 && report.rest.isEmpty, "\(report)")
    #expect(
      report.conversions.allSatisfy { $0.isExactInEvaluation && $0.to == "FrozenBatchNorm2d" })
    #expect(network(x).isEqual(to: before))
    #expect(network.namedModules.contains { $0.module is BatchNorm } == false)
    #expect(network.namedParameters.contains { $0.name.contains("bn") } == false)
    #expect(Set(network.stateDict().keys) == names.filter { !$0.hasSuffix("num_batches_tracked") })
    // Nothing changes in training either.
    network.train()
    #expect(network(x).isEqual(to: before))
    let back = convertNorms(inside: network, to: .batch)
    #expect(back.conversions.count == 8)
    #expect(back.conversions.first?.from == "FrozenBatchNorm2d")
    network.eval()
    #expect(network(x).isEqual(to: before) && Set(network.stateDict().keys) == names)
    network.train()
    _ = network(x)
    #expect(network.stateDict()["blocks.0.bn1.num_batches_tracked"]?.item() == 1)
    // Converted norms can be folded like any other.
    network.eval()
    let now = network(x)
    #expect(foldBatchNorms(inside: network, on: x).folds.count == 7)
    #expect((network(x) - now).abs().max().item() < 1e-3 * now.abs().max().item())
  }

  @Test func toGroupNorm() {
    var random = TestRandom()
    let network = network(&random)
    let report = convertNorms(inside: network, to: .group(2))
    // Three channels do not divide into two groups.
    #expect(report.conversions.count == 6 && report.rest.map(\.norm) == ["bn", "late"])
    #expect(report.conversions.allSatisfy { !$0.isExactInEvaluation })
    let x = Tensor(random.floats(2 * 2 * 5 * 5), shape: [2, 2, 5, 5])
    let loss = network(x).sum()
    loss.backward()
    let parameters = network.namedParameters.filter { $0.name == "blocks.0.bn1.weight" }
    #expect(parameters.count == 1 && parameters[0].parameter.grad != nil)
    // Each sample on its own.
    network.eval()
    let both = network(x)
    #expect(network(x[0..<1]).allClose(to: both[0..<1], rtol: 1e-5, atol: 1e-5))
    #expect(convertNorms(inside: network, to: .group(2)).conversions.isEmpty)
    #expect("\(report)".contains("blocks.0.bn1: BatchNorm2d is GroupNorm now"))
  }

  /// Calls of the original layer reach its replacement: with a mask, or as a pure function.
  @Test func otherCalls() {
    final class Holder: Module {
      let bn = BatchNorm1d(4)
      let conditional = ConditionalBatchNorm2d(4, classes: 2)
    }
    let holder = Holder()
    convertNorms(inside: holder, to: .ghost(partSize: 2))
    let x = withSeed(1) { Tensor.randn(4, 4, 3) }
    let ghost = GhostBatchNorm(4, partSize: 2)
    #expect(holder.bn(x).isEqual(to: ghost(x)))
    #expect(holder.bn.forward(x).output.isEqual(to: ghost.forward(x).output))
    #expect(holder.stateDict()["bn.num_batches_tracked"]?.item() == 1)
    #expect(holder.bn.numBatchesTracked?.value.item() == 0)
    #expect(holder.namedModules.map(\.name).contains("conditional.bn"))
    #expect(holder.namedModules.filter { $0.module is GhostBatchNorm }.count == 2)
    let plain = Holder()
    convertNorms(inside: plain, to: .group(2))
    let mask = Tensor.mask(lengths: [3, 1, 2, 3], over: 2, of: x.shape)
    #expect(plain.bn(x, mask: mask).isEqual(to: GroupNorm(2, 4)(x, mask: mask)))
    convertNorms(inside: plain, to: .batch)
    #expect(plain.bn(x, mask: mask).isEqual(to: BatchNorm1d(4)(x, mask: mask)))
    let frozen = Holder()
    convertNorms(inside: frozen, to: .frozen)
    #expect(
      BatchNormSettingsTests.message { frozen.bn(x, mask: mask) }
        == "BatchNorm1d(_:): FrozenBatchNorm2d replaces the layer, and takes no mask")
  }
}
