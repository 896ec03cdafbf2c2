import NormaTensor

extension PyTorchFile {
  /// Writes named tensors as `torch.save` writes a state dictionary.
  ///
  /// `torch.load(path, weights_only=True)` reads it, and `model.load_state_dict` takes the result.
  /// The bytes depend only on the tensors, and the file appears under its name when it is complete.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in a `StateDict`, whose order is kept, or a dictionary.
  ///   - path: The file; an existing one is replaced.
  /// - Throws: `FileError` if the file cannot be written, and for unsigned integers of 16 bits or
  ///   more, for which PyTorch has no storages.
  /// - PyTorch: `torch.save(state_dict, path)`
  public static func write(
    _ tensors: some Sequence<(key: String, value: Tensor)>, to path: String
  ) throws {
    try OutputFile.write(path, operation: "PyTorchFile.write(_:to:)") { file in
      let tensors = try file.context.namedOnce(tensors)
      var archive = ZIPWriter(file)
      var pickle = StatePickle()
      for (number, (name, tensor)) in tensors.enumerated() {
        guard
          let storage = PyTorchElement.storages.first(where: {
            $0.value == tensor.dtype.description && !$0.key.contains("Untyped")
          })?.key
        else {
          throw file.context.unsupported(
            "cannot hold \(quoted(name)) as \(tensor.dtype)",
            "PyTorch has no storage for it; cast it to int64")
        }
        pickle.add(name, storage: storage, key: number, shape: tensor.shape, count: tensor.count)
      }
      try add("data.pkl", pickle.finished, to: &archive)
      try add("byteorder", Array("little".utf8), to: &archive)
      for (number, (_, tensor)) in tensors.enumerated() {
        try tensor.withUnsafeBytes {
          try archive.add("archive/data/\(number)", deflated: false, header: [], content: $0)
        }
      }
      try add("version", Array("3\n".utf8), to: &archive)
      try archive.finish()
    }
  }

  private static func add(
    _ name: String, _ bytes: [UInt8], to archive: inout ZIPWriter
  ) throws {
    try bytes.withUnsafeBytes {
      try archive.add("archive/\(name)", deflated: false, header: [], content: $0)
    }
  }
}

/// A pickle of protocol 2 of an ordered dictionary of tensors.
private struct StatePickle {
  private var bytes: [UInt8] = [0x80, 2]

  init() {
    global("collections", "OrderedDict")
    put(")R(")
  }

  /// The pickle with its end.
  var finished: [UInt8] { bytes + Array("u.".utf8) }

  /// A name and `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
  mutating func add(_ name: String, storage: String, key: Int, shape: [Int], count: Int) {
    text(name)
    global("torch._utils", "_rebuild_tensor_v2")
    put("((")
    text("storage")
    global("torch", storage)
    text("\(key)")
    text("cpu")
    integer(count)
    put("tQ")
    integer(0)
    var strides: [Int] = []
    var stride = 1
    for length in shape.reversed() {
      strides.append(stride)
      stride *= max(length, 1)
    }
    tuple(shape)
    tuple(strides.reversed())
    bytes.append(0x89)
    global("collections", "OrderedDict")
    put(")RtR")
  }

  private mutating func put(_ codes: String) { bytes += Array(codes.utf8) }

  private mutating func global(_ module: String, _ name: String) {
    put("c\(module)\n\(name)\n")
  }

  private mutating func tuple(_ values: [Int]) {
    put("(")
    for value in values { integer(value) }
    put("t")
  }

  private mutating func text(_ value: String) {
    put("X")
    little(value.utf8.count, 4)
    put(value)
  }

  /// As four bytes, or as a long integer of eight.
  private mutating func integer(_ value: Int) {
    if Int32(exactly: value) != nil {
      put("J")
      little(value, 4)
    } else {
      bytes += [0x8a, 8]
      little(value, 8)
    }
  }

  private mutating func little(_ value: Int, _ count: Int) {
    for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * place))) }
  }
}
