import Norma

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

/// Reads the input as a file in every way: a tensor or a `FileError`, never anything else.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, start, count, 0) == count else {
    fatalError("cannot write \(path)")
  }
  attempt { touch(try Tensor(contentsOf: path)) }
  attempt { touch(try Tensor(image: path, channels: 4, appliesOrientation: true)) }
  attempt { touch(try Tensor(npy: path)) }
  attempt { touch(try Tensor(idx: path)) }
  attempt { touch(try Tensor(idx: path, count: 1)) }
  attempt {
    let archive = try NPZ(contentsOf: path)
    for key in archive.keys { attempt { touch(try archive.tensor(named: key)) } }
  }
  attempt {
    let archive = try SafeTensors(contentsOf: path)
    for key in archive.keys { attempt { touch(try archive.tensor(named: key)) } }
  }
  attempt {
    let file = try PyTorchFile(contentsOf: path)
    for entry in file.entries { attempt { touch(try file.tensor(named: entry.name)) } }
  }
  attempt {
    let file = try StateFile(contentsOf: path)
    try touch(file)
    do {
      _ = try file.diagnosis()
    } catch is CheckpointDiagnosisError {}
  }
  attempt { touch(try CSV(contentsOf: path, options: .init(comment: "#")).tensor()) }
  return 0
}

private func touch(_ state: StateFile) throws {
  for tensor in try state.tensors().values { touch(tensor) }
}

private func attempt(_ body: () throws -> Void) {
  do {
    try body()
  } catch let error as FileError {
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
