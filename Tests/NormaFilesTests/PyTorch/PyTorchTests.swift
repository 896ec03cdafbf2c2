import NormaTensor
import Testing

@testable import NormaFiles

/// Files of torch.save, written by Tools/make-pytorch-fixtures.py.
@Suite struct PyTorchTests {
  static func open(_ name: String) throws -> PyTorchFile {
    try PyTorchFile(contentsOf: Fixture.path(name))
  }

  /// The text of the error when opening a file.
  static func refusal(_ name: String) -> String {
    do {
      let file = try open(name)
      return "opened with \(file.keys)"
    } catch let error as FileError {
      return "\(error)"
    } catch {
      Issue.record("no FileError: \(error)")
      return ""
    }
  }

  @Test(arguments: [
    "state-2", "state-3", "state-4", "state-5", "legacy-2", "legacy-3", "legacy-4", "legacy-5",
    "small-stored", "small-deflated", "small-legacy", "state-root", "state-bare", "state-zip64",
    "state-streamed", "state-big", "state-unchecked",
  ])
  func everyContainerAndProtocol(_ name: String) throws {
    let file = try Self.open("\(name).pt")
    #expect(file.keys == ["a", "n", "z"])
    #expect(
      try same(file.tensor(named: "a"), Tensor([2, 3], .float32, [-2, -1, 0, 1, 2, 3] as [Float])))
    #expect(try same(file.tensor(named: "n"), Tensor([], .int64, [7])))
    #expect(try same(file.tensor(named: "z"), Tensor([0, 3], .float32, [Float]())))
    #expect(try file.tensors().count == 3)
    #expect(kind { _ = try file["b"] } == .missing)
    #expect(kind { _ = try file.tensor(named: "b") } == .missing)
    #expect(file.entries[0].byteCount == 24)
  }

  @Test(arguments: ["types.pt", "types-legacy.pt"]) func everyElementType(_ name: String) throws {
    let file = try Self.open(name)
    let unreadable = ["complex64", "float8_e4m3fn", "float8_e5m2"]
    #expect(file.entries.count >= 11)
    for entry in file.entries {
      #expect(entry.name == entry.dtypeName && entry.shape == [3])
      #expect((entry.reason != nil) == unreadable.contains(entry.name), "\(entry.name)")
      guard entry.reason == nil else {
        #expect(kind { _ = try file.tensor(named: entry.name) } == .unsupported)
        // With advice.
        #expect { try file.tensor(named: entry.name) } throws: { "\($0)".contains("; save ") }
        continue
      }
      let tensor = try file.tensor(named: entry.name)
      #expect(tensor.dtype == DType.allCases.first { "\($0)" == entry.name })
      #expect(tensor.dtype == entry.dtype)
      let values = tensor.dtype == .bool ? [0, 1, 1] : [0, 1, 3] as [Double]
      #expect(tensor.cast(to: .float64).elements() == values, "\(entry.name)")
    }
    #expect(try file.tensors().count == file.entries.count { $0.reason == nil })
  }

  @Test(arguments: ["views.pt", "views-legacy.pt"]) func layouts(_ name: String) throws {
    let file = try Self.open(name)
    let expected: [String: ([Int], [Float])] = [
      "base": ([3, 4], (0..<12).map(Float.init)),
      "transposed": ([4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
      "column": ([3], [1, 5, 9]), "stepped": ([2, 2], [1, 3, 9, 11]),
      "expanded": ([2, 3], [5, 5, 5, 5, 5, 5]), "diagonal": ([3], [0, 5, 10]),
      "scalar": ([], [11]), "half": ([1, 4], [4, 5, 6, 7]),
      "reversed": ([3, 4], [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]),
      "last": ([1, 4], [8, 9, 10, 11]),
      "channels": ([1, 2, 2, 4], (0..<16).map(Float.init)),
    ]
    #expect(Set(file.keys) == Set(expected.keys))
    for (name, (shape, values)) in expected {
      let tensor = try file.tensor(named: name)
      #expect(tensor.shape == shape && tensor.cast(to: .float32).elements() == values, "\(name)")
    }
  }

  @Test func treesOfTraining() throws {
    let file = try Self.open("training.pt")
    let names = [
      "state_dict.weight", "state_dict.bias", "state_dict.running_mean", "state_dict.running_var",
      "state_dict.num_batches_tracked", "optimizer_states.0.state.0.step",
      "optimizer_states.0.state.0.exp_avg", "optimizer_states.0.state.0.exp_avg_sq",
      "optimizer_states.0.state.1.step", "optimizer_states.0.state.1.exp_avg",
      "optimizer_states.0.state.1.exp_avg_sq", "averages.0", "averages.1.x", "3", "(k, 1)", "a.b",
      "a.b#2",
    ]
    #expect(file.keys == names)
    #expect(file.entries[0].path == ["state_dict", "weight"])
    #expect(try file.tensor(named: "a.b").elements() == [5] as [Float])
    #expect(try file.tensor(named: "a.b#2").elements() == [6] as [Float])
    #expect(try file.tensor(named: "averages.1.x").elements() == [2] as [Float])
    #expect(try file.tensor(named: "state_dict.num_batches_tracked").item() == 1)
    // Two values at momentum 0.1: 0.1 times the mean.
    let mean: [Float] = try file.tensor(named: "state_dict.running_mean").elements()
    #expect(abs(mean[0] - 0.2) < 1e-6 && abs(mean[1] - 0.35) < 1e-6)
  }

  @Test func otherForms() throws {
    #expect(try Self.open("parameter.pt").keys == ["p", "b"])
    #expect(try Self.open("tagged.pt").tensor(named: "t").elements() == [1, 1] as [Float])
    #expect(try Self.open("single.pt").keys == [""])
    #expect(try Tensor(contentsOf: Fixture.path("single.pt")).elements() == [0, 1, 2])
    #expect(try Self.open("list.pt").keys == ["0", "1"])
    #expect(try Tensor.all(contentsOf: Fixture.path("list.pt")).count == 2)
    let shared = try Self.open("shared.pt").tensors()
    #expect(shared["first"]?.elements() == [1, 1] as [Float] && shared.count == 2)
    #expect(try Self.open("plain.pt").tensor(named: "a").elements() == [0, 1, 2] as [Float])
  }

  @Test func whatNoTensorHoldsIsAnEntryWithAReason() throws {
    let file = try Self.open("partial.pt")
    #expect(file.entries.map(\.name) == ["fine", "sparse", "rows", "meta"])
    #expect(file.entries.map { $0.reason == nil } == [true, false, false, false])
    #expect(file.entries[1].shape == [2, 2] && file.entries[1].reason?.contains("sparse") == true)
    #expect(file.entries[3].shape == [3, 4] && file.entries[3].dtypeName == "float32")
    #expect(kind { _ = try file.tensor(named: "sparse") } == .unsupported)
    #expect(Array(try file.tensors().keys) == ["fine"])
  }

  /// Each with the expected part of its error.
  static let refused: [(name: String, says: [String])] = [
    ("refused-system.pt", ["posix.system", "nothing was run", "model.state_dict()"]),
    ("refused-system-legacy.pt", ["posix.system", "nothing was run"]),
    ("refused-eval.pt", ["builtins.eval"]), ("refused-getattr.pt", ["__builtin__.getattr"]),
    ("refused-module.pt", ["torch.nn.modules.container.Sequential", "model.state_dict()"]),
    ("refused-numbers.pt", ["no tensors", "model.state_dict()"]),
    ("refused-numpy.pt", ["NumPy", "numpy.save"]), ("refused-empty.pt", ["empty"]),
    ("refused-page.pt", ["HTML"]), ("refused-pointer.pt", ["git lfs pull"]),
    ("refused-shape.pt", ["2147483647", "6 elements"]),
    ("refused-product.pt", ["9223372036854775807"]),
    ("refused-negative.pt", ["-1"]), ("refused-offset.pt", ["9223372036854775807"]),
    ("refused-stride.pt", ["4611686018427387903"]), ("refused-backward.pt", ["-1"]),
    ("refused-count.pt", ["9223372036854775807"]), ("refused-missing.pt", ["data/0"]),
    ("refused-jit.pt", ["TorchScript", "torch.jit.load"]),
    ("refused-export.pt", ["torch.export"]), ("refused-zip.pt", ["no data.pkl"]),
    ("refused-deep.pt", ["nested too deeply", "128"]), ("refused-wide.pt", ["too many values"]),
  ]

  @Test(arguments: refused.indices) func refusals(_ index: Int) throws {
    let (name, says) = Self.refused[index]
    let text = Self.refusal(name)
    #expect(text.contains(Fixture.path(name)), "\(text)")
    for part in says { #expect(text.contains(part), "\(text)") }
  }

  @Test func everyFixtureThatIsToBeRefusedIsTested() throws {
    #expect(
      try Fixture.names(".pt").filter { $0.hasPrefix("refused") }
        == Self.refused.map(\.name).sorted())
  }

  @Test func damagedDataAreFoundWhenTheyAreRead() throws {
    let file = try Self.open("damaged-data.pt")
    #expect(kind { _ = try file.tensor(named: "a") } == .malformed)
    #expect(try file.tensor(named: "n").item() == 7)
  }

  // MARK: - The model in a checkpoint

  @Test func theModelInACheckpoint() throws {
    let state = try StateFile(contentsOf: Fixture.path("training.pt"))
    #expect(state.format == .pytorch && state.container == "state_dict")
    #expect(state.keys == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])
    #expect(state.otherParts == ["optimizer_states", "averages", "a"])
    #expect(try state.tensor(named: "num_batches_tracked").item() == 1)
    #expect(kind { _ = try state["exp_avg"] } == .missing)
    #expect(try state.tensors().count == 5)
    let plain = try StateFile(contentsOf: Fixture.path("state-2.pt"))
    #expect(plain.container == "" && plain.keys == ["a", "n", "z"] && plain.otherParts == [])
    #expect(try StateFile(contentsOf: Fixture.path("all.safetensors")).format == .safetensors)
    let arrays = try StateFile(contentsOf: Fixture.path("stored.npz"))
    #expect(try arrays.keys == ["a", "b/c"] && arrays.tensor(named: "a").shape == [2, 3])
    #expect(kind { _ = try StateFile(contentsOf: Fixture.path("one.npy")) } == .unsupported)
  }

  @Test(
    arguments: [
      ([["a.b"], ["c"]], []), ([["model", "a.b"], ["optimizer", "state", "0"]], ["model"]),
      ([["model", "state_dict", "x"], ["ema", "x"]], ["model", "state_dict"]),
      ([["resnet", "conv.weight"], ["optim", "state", "x.y"]], ["resnet"]),
      ([["generator", "a.b"], ["discriminator", "a.b"]], []), ([["conv", "weight"]], []),
      ([["step"], ["state_dict", "a"]], ["state_dict"]), ([], []),
    ] as [([[String]], [String])])
  func whichPartIsTheModel(_ paths: [[String]], _ container: [String]) {
    #expect(ModelPart(paths: paths).container == container)
  }
}

/// Files that Norma writes as torch.save does.
@Suite struct PyTorchWriteTests {
  @Test func everyTypeAndShapeSurvives() throws {
    var generator = SplitMix(state: 5)
    var state = StateDict()
    for dtype in DType.allCases where ![.uint16, .uint32, .uint64].contains(dtype) {
      for shape in shapes {
        state["\(dtype).\(shape) \"ü\"\n"] = Tensor(random: shape, dtype, &generator)
      }
    }
    try withFolder { folder in
      let path = "\(folder)/x.pt"
      try PyTorchFile.write(state, to: path)
      let file = try PyTorchFile(contentsOf: path)
      #expect(file.keys == state.keys)
      for (name, tensor) in state { #expect(same(try file[name], tensor), "\(name)") }
      #expect(try StateFile(contentsOf: path).keys == state.keys)
      #expect(
        kind { try PyTorchFile.write(["a": Tensor([1], .uint16, [UInt16(1)])], to: path) }
          == .unsupported)
      #expect(try PyTorchFile(contentsOf: path).keys == state.keys)
      try PyTorchFile.write(StateDict(), to: path)
      #expect(kind { _ = try PyTorchFile(contentsOf: path) } == .unsupported)
    }
  }
}
