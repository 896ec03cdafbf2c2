import NormaFiles
import NormaNN
import NormaTensor

extension Module {
  /// Writes what one call of this network computes as an ONNX file.
  ///
  ///     try network.exportONNX(
  ///       to: "network.onnx", inputs: ["x": images], outputs: ["scores"],
  ///       freeAxes: ["x": [0: "batch"]]
  ///     ) { [network($0[0])] }
  ///
  /// `forward` is called in evaluation mode, and its operations are recorded: calls of Norma's
  /// layers, and those of tensors. Parameters and buffers keep their names, batch norms are
  /// `BatchNormalization` nodes. Views are found by their layout. With free axes it is called once
  /// more with other lengths, and what differs between the calls is computed from the lengths in
  /// the file. Whatever depends on values read in Swift, such as a branch, is as in the call.
  /// Recurrent layers take initial states and return last ones; LSTM's projection, which ONNX does
  /// not have, becomes products around a layer without one.
  ///
  /// Finally the file is opened and called with other values than the recorded ones; its results
  /// must be those of `forward`.
  ///
  /// - Parameters:
  ///   - path: the file; an existing one is replaced at the end.
  ///   - inputs: names and tensors for the arguments of `forward`.
  ///   - outputs: names for its results; `output`, `output_1`, ... by default.
  ///   - freeAxes: axes of inputs that may have any length, with names; the same name means the
  ///     same length.
  ///   - metadata: notes for the file, such as the names of classes.
  ///   - forward: calls the network.
  /// - Throws: `ONNXExportError`, a `FileError` if the file cannot be written, and what `forward`
  ///   throws.
  /// - Accuracy: the operations are those of the call, one by one; sums may run in another order.
  ///   The file's operator set is 18. Its tensors are inside of it; if they have more than 2 GB,
  ///   which one file cannot hold, they are in `path` with `.data` at its end, and both files have
  ///   to stay together.
  /// - Cost: three calls, or four with free axes, while all results of a call are kept.
  /// - PyTorch: `torch.onnx.export`.
  public func exportONNX(
    to path: String, inputs: KeyValuePairs<String, Tensor>, outputs: [String] = [],
    freeAxes: [String: [Int: String]] = [:], metadata: [String: String] = [:],
    forward: ([Tensor]) throws -> [Tensor]
  ) throws {
    let given = inputs.map { ExportedCall.Input(name: $0.key, tensor: $0.value) }
    try ExportedCall(self, given, outputs: outputs, freeAxes: freeAxes, metadata: metadata)
      .write(to: path, forward)
  }
}

extension Layer {
  /// Writes what a call of this layer computes as an ONNX file, for any number of samples.
  ///
  ///     try network.exportONNX(to: "network.onnx", input: images)
  ///
  /// See ``NormaNN/Module/exportONNX(to:inputs:outputs:freeAxes:metadata:forward:)``. The input is
  /// `input`, the result `output`.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - input: an input of the kind that the network is used on.
  ///   - anyBatchSize: whether the first axis may have any length.
  ///   - metadata: notes for the file.
  public func exportONNX(
    to path: String, input: Tensor, anyBatchSize: Bool = true, metadata: [String: String] = [:]
  ) throws {
    try exportONNX(
      to: path, inputs: ["input": input], outputs: ["output"],
      freeAxes: anyBatchSize ? ["input": [0: "batch"]] : [:], metadata: metadata
    ) { [self($0[0])] }
  }
}

/// Why a network cannot be written as ONNX.
public enum ONNXExportError: Error, Sendable, Hashable {
  /// Operations that ONNX does not have, or that cannot be written: all of them.
  case unsupported([String])
  /// A name that does not fit the call.
  case name(String)
  /// The file's results are not those of the network: something depends on values that were read
  /// in Swift, or on a state that is not an input.
  case differs(output: String, distance: Double)
}

extension ONNXExportError: CustomStringConvertible {
  /// What is wrong, and the way out.
  public var description: String {
    switch self {
    case .unsupported(let problems):
      "exportONNX(to:): the call uses what cannot be exported: \(problems.joined(separator: "; "))"
    case .name(let problem): "exportONNX(to:): \(problem)"
    case .differs(let output, let distance):
      "exportONNX(to:): for other values than the recorded ones, the file's \(quoted(output)) is "
        + "\(distance) times its largest value away from the network's; pass as an input what the "
        + "call depends on, and read no values in it"
    }
  }
}
