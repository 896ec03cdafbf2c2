import Norma
import NormaModels
import NormaONNX

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// One file for all inputs, rewritten each time.
private let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
private let path = "\(folder)/norma-fuzz-\(getpid())"
private let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)

/// Every reader by its name; `NORMA_FUZZ` chooses one, otherwise all of them get each input.
private let readers: KeyValuePairs<String, @Sendable () -> Void> = [
  "tensor": { attempt { touch(try Tensor(contentsOf: path)) } },
  "image": {
    attempt { touch(try Tensor(image: path, channels: 4, appliesOrientation: true)) }
  },
  "npy": { attempt { touch(try Tensor(npy: path)) } },
  "idx": {
    attempt { touch(try Tensor(idx: path)) }
    attempt { touch(try Tensor(idx: path, count: 1)) }
  },
  "npz": {
    attempt {
      let archive = try NPZ(contentsOf: path)
      for key in archive.keys { attempt { touch(try archive.tensor(named: key)) } }
    }
  },
  "safetensors": {
    attempt {
      let archive = try SafeTensors(contentsOf: path)
      for key in archive.keys { attempt { touch(try archive.tensor(named: key)) } }
    }
  },
  // Zip archives, plain pickles, and the .tar of the first versions.
  "pytorch": {
    attempt {
      let file = try PyTorchFile(contentsOf: path)
      for entry in file.entries { attempt { touch(try file.tensor(named: entry.name)) } }
    }
  },
  "state": {
    attempt {
      let file = try StateFile(contentsOf: path)
      try touch(file)
      do {
        _ = try file.diagnosis()
      } catch is CheckpointDiagnosisError {}
    }
  },
  "csv": { attempt { touch(try CSV(contentsOf: path, options: .init(comment: "#")).tensor()) } },
  "onnx": { attempt { open(try ONNXModel(contentsOf: path)) } },
  "tokenizer": {
    attempt { _ = try WordPiece(contentsOf: path).encode("Ein naïver Test, 42!") }
    attempt { _ = try ByteLevelBPE(contentsOf: path).encode("Ein naïver Test, 42!") }
  },
]

private let chosen = getenv("NORMA_FUZZ").map { String(cString: $0) }

/// Writes small ONNX models into the corpus, which begins with them.
@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzing(_ count: OpaquePointer, _ arguments: OpaquePointer) -> Int32 {
  if let chosen, !readers.contains(where: { $0.key == chosen }) {
    fatalError("NORMA_FUZZ is \(chosen); the readers are \(readers.map(\.key))")
  }
  guard let folder = getenv("NORMA_FUZZ_CORPUS").map({ String(cString: $0) }) else { return 0 }
  do {
    let convolution = Sequential(
      Conv2d(1, 2, kernelSize: 2), BatchNorm2d(2), ReLU(), MaxPool2d(kernelSize: 2), Flatten())
    try convolution.exportONNX(to: "\(folder)/convolution.onnx", input: .rand(1, 1, 5, 5))
    let attention = TransformerEncoderLayer(4, 2, .init(dimFeedforward: 4, batchFirst: true))
    try attention.exportONNX(to: "\(folder)/attention.onnx", inputs: ["x": .rand(1, 3, 4)]) {
      [attention($0[0])]
    }
    let recurrent = LSTM(2, 3)
    try recurrent.exportONNX(to: "\(folder)/recurrent.onnx", inputs: ["x": .rand(4, 1, 2)]) {
      [recurrent($0[0]).output]
    }
  } catch {
    fatalError("no corpus: \(error)")
  }
  return 0
}

/// Reads the input as a file: a tensor, a model, or an error of its reader, never anything else.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, start, count, 0) == count else {
    fatalError("cannot write \(path)")
  }
  for (name, read) in readers where chosen == nil || name == chosen { read() }
  return 0
}

/// Runs a model on small inputs of the shapes that it declares.
private func open(_ model: ONNXModel) {
  var inputs: [Tensor] = []
  for input in model.inputs {
    let shape = (input.shape ?? []).map { axis in
      if case .fixed(let length) = axis, (0...8).contains(length) { return length }
      return 2
    }
    if shape.reduce(1, *) > 4096 { return }
    inputs.append(Tensor.zeros(shape, dtype: input.dtype ?? .float32))
  }
  do {
    for result in try model(inputs) { touch(result) }
  } catch let error as ONNXError {
    if error.description.isEmpty { fatalError("an error without a text") }
  } catch let error as TensorError {
    if error.description.isEmpty { fatalError("an error without a text") }
  } catch {
    fatalError("not an error of a model: \(error)")
  }
}

private func touch(_ state: StateFile) throws {
  for tensor in try state.tensors().values { touch(tensor) }
}

private func attempt(_ body: () throws -> Void) {
  do {
    try body()
  } catch let error as FileError {
    if error.description.isEmpty { fatalError("an error without a text") }
  } catch let error as ONNXError {
    if error.description.isEmpty { fatalError("an error without a text") }
  } catch {
    fatalError("not a FileError: \(error)")
  }
}

/// Reads every byte, so that the address sanitizer sees memory that is not the tensor's.
private func touch(_ tensor: Tensor) {
  let expected = tensor.shape.reduce(tensor.dtype.byteCount, *)
  tensor.withUnsafeBytes { bytes in
    if bytes.count != expected { fatalError("\(bytes.count) bytes for \(tensor.shape)") }
    var sum: UInt8 = 0
    for byte in bytes { sum ^= byte }
    if tensor.dtype == .bool, sum > 1 { fatalError("a truth value that is neither 0 nor 1") }
  }
}
