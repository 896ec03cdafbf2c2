import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

/// States of recurrent layers, free lengths, and tensors beside the file.
@Suite struct ExportedStatesTests {
  private final class Decoder: Module {
    let table = Embedding(11, 8)
    let positions = LearnedPositionalEmbedding(16, 8)
    let block = TransformerEncoderLayer(8, 2, .init(dimFeedforward: 16, batchFirst: true))

    func callAsFunction(_ ids: Tensor) -> Tensor {
      block(positions(table(ids)), mask: nil, isCausal: true)
    }
  }

  /// Opens the file of a network and compares it for other inputs.
  private func check(
    _ module: Module, _ inputs: KeyValuePairs<String, Tensor>,
    freeAxes: [String: [Int: String]] = [:], others: [[Tensor]],
    _ forward: ([Tensor]) -> [Tensor]
  ) throws {
    try ExportTests.withFile { path in
      try module.exportONNX(to: path, inputs: inputs, freeAxes: freeAxes, forward: forward)
      let file = try ONNXModel(contentsOf: path)
      file.eval()
      for other in others {
        for (found, wanted) in zip(try file(other), forward(other)) {
          #expect(found.shape == wanted.shape)
          #expect(found.allClose(to: wanted, rtol: 1e-4, atol: 1e-5))
        }
      }
    }
  }

  /// Initial states are inputs, last states outputs; with a projection they have other sizes.
  @Test(arguments: [0, 3]) func statesOfAnLSTM(_ projection: Int) throws {
    try withSeed(14) {
      let lstm = LSTM(
        5, 6, numLayers: 2, batchFirst: true, bidirectional: true, projSize: projection)
      let size = projection == 0 ? 6 : projection
      func sample(_ count: Int, _ steps: Int) -> [Tensor] {
        [.randn(count, steps, 5), .randn(4, count, size), .randn(4, count, 6)]
      }
      let x = sample(2, 4)
      try check(
        lstm, ["x": x[0], "h": x[1], "c": x[2]],
        freeAxes: ["x": [0: "batch", 1: "time"], "h": [1: "batch"], "c": [1: "batch"]],
        others: [sample(3, 7), sample(1, 1)]
      ) {
        let (output, last) = lstm($0[0], state: LSTMState(hidden: $0[1], cell: $0[2]))
        return [output, last.hidden, last.cell]
      }
    }
  }

  /// The last state of one layer is the initial one of another; without a batch, too.
  @Test func statesOfOtherRecurrentLayers() throws {
    try withSeed(15) {
      let (gru, rnn) = (GRU(5, 6, numLayers: 2), RNN(5, 6))
      func forward(_ x: [Tensor]) -> [Tensor] {
        let last = gru(x[0]).state
        let result = rnn(x[0], state: last.narrowed(over: 0, from: 1, count: 1))
        return [result.output, result.state]
      }
      let both = Sequential()
      try check(
        both, ["x": .randn(7, 2, 5)], freeAxes: ["x": [1: "batch"]], others: [[.randn(7, 3, 5)]],
        forward)
      try check(both, ["x": .randn(7, 5)], others: [[.randn(7, 5)]], forward)
    }
  }

  /// A decoder for any number of tokens: positions and the causal mask follow from the length.
  @Test func aDecoderOfAnyLength() throws {
    try withSeed(17) {
      let network = Decoder()
      network.eval()
      try check(
        network, ["ids": .randint([2, 4], high: 11)],
        freeAxes: ["ids": [0: "batch", 1: "length"]],
        others: [1, 9, 16].map { [.randint([3, $0], high: 11)] }
      ) { [network($0[0])] }
    }
  }

  /// Tensors that do not fit one file lie beside it.
  @Test func largeTensorsLieBesideTheFile() throws {
    try withSeed(16) {
      let network = Sequential(Linear(20, 30), ReLU(), Linear(30, 20))
      let x = Tensor.randn(2, 20)
      let files = FileManager.default
      try ExportTests.withFile { path in
        defer { try? files.removeItem(atPath: path + ".data") }
        let call = try ExportedCall(
          network, [.init(name: "x", tensor: x)], outputs: ["y"], freeAxes: [:], metadata: [:])
        try call.write(to: path, limit: 1000) { [network($0[0])] }
        // Two matrices of 2,400 bytes at multiples of 64.
        #expect(try files.attributesOfItem(atPath: path + ".data")[.size] as? Int == 2 * 2432)
        #expect(try #require(files.attributesOfItem(atPath: path)[.size] as? Int) < 2400)
        func isWhole() throws -> Bool {
          let file = try ONNXModel(contentsOf: path)
          file.eval()
          return try file([x])[0].allClose(to: network(x), rtol: 1e-5, atol: 1e-6)
        }
        #expect(try isWhole())
        // An export that fails changes neither file.
        #expect(throws: ONNXExportError.self) {
          try call.write(to: path, limit: 1000) { inputs in
            let first: Double = inputs[0].array()[0]
            return [network(inputs[0]) * first]
          }
        }
        #expect(try isWhole())
        let url = URL(fileURLWithPath: path)
        let left = try files.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)
          .filter { $0.contains(url.lastPathComponent) }
        #expect(left.count == 2)
      }
    }
  }
}
