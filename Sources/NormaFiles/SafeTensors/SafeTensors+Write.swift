import NormaTensor

extension SafeTensors {
  /// Writes named tensors as a safetensors file.
  ///
  /// The bytes depend only on the tensors: wider elements come first, so that all are aligned, then
  /// tensors are sorted by name, as in the reference writer. The file appears under its name when
  /// it is complete: a reader sees the old content or the new one, never a mixture, even after a
  /// power failure. Python: `safetensors.torch.save_file(tensors, path, metadata)`.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in a `StateDict` or a dictionary; the name `__metadata__` is
  ///     reserved.
  ///   - metadata: Notes to store with them. PyTorch's own tools look for `format: pt`.
  ///   - path: The file; an existing one is replaced.
  /// - Throws: `FileError` if the file cannot be written or the names are too long for a header
  ///   of 100 MB.
  public static func write(
    _ tensors: some Sequence<(key: String, value: Tensor)>, metadata: [String: String] = [:],
    to path: String
  ) throws {
    try OutputFile.write(path, operation: "SafeTensors.write(_:metadata:to:)") { file in
      let tensors = try file.context.namedOnce(tensors)
      if tensors["__metadata__"] != nil {
        throw file.context.unsupported(
          "cannot hold a tensor named \"__metadata__\"", "the format keeps that name for notes")
      }
      let ordered = order(tensors)
      let header = headerBytes(ordered, metadata)
      if header.count - 8 > SafeTensorsHeader.largestCount {
        throw file.context.unsupported(
          "cannot hold so many names",
          "the header takes \(header.count - 8) bytes, and at most "
            + "\(SafeTensorsHeader.largestCount) are allowed")
      }
      try file.write(header)
      for (_, tensor) in ordered { try tensor.withUnsafeBytes { try file.write($0) } }
    }
  }

  private static func place(_ dtype: DType) -> Int {
    dtypes.firstIndex { $0.dtype == dtype } ?? 0
  }

  private static func order(_ tensors: StateDict) -> [(name: String, tensor: Tensor)] {
    tensors.map { (name: $0.key, tensor: $0.value) }.sorted { a, b in
      let (first, second) = (place(a.tensor.dtype), place(b.tensor.dtype))
      return first == second
        ? a.name.utf8.lexicographicallyPrecedes(b.name.utf8) : first > second
    }
  }

  private static func headerBytes(
    _ tensors: [(name: String, tensor: Tensor)], _ metadata: [String: String]
  ) -> [UInt8] {
    var members: [(key: String, value: JSON)] = []
    if !metadata.isEmpty {
      let notes = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        (key: "__metadata__", value: .object(notes.map { (key: $0.key, value: .string($0.value)) }))
      )
    }
    var start = 0
    for (name, tensor) in tensors {
      let end = start + tensor.shape.reduce(tensor.dtype.byteCount, *)
      members.append(
        (
          key: name,
          value: [
            "dtype": .string(dtypes[place(tensor.dtype)].name),
            "shape": .array(tensor.shape.map { .int($0) }),
            "data_offsets": [.int(start), .int(end)],
          ]
        ))
      start = end
    }
    var text = Array(JSON.object(members).text().utf8)
    // The data start at a multiple of eight.
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }
}

extension FileContext {
  /// The tensors by name; two with the same name are an error, as a reader would find only one.
  func namedOnce(_ tensors: some Sequence<(key: String, value: Tensor)>) throws -> StateDict {
    var all = StateDict()
    for (name, tensor) in tensors {
      if all[name] != nil {
        throw unsupported("cannot hold two tensors named \(quoted(name))", "rename one of them")
      }
      all[name] = tensor
    }
    return all
  }
}
