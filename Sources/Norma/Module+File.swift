import NormaFiles
import NormaNN
import NormaTensor

extension Module {
  /// Sets parameters and buffers to the values of a file of any format that holds named tensors:
  /// safetensors, PyTorch's (`torch.save`), `.npz`, or a ``Norma/Checkpoint``.
  ///
  ///     try network.load(contentsOf: "resnet18.safetensors")
  ///     try network.load(contentsOf: "lightning.ckpt", strippingPrefix: "model.")
  ///
  /// Of a checkpoint that holds more than the model, the model's part is taken, as
  /// ``NormaFiles/StateFile`` finds it. PyTorch: `model.load_state_dict(torch.load(path))`.
  /// - Parameters:
  ///   - path: The file.
  ///   - strict: Refuse a state that lacks names or has others, as `load(_:)` does, and a tensor that
  ///     cannot be read. Otherwise what cannot be read counts as missing.
  ///   - prefix: What is taken off the beginning of every name that has it.
  ///   - renaming: The module's name for a name of the file, after the prefix is taken off.
  /// - Returns: What was missing or unexpected, where that is allowed.
  /// - Throws: ``NormaFiles/FileError``, ``Norma/CheckpointError`` or ``NormaNN/LoadError``; then nothing was
  ///   changed.
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
