import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

/// Networks written as ONNX and read again. Exporting itself compares the file's results with the
/// network's, for other values and lengths than the recorded ones; the tests compare once more.
@Suite struct ExportTests {
  static func withFile<R>(_ body: (String) throws -> R) rethrows -> R {
    let path = NSTemporaryDirectory() + "norma-export-\(UUID().uuidString).onnx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// The file of a layer, after a comparison for another number of samples.
  @discardableResult
  private func exported(_ layer: some Layer, _ x: Tensor, anyBatchSize: Bool = true) throws
    -> ONNXModel
  {
    try Self.withFile { path in
      try layer.exportONNX(to: path, input: x, anyBatchSize: anyBatchSize)
      let file = try ONNXModel(contentsOf: path)
      file.eval()
      let batch = anyBatchSize ? Tensor.concatenated([x, x * 0.5, x - 1], over: 0) : x
      let wanted = layer.withEvaluation { withoutGradients { layer(batch) } }
      let found = try withoutGradients { try file([batch])[0] }
      #expect(found.allClose(to: wanted, rtol: 1e-5, atol: 1e-5))
      return file
    }
  }

  /// Another layer in the form of a closure.
  private final class Network: Module, Layer {
    let parts: [any Layer]
    let body: (Tensor, [any Layer]) -> Tensor
    init(_ parts: [any Layer], _ body: @escaping (Tensor, [any Layer]) -> Tensor) {
      (self.parts, self.body) = (parts, body)
    }
    override var children: [(name: String, module: Module)] {
      parts.enumerated().map { ("part\($0)", $1) }
    }
    func callAsFunction(_ x: Tensor) -> Tensor { body(x, parts) }
  }

  @Test func aConvolutionalNetworkKeepsItsNames() throws {
    try withSeed(1) {
      let network = Sequential(
        Conv2d(3, 8, kernelSize: 3, stride: 2, padding: 1), BatchNorm2d(8), ReLU(),
        MaxPool2d(kernelSize: 3, stride: 2, padding: 1), Conv2d(8, 8, kernelSize: 3, groups: 4),
        GELU(), AvgPool2d(kernelSize: 2), Dropout(0.5), Flatten(), Linear(8 * 2 * 2, 5))
      let norm = try #require(network[1] as? BatchNorm2d)
      norm.runningMean?.value = .randn(8)
      norm.runningVar?.value = .rand(8) + 0.5
      let file = try exported(network, .randn(2, 3, 28, 28))
      #expect(file.inputs[0].shape == [.free("batch"), .fixed(3), .fixed(28), .fixed(28)])
      #expect(file.outputs[0].shape == [.free("batch"), .fixed(5)])
      let names = Set(network.stateDict().keys).subtracting(["1.num_batches_tracked"])
      #expect(Set(file.stateDict().keys).isSuperset(of: names))
      #expect(file.namedModules.contains { $0.name == "1" && $0.module is BatchNorm })
      #expect(network.isTraining)
    }
  }

  @Test func normalizations() throws {
    try withSeed(2) {
      let x = Tensor.randn(2, 6, 5, 4)
      for layer in [
        GroupNorm(3, 6), InstanceNorm2d(6, affine: true), LayerNorm([5, 4]), RMSNorm([4]),
        LayerNorm([4], bias: false),
      ] as [any Layer] {
        for parameter in layer.namedParameters.map(\.parameter) {
          parameter.value = .randn(parameter.shape)
        }
        try exported(layer, x)
      }
    }
  }

  @Test func poolingAndResizing() throws {
    try withSeed(3) {
      let x = Tensor.randn(2, 3, 9, 11)
      for layer in [
        MaxPool2d(kernelSize: [3, 2], stride: [2, 3], padding: 1, dilation: [2, 1]),
        MaxPool2d(kernelSize: 2, ceilMode: true), AvgPool2d(kernelSize: 3, padding: 1),
        AdaptiveAvgPool2d([4, 5]), AdaptiveAvgPool2d(1),
        Upsample(scaleFactor: [2], mode: .bilinear),
        ConvTranspose2d(3, 4, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1),
      ] as [any Layer] {
        try exported(layer, x)
      }
    }
  }

  @Test func recurrentLayersInBothDirections() throws {
    try withSeed(4) {
      let x = Tensor.randn(3, 7, 5)
      let lstm = LSTM(5, 6, numLayers: 2, batchFirst: true, bidirectional: true)
      let gru = GRU(5, 6, batchFirst: true)
      let rnn = RNN(5, 6, nonlinearity: .relu, batchFirst: true)
      try exported(Network([]) { x, _ in lstm(x).output }, x)
      try exported(Network([]) { x, _ in gru(x).output.narrowed(over: 1, from: 6, count: 1) }, x)
      try exported(Network([]) { x, _ in rnn(x).output }, x)
    }
  }

  @Test func attentionWithHeadsAndPositions() throws {
    try withSeed(5) {
      let x = Tensor.randn(2, 6, 8)
      let layer = TransformerEncoderLayer(8, 2, .init(dimFeedforward: 16, batchFirst: true))
      layer.eval()
      try exported(Network([]) { x, _ in layer(x) }, x)
      let attention = MultiheadAttention(8, 2, batchFirst: true)
      try exported(
        Network([]) { x, _ in
          let q = x.reshaped(-1, 6, 2, 4).permuted(0, 2, 1, 3)
          let causal = scaledDotProductAttention(q, q, q, isCausal: true)
          return attention(x).output + causal.permuted(0, 2, 1, 3).reshaped(-1, 6, 8)
        }, x)
    }
  }

  @Test func tokensAndFreeLengths() throws {
    try withSeed(6) {
      let table = Embedding(11, 8)
      let ids = Tensor.randint([3, 5], high: 11)
      try Self.withFile { path in
        try table.exportONNX(
          to: path, inputs: ["ids": ids, "mask": Tensor.ones(3, 5)], outputs: ["mean"],
          freeAxes: ["ids": [0: "batch", 1: "time"], "mask": [0: "batch", 1: "time"]],
          metadata: ["classes": "cat,dog"]
        ) { inputs in
          let mask = inputs[1].unsqueezed(2)
          let rows = table(inputs[0]).relu() * mask
          return [rows.sum(over: 1) / mask.sum(over: 1)]
        }
        let file = try ONNXModel(contentsOf: path)
        file.eval()
        let other = Tensor.randint([2, 9], high: 11)
        let found = try file(["ids": other, "mask": Tensor.ones(2, 9)])["mean"]
        let wanted = table(other).relu().mean(over: 1)
        #expect(try #require(found).allClose(to: wanted, rtol: 1e-5, atol: 1e-6))
        #expect(file.metadata["classes"] == "cat,dog")
        #expect(file.inputs[1].shape == [.free("batch"), .free("time")])
      }
    }
  }

  @Test func arithmeticAndShapes() throws {
    try withSeed(7) {
      let x = Tensor.rand(2, 6, 4) + 0.5
      try exported(
        Network([]) { x, _ in
          let parts = x.split(every: 3, over: 1)
          let joined = Tensor.concatenated([parts[0].exp(), parts[1].log1p()], over: 2)
          let padded = joined.padded([1, 2], mode: .constant(0.5)).clamped(min: 0.1, max: 2)
          let picked = Tensor.where(padded .> 1, padded.sqrt(), padded.squared())
          return (picked.softmax(over: 1) * 3 - picked.std(over: 1, keepDims: true))
            .sigmoid().transposed() / (picked.max(over: 1, keepDims: true).transposed() + 2)
        }, x)
      try exported(
        Network([]) { x, _ in
          x.logSoftmax(over: -1) + x.logSumExp(over: 1, keepDims: true) + x.silu() + x.softplus()
        }, x)
    }
  }

  @Test func namesAllThatIsUnsupportedAtOnce() throws {
    let network = Network([]) { x, _ in
      x.cumulativeSum(over: 1) + x.sorted(over: 1).values
    }
    Self.withFile { path in
      #expect {
        try network.exportONNX(to: path, input: .rand(2, 4))
      } throws: { error in
        guard case .unsupported(let problems) = error as? ONNXExportError else { return false }
        return problems.count == 2 && "\(error)".contains("cumulativeSum")
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  /// A branch on values is as in the recorded call, and is found when other values are tried.
  @Test func whatDependsOnValuesThatWereReadIsRefused() throws {
    let network = Network([]) { x, _ in
      let first: Double = x.array()[0]
      return x * first
    }
    let x = Tensor([[1, 2, 4], [8, 16, 32]] as [[Float]])
    #expect(throws: ONNXExportError.self) { try network.exportONNX(to: "unused.onnx", input: x) }
    #expect(throws: ONNXExportError.self) {
      try network.exportONNX(
        to: "unused.onnx", inputs: ["x": .ones(2)], freeAxes: ["y": [0: "n"]]
      ) { [network($0[0])] }
    }
  }
}
