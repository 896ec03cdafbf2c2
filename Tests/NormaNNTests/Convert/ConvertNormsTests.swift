import Foundation
import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Networks whose norms are converted, against the networks as they were.
@Suite struct ConvertNormsTests {
  static func network(_ random: inout TestRandom) -> Sequential {
    let norm = FoldedTests.drawn(
      BatchNorm2d(4, eps: 1e-3, momentum: .decay(0.9), dtype: .float64), &random)
    norm.runningVarianceCorrection = 0
    norm.singleValuePolicy = .zero
    let inner = FoldedTests.drawn(BatchNorm2d(4, affine: false, dtype: .float64), &random)
    return withSeed(3) {
      Sequential(
        Conv2d(2, 4, kernelSize: 3, dtype: .float64), norm, ReLU(), Sequential(inner, ReLU()))
    }
  }

  static func norms(_ model: Sequential) -> [any Layer] {
    [model[1], (model[3] as? Sequential)?[0] ?? model[1]]
  }

  /// There and back again, evaluation is the same to the bit, and so are all settings.
  @Test(arguments: [NormKind.frozen, .ghost(partSize: 2), .split(2)])
  func exactKinds(kind: NormKind) throws {
    var random = TestRandom(for: "\(#function) \(kind)")
    let network = Self.network(&random)
    let x = Tensor(random.doubles(4 * 2 * 5 * 5), shape: [4, 2, 5, 5], dtype: .float64)
    let (converted, report) = convertNorms(in: network, to: kind)
    #expect(report.conversions.map(\.name) == ["1", "3.0"] && report.rest.isEmpty)
    #expect(report.conversions.allSatisfy { $0.isExactInEvaluation && $0.from == "BatchNorm2d" })
    let (back, second) = convertNorms(in: converted, to: .batch)
    #expect(second.conversions.count == 2)
    network.eval()
    for model in [converted, back] {
      model.eval()
      #expect(model(x).isEqual(to: network(x)))
    }
    #expect(Self.norms(back).allSatisfy { $0 is BatchNorm && !($0 is GhostBatchNorm) })
    guard let norm = back[1] as? BatchNorm else { return }
    #expect(norm.eps == 1e-3)
    if kind != .frozen {
      #expect(norm.momentum == .decay(0.9) && norm.runningVarianceCorrection == 0)
      #expect(norm.singleValuePolicy == .zero)
      // The inner one has never had parameters.
      #expect((Self.norms(back)[1] as? BatchNorm)?.weight == nil)
      #expect(back.stateDict().keys == network.stateDict().keys)
    }
    #expect(convertNorms(in: converted, to: kind).report.conversions.isEmpty)
  }

  /// In training the parts have statistics of their own.
  @Test func partsNormalizeInTraining() {
    var random = TestRandom()
    let norm = FoldedTests.drawn(BatchNorm2d(3), &random)
    let x = Tensor(random.floats(4 * 3 * 2 * 2), shape: [4, 3, 2, 2])
    for kind in [NormKind.ghost(partSize: 2), .split(2)] {
      let converted = convertNorms(in: Sequential(norm), to: kind).model
      converted.train()
      let twin = BatchNorm2d(3)
      FoldedTests.set(
        twin,
        [
          "weight": norm.weight?.value.array() ?? [], "bias": norm.bias?.value.array() ?? [],
        ])
      let parts = Tensor.concatenated([twin(x[0..<2]), twin(x[2..<4])])
      #expect(converted(x).allClose(to: parts, rtol: 1e-6, atol: 1e-6), "\(kind)")
    }
  }

  @Test func groups() throws {
    var random = TestRandom()
    let network = Self.network(&random)
    let (converted, report) = convertNorms(in: network, to: .group(2))
    #expect(report.conversions.map(\.isExactInEvaluation) == [false, false])
    let x = Tensor(random.doubles(4 * 2 * 5 * 5), shape: [4, 2, 5, 5], dtype: .float64)
    let (conv, norm) = (network[0], network[1] as? BatchNorm)
    let expected = groupNorm(
      conv(x), groups: 2, weight: norm?.weight?.value, bias: norm?.bias?.value, eps: 1e-3)
    #expect(converted[1](converted[0](x)).isEqual(to: expected))
    #expect((Self.norms(converted)[1] as? GroupNorm)?.weight == nil)
    // And back, as a batch norm that has to see data first.
    let (back, second) = convertNorms(in: converted, to: .batch)
    #expect(second.conversions.map(\.isExactInEvaluation) == [false, false])
    guard let new = back[1] as? BatchNorm else { return }
    #expect(new.numBatchesTracked?.value.item() == 0 && new.eps == 1e-3)
    #expect(new.weight?.value.isEqual(to: norm?.weight?.value ?? .zeros([])) == true)
    let (uneven, third) = convertNorms(in: network, to: .group(3))
    #expect(third.conversions.isEmpty && third.rest.map(\.norm) == ["1", "3.0"])
    #expect(uneven[1] === network[1])
    #expect("\(third)".contains("4 channels do not divide into 3 groups"))
  }

  @Test func whatStays() throws {
    final class Block: Module, Layer {
      let bn = BatchNorm2d(2)
      func callAsFunction(_ x: Tensor) -> Tensor {
        bn(x)
      }
    }
    let model = Sequential(
      Block(), BatchNorm2d(3, trackRunningStats: false), BatchNorm1d(3), LazyBatchNorm2d())
    let (frozen, report) = convertNorms(in: model, to: .frozen)
    #expect(report.rest.map(\.norm) == ["0.bn", "1", "3"])
    #expect(report.conversions.map(\.name) == ["2"] && frozen.layers.count == 4)
    let (_, split) = convertNorms(in: model, to: .split(3))
    #expect(split.conversions.map(\.name) == ["1"] && split.rest.map(\.norm) == ["0.bn", "2", "3"])
    #expect(convertNorms(in: model, to: .split(1)).report.conversions.isEmpty)
    #expect(convertNorms(in: model, to: .ghost(partSize: 0)).report.conversions.isEmpty)
    let text = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(NormConversionReport.self, from: text) == report)
  }

  @Test func frozenParametersStayFrozen() {
    let norm = BatchNorm2d(2)
    norm.freeze()
    let ghost = convertNorms(in: Sequential(norm), to: .ghost(partSize: 2)).model[0]
    #expect((ghost as? BatchNorm)?.isFrozen == true)
    #expect(ghost.parameters.count == 2 && ghost.parameters.allSatisfy(\.isFrozen))
  }
}
