import NormaFiles
import NormaNN
import NormaTensor

extension Module {
  /// Sets parameters and buffers to the values in a file of named tensors: safetensors, PyTorch
  /// (`torch.save`), `.npz`, or a ``Norma/Checkpoint``.
  ///
  ///     try network.load(contentsOf: "resnet18.safetensors")
  ///     try network.load(contentsOf: "lightning.ckpt", strippingPrefix: "model.")
  ///
  /// From a checkpoint that contains more than the model, it takes the model's part, as found by
  /// ``NormaFiles/StateFile``. PyTorch: `model.load_state_dict(torch.load(path))`.
  /// - Parameters:
  ///   - path: The file.
  ///   - strict: Whether missing and unexpected names are errors, as in `load(_:)`, and tensors
  ///     that cannot be read. Otherwise the latter count as missing.
  ///   - prefix: A prefix to remove from every name that has it.
  ///   - renaming: Maps a name in the file, without the prefix, to the module's name.
  /// - Returns: The missing and unexpected names, if these are allowed.
  /// - Throws: ``NormaFiles/FileError``, ``Norma/CheckpointError`` or ``NormaNN/LoadError``; then
  ///   nothing was changed.
  @discardableResult
  public func load(
    contentsOf path: String, strict: Bool = true, strippingPrefix prefix: String = "",
    renaming: (String) throws -> String = { $0 }
  ) throws -> LoadReport {
    try load(
      Module.state(in: path, strict: strict), strict: strict, strippingPrefix: prefix,
      renaming: renaming)
  }

  private static func state(in path: String, strict: Bool) throws -> StateDict {
    let file = try StateFile(contentsOf: path)
    if file.format == .safetensors {
      let metadata = try SafeTensors(contentsOf: path).metadata
      if Checkpoint.isNamed(in: metadata) { return try Checkpoint(contentsOf: path).model }
    }
    if strict, let unreadable = file.entries.first(where: { $0.reason != nil }) {
      _ = try file.tensor(named: unreadable.name)
    }
    return try file.tensors()
  }
}
