import Foundation
import Norma
import NormaExplain
import Testing

@testable import NormaCLI

/// `norma convert`.
@Suite struct ConvertTests {
  private func withFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = NSTemporaryDirectory() + "norma-convert-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  /// A tensor whose element at [i, j, ...] is the number with these digits.
  private func digits(_ shape: Int...) -> Tensor {
    var values: [Float] = [0]
    for length in shape { values = values.flatMap { v in (0..<length).map { 10 * v + Float($0) } } }
    return Tensor(values).reshaped(shape)
  }

  /// Converts tensors in memory.
  static func convert(
    _ state: [String: Tensor], _ source: NameConversion.Library, _ target: NameConversion.Library
  ) throws -> (state: [String: Tensor], conversion: NameConversion) {
    var conversion = NameConversion()
    conversion.tensors = state.sorted { $0.key < $1.key }.map { name, tensor in
      NamedTensor(origins: [name], name: name, shape: tensor.shape, dtype: tensor.dtype) { tensor }
    }
    conversion.convert(from: source, to: target)
    var result: [String: Tensor] = [:]
    for tensor in conversion.tensors {
      let value = try tensor.read()
      #expect(value.shape == tensor.shape && value.dtype == tensor.dtype, "\(tensor.name)")
      result[tensor.name] = value
    }
    return (result, conversion)
  }

