import Foundation
import Norma
import NormaExplain

/// What is in a file of tensors: the output of `norma inspect`.
struct FileInspection: Encodable {
  /// A tensor as the file describes it.
  struct Entry: Encodable {
    let name: String
    /// The element type in the file's terms.
    let dtype: String
    let shape: [Int]
    /// The number of bytes in the file's own type.
    let bytes: Int
    /// Whether it belongs to the model, and not to an optimizer or another part.
    let isModel: Bool
    /// Why it cannot be read; nil if it can.
    let reason: String?
    /// The type that it is read into, or nil if it cannot be.
    let readAs: DType?
    var values: ValueSummary?

    private enum CodingKeys: String, CodingKey {
      case name, dtype, shape, bytes, isModel, reason, values
    }

    var count: Int { shape.reduce(1, *) }
  }

  let file: String
  /// The kind of file in words.
  let kind: String
  /// The path of keys to the model's tensors; empty if they are at the top level.
  var container = ""
  /// Parts of the file other than the model.
  var otherParts: [String] = []
  /// The file's own notes.
  var notes: [String: String] = [:]
  var tensors: [Entry] = []
  var normalizations: [StoredNorm] = []
  /// Options of layers that captures and graphs record.
  var options: [InspectedOptions] = []
  /// The graph of an ONNX file.
  var graph: InspectedGraph?

  /// The number of bytes of all tensors.
  var bytes: Int { tensors.reduce(0) { $0 + $1.bytes } }

  /// - Parameter withValues: whether to read every tensor.
  /// - Throws: `FileError` if the file cannot be read or contains no tensors.
  static func of(_ path: String, withValues: Bool) throws -> FileInspection {
    try FileFormat.isONNX(path)
      ? FileInspection(onnx: path, withValues: withValues)
      : FileInspection(path, withValues: withValues)
  }

  /// An inspection of which nothing else is known.
  init(_ path: String, kind: String) { (file, self.kind) = (path, kind) }

  /// The inspection of a file that is no graph.
  init(_ path: String, withValues: Bool) throws {
    file = path
    let format = try FileFormat.detect(model: path)
    let read: (String) throws -> Tensor
    switch format {
    case .npy, .idx, .png, .jpeg:
      let tensor = try Tensor(contentsOf: path)
      kind = format.words
      tensors = [
        Entry(
          name: "", dtype: "\(tensor.dtype)", shape: tensor.shape,
          bytes: tensor.count * tensor.dtype.byteCount, isModel: true, reason: nil,
          readAs: tensor.dtype)
      ]
      read = { _ in tensor }
    case .pytorch:
      let (state, content) = (try StateFile(contentsOf: path), try PyTorchFile(contentsOf: path))
      kind =
        content.fileCount == 1
        ? "a file of torch.save" : "\(content.fileCount) files of torch.save"
      (container, otherParts) = (state.container, state.otherParts)
      let start = state.container.isEmpty ? [] : state.containerKeys
      tensors = content.entries.map { entry in
        Entry(
          name: entry.name, dtype: entry.dtypeName, shape: entry.shape, bytes: entry.byteCount,
          isModel: entry.path.starts(with: start), reason: entry.reason, readAs: entry.dtype)
      }
      normalizations = try state.normalizationLayers()
      read = { try content.tensor(named: $0) }
    case .safetensors:
      let (state, content) = (try StateFile(contentsOf: path), try SafeTensors(contentsOf: path))
      notes = content.metadata
      kind = Self.kind(of: content)
      let isCheckpoint = content.metadata["format"] == "norma.checkpoint"
      if isCheckpoint {
        container = "model"
        otherParts = Set(
          content.keys.compactMap { $0.split(separator: ".").first.map(String.init) }
        )
        .subtracting(["model"]).sorted()
      }
      tensors = zip(content.entries, state.entries).map { entry, described in
        Entry(
          name: entry.name, dtype: entry.dtype.map { "\($0)" } ?? entry.dtypeName,
          shape: entry.shape, bytes: entry.byteCount,
          isModel: !isCheckpoint || entry.name.hasPrefix("model."), reason: described.reason,
          readAs: entry.dtype)
      }
      if NetworkCapture.isCapture(content) {
        options = try NetworkCapture(contentsOf: path).layers.map { InspectedOptions($0) }
      } else {
        normalizations = try state.normalizationLayers()
      }
      read = { try content.tensor(named: $0) }
    case .npz:
      let (state, content) = (try StateFile(contentsOf: path), try NPZ(contentsOf: path))
      kind = "a NumPy archive"
      tensors = state.entries.map { entry in
        Entry(
          name: entry.name, dtype: entry.dtypeName, shape: entry.shape,
          bytes: entry.shape.reduce(entry.dtype?.byteCount ?? 0, *), isModel: true,
          reason: entry.reason, readAs: entry.dtype)
      }
      normalizations = try state.normalizationLayers()
      read = { try content.tensor(named: $0) }
    }
    if withValues {
      for index in tensors.indices where tensors[index].reason == nil {
        tensors[index].values = ValueSummary(try read(tensors[index].name))
      }
    }
  }

  private static func kind(of file: SafeTensors) -> String {
    if file.metadata["format"] == "norma.checkpoint" { return "a checkpoint of Norma" }
    if NetworkCapture.isCapture(file) { return "a capture of a network" }
    return file.fileCount == 1 ? "a safetensors file" : "\(file.fileCount) safetensors files"
  }
}

/// The options of a normalization layer in a capture.
struct InspectedOptions: Encodable {
  let name: String
  let kind: String
  let epsilon: Double?
  /// In PyTorch's convention; nil for the mean over all batches, or if it was not recorded.
  let momentum: Double?

  init(_ norm: (name: String, layer: BatchNorm)) {
    (name, kind) = (norm.name, "\(type(of: norm.layer))")
    (epsilon, momentum) = (norm.layer.eps, norm.layer.momentum.share)
  }

  init(_ layer: CapturedLayer) {
    (name, kind) = (layer.name, layer.kind)
    epsilon = layer.options.epsilon
    momentum = layer.options.momentum?.share
  }
}

/// The values of a tensor in a few numbers; those of a tensor without finite values are nil.
struct ValueSummary: Encodable {
  let smallest: Double?
  let largest: Double?
  let mean: Double?
  /// Divided by n.
  let deviation: Double?
  let zeros: Int
  let nonFinite: Int

  init(_ tensor: Tensor) {
    let wide = tensor.cast(to: .float64)
    let isFinite = wide.isFinite()
    let finite = tensor.dtype.isFloatingPoint ? isFinite.sum().item(as: Int.self) : tensor.count
    nonFinite = tensor.count - finite
    zeros = (wide .== 0).sum().item(as: Int.self)
    guard finite > 0 else {
      (smallest, largest, mean, deviation) = (nil, nil, nil, nil)
      return
    }
    let values = nonFinite == 0 ? wide : wide.selected(where: isFinite)
    smallest = values.min().item()
    largest = values.max().item()
    mean = values.mean().item()
    deviation = values.std(correction: 0).item()
  }
}