  @Test func kerasBecomesPyTorch() throws {
    let (state, conversion) = try Self.convert(
      [
        "a/conv/kernel:0": digits(2, 3, 4, 5), "a/conv/bias:0": digits(5),
        "d/kernel": digits(4, 3), "bn/gamma": digits(3), "bn/beta": digits(3),
        "bn/moving_mean": digits(3), "bn/moving_variance": digits(3), "e/embeddings": digits(6, 2),
        "dw/depthwise_kernel": digits(2, 2, 3, 2),
      ], .keras, .pytorch)
    #expect(
      Set(state.keys) == [
        "a.conv.weight", "a.conv.bias", "d.weight", "bn.weight", "bn.bias", "bn.running_mean",
        "bn.running_var", "e.weight", "dw.depthwise.weight",
      ])
    let conv = try #require(state["a.conv.weight"])
    #expect(conv.shape == [5, 4, 2, 3] && conv[4, 2, 1, 0].item() == 1024)
    #expect(state["d.weight"]?[2, 3].item() == 32)
    #expect(state["e.weight"]?.shape == [6, 2])
    // Channel 2 with multiplier 1 is output 5.
    let depthwise = try #require(state["dw.depthwise.weight"])
    #expect(depthwise.shape == [6, 1, 2, 2] && depthwise[5, 0, 1, 0].item() == 1021)
    #expect(conversion.left.isEmpty && !conversion.isIncomplete)
  }

  /// The gates of Keras' GRU are update, reset, new; PyTorch's are reset, update, new.
  @Test func gatesOfRecurrentLayers() throws {
    let (state, _) = try Self.convert(
      [
        "g/kernel": digits(2, 3), "g/recurrent_kernel": digits(1, 3), "g/bias": digits(2, 3),
        "l/kernel": digits(2, 4), "l/recurrent_kernel": digits(1, 4), "l/bias": digits(4),
      ], .keras, .pytorch)
    #expect(state["g.weight_ih_l0"]?.array(of: Int.self) == [1, 11, 0, 10, 2, 12])
    #expect(state["g.weight_hh_l0"]?.array(of: Int.self) == [1, 0, 2])
    #expect(state["g.bias_ih_l0"]?.array(of: Int.self) == [1, 0, 2])
    #expect(state["g.bias_hh_l0"]?.array(of: Int.self) == [11, 10, 12])
    #expect(state["l.weight_ih_l0"]?.array(of: Int.self) == [0, 10, 1, 11, 2, 12, 3, 13])
    #expect(state["l.bias_ih_l0"]?.array(of: Int.self) == [0, 1, 2, 3])
    #expect(state["l.bias_hh_l0"]?.array(of: Int.self) == [0, 0, 0, 0])
    let old = try Self.convert(
      ["g/kernel": digits(2, 3), "g/recurrent_kernel": digits(1, 3), "g/bias": digits(3)],
      .keras, .pytorch)
    #expect(old.conversion.isIncomplete && old.conversion.left.count == 1)
  }

  /// From PyTorch and back everything is the same, except what a library does not have.
  @Test(arguments: [NameConversion.Library.keras, .flax, .mlx])
  func thereAndBack(_ library: NameConversion.Library) throws {
    var state: [String: Tensor] = [
      "c.weight": digits(5, 4, 2, 3), "c.bias": digits(5), "c1.weight": digits(2, 3, 4),
      "b.weight": digits(4), "b.bias": digits(4), "b.running_mean": digits(4),
      "b.running_var": digits(4), "ln.weight": digits(3), "ln.bias": digits(3),
      "fc.weight": digits(2, 3), "fc.bias": digits(2), "emb.weight": digits(4, 2),
    ]
    if library == .keras {
      state.merge(
        [
          "gru.weight_ih_l0": digits(6, 3), "gru.weight_hh_l0": digits(6, 2),
          "gru.bias_ih_l0": digits(6), "gru.bias_hh_l0": digits(6),
        ]) { $1 }
    }
    var given = state
    given["b.num_batches_tracked"] = Tensor.full([], 3, dtype: .int64)
    let (there, conversion) = try Self.convert(given, .pytorch, library)
    #expect(conversion.left.map(\.name) == ["b.num_batches_tracked"])
    #expect(!conversion.isIncomplete && conversion.notes.isEmpty)
    #expect(library == .mlx || !there.keys.contains { $0.hasSuffix("weight") })
    let (back, _) = try Self.convert(there, library, .pytorch)
    #expect(Set(back.keys) == Set(state.keys))
    for (name, tensor) in state { #expect(back[name]?.isEqual(to: tensor) == true, "\(name)") }
  }

  @Test func mlxKeepsChannelsLast() throws {
    let (state, _) = try Self.convert(
      ["c.weight": digits(5, 2, 3, 4), "convTranspose.weight": digits(5, 2, 4)], .mlx, .pytorch)
    #expect(state["c.weight"]?[4, 3, 1, 2].item() == 4123)
    #expect(state["convTranspose.weight"]?.shape == [4, 5, 2])
  }

  @Test func flaxHasCollectionsAndHeads() throws {
    let (state, _) = try Self.convert(
      [
        "params/attn/query/kernel": digits(2, 3, 4), "params/attn/query/bias": digits(3, 4),
        "params/attn/out/kernel": digits(3, 4, 2), "batch_stats/bn/mean": digits(2),
        "params/bn/scale": digits(2),
      ], .flax, .pytorch)
    #expect(state["attn.query.weight"]?.shape == [12, 2])
    #expect(state["attn.query.weight"]?[6, 1].item() == 112)
    #expect(state["attn.query.bias"]?.shape == [12])
    #expect(state["attn.out.weight"]?.shape == [2, 12])
    #expect(state["attn.out.weight"]?[1, 6].item() == 121)
    #expect(state["bn.running_mean"] != nil && state["bn.weight"] != nil)
  }

  @Test func librariesAreRecognized() {
    func library(_ names: String..., format: String? = nil) -> NameConversion.Library {
      NameConversion.library(of: names, format: format)
    }
    #expect(library("bn/gamma:0", "d/kernel:0") == .keras)
    #expect(library("params/Dense_0/kernel", "params/Dense_0/bias") == .flax)
    #expect(library("d.kernel", "ln.scale") == .flax)
    #expect(library("fc.weight", "fc.bias") == .pytorch)
    #expect(library("fc.weight", format: "mlx") == .mlx)
    #expect(library("rnn.Wx", "rnn.Wh") == .mlx)
  }

  @Test func filesOfAllFormats() throws {
    try withFolder { folder in
      let state: StateDict = [
        "fc.weight": digits(2, 3), "n": Tensor.full([], 3, dtype: .int64),
        "half": digits(2).cast(to: .bfloat16), "flag": Tensor([true, false]),
        "empty": Tensor.zeros(0, 4),
      ]
      try SafeTensors.write(state, to: folder + "/a.safetensors")
      #expect(exitStatus("convert", folder + "/a.safetensors", folder + "/b.pt") == 0)
      #expect(exitStatus("convert", folder + "/b.pt", folder + "/c.npz") == 0)
      #expect(exitStatus("convert", folder + "/b.pt", folder + "/c.safetensors") == 0)
      let copy = try SafeTensors(contentsOf: folder + "/c.safetensors")
      #expect(copy.metadata == ["format": "pt"])
      for (name, tensor) in state {
        #expect(try copy[name].dtype == tensor.dtype && copy[name].isEqual(to: tensor), "\(name)")
      }
      #expect(try NPZ(contentsOf: folder + "/c.npz")["half"].dtype == .float32)
      // Five tensors do not fit one array.
      #expect(exitStatus("convert", folder + "/b.pt", folder + "/d.npy") == 2)
      #expect(exitStatus("convert", folder + "/b.pt", folder + "/d.txt") == 64)
      #expect(exitStatus("convert", folder + "/b.pt", folder + "/e.npz", "--dry-run") == 0)
      #expect(!FileManager.default.fileExists(atPath: folder + "/e.npz"))
      #expect(exitStatus("convert", folder + "/none", folder + "/e.npz") == 2)
      try digits(2, 3).write(npy: folder + "/x.npy")
      #expect(exitStatus("convert", folder + "/x.npy", folder + "/x.pt") == 0)
      #expect(try PyTorchFile(contentsOf: folder + "/x.pt").keys == ["tensor"])
    }
  }

  /// Several pickles with an index, and their folder.
  @Test func pickledShards() throws {
    try withFolder { folder in
      for name in ["a", "b"] {
        try PyTorchFile.write([name: digits(2, 3)], to: folder + "/\(name).bin")
      }
      let index = folder + "/pytorch_model.bin.index.json"
      try #"{"weight_map": {"a": "a.bin", "b": "b.bin"}}"#
        .write(toFile: index, atomically: true, encoding: .utf8)
      for path in [index, folder] {
        let inspection = try FileInspection.of(path, withValues: true)
        #expect(inspection.kind == "2 files of torch.save" && inspection.tensors.count == 2)
        #expect(exitStatus("convert", path, folder + "/c.npz") == 0)
        #expect(try NPZ(contentsOf: folder + "/c.npz")["b"].isEqual(to: digits(2, 3)))
      }
    }
  }

  @Test func whatIsLeftOutIsReported() throws {
    try withFolder { folder in
      // complex64 in partial.pt cannot be read.
      let status = exitStatus("convert", InspectTests.fixtures + "/partial.pt", folder + "/a.npz")
      #expect(status == 1)
      let file = try ConvertedFile(InspectTests.fixtures + "/training.pt", keepsAll: false)
      #expect(file.conversion.left.contains { $0.name.hasPrefix("optimizer_states") })
      let report = ConversionReport(
        file, "training.pt", "x.npz", .pytorch, .pytorch, isWritten: false)
      let text = report.text(style: TextStyle(width: 80))
      #expect(text.contains("would write x.npz") && text.contains("Left out"))
      for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      #expect(!file.conversion.tensors.contains { $0.name.hasPrefix("state_dict") })
      let all = try ConvertedFile(InspectTests.fixtures + "/training.pt", keepsAll: true)
      #expect(all.conversion.tensors.count > file.conversion.tensors.count)
    }
  }
}
