import Foundation
import NormaExplain
import NormaFiles
import NormaTensor

/// A difference between a user's formula and a layer, and its known causes.
struct ExplainCase {
  let folder: URL
  let layer: JSON
  let truth: ExplainTruth

  init(folder: URL) throws {
    self.folder = folder
    layer = try Self.json(folder.appendingPathComponent("layer.json"))
    truth = ExplainTruth(try Self.json(folder.appendingPathComponent("truth.json")))
  }

  var kind: String { layer["kind"]?.stringValue ?? "" }

  func tensor(_ name: String) throws -> Tensor? {
    let file = folder.appendingPathComponent("\(name).npy").path
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let types = ["float16": DType.float16, "bfloat16": .bfloat16]
    // Half types are stored widened.
    guard let type = types[layer["dtype"]?.stringValue ?? ""] else { return try Tensor(npy: file) }
    return try Tensor(npy: file).cast(to: type).evaluated()
  }

  func numbers() throws -> LayerNumbers? {
    let options = layer["options"]
    guard let reach = reach(options) else { return nil }
    let isRoot = kind == "RMSNorm"
    let sizes = sizes(options?["normalized_shape"])
    let features =
      (options?["num_features"] ?? options?["num_channels"])?.intValue ?? sizes.reduce(1, *)
    let state = try tensors(in: layer["params"]?.stringValue)
    let momentum = options?["momentum"]
    // RMSNorm's epsilon is that of the type it computes in.
    let epsilon = layer["dtype"]?.stringValue == "float64" ? 0x1p-52 : 0x1p-23
    return LayerNumbers(
      name: "\(kind)(\(features))", reach: reach, subtractsMean: !isRoot, features: features,
      epsilon: options?["eps"]?.doubleValue ?? (isRoot ? epsilon : 1e-5),
      momentum: momentum?.isNull == true ? nil : momentum?.doubleValue ?? 0.1,
      weight: state["weight"], bias: state["bias"], runningMean: state["running_mean"],
      runningVariance: state["running_var"],
      batchesTracked: Int(state["num_batches_tracked"]?.first ?? 0),
      isTraining: layer["training"]?.boolValue ?? true)
  }

  /// The values that the layer normalizes together; nil for a kind that `explain` does not support.
  private func reach(_ options: JSON?) -> LayerNumbers.Reach? {
    switch kind {
    case "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm": .batch
    case "InstanceNorm1d": .instance(axes: 1)
    case "InstanceNorm2d": .instance(axes: 2)
    case "InstanceNorm3d": .instance(axes: 3)
    case "GroupNorm": options?["num_groups"]?.intValue.map { .groups($0) }
    case "LayerNorm", "RMSNorm": .axes(nil, sizes: sizes(options?["normalized_shape"]))
    default: nil
    }
  }

  /// A size or a list of sizes.
  private func sizes(_ value: JSON?) -> [Int] {
    value?.intValue.map { [$0] } ?? (value?.arrayValue ?? []).compactMap(\.intValue)
  }

  func tensors(in file: String?) throws -> [String: [Double]] {
    guard let file else { return [:] }
    let path = folder.appendingPathComponent(file).path
    return try SafeTensors(contentsOf: path).tensors().mapValues { $0.array(of: Double.self) }
  }

  private static func json(_ file: URL) throws -> JSON {
    try JSON.parse([UInt8](Data(contentsOf: file)))
  }
}

/// Norma's explanation of a case; nil for a kind of layer that `explain` does not support.
func explain(_ item: ExplainCase) throws -> Explanation? {
  guard let layer = try item.numbers() else { return nil }
  guard let input = try item.tensor("x"), let expected = try item.tensor("expected") else {
    throw CaseObstacle.unreadable("x.npy or expected.npy is missing")
  }
  if let statistic = RunningStatistic(rawValue: item.layer["compare"]?.stringValue ?? "") {
    return Explainer(layer: layer, input: input, output: input)
      .explanation(of: statistic, expecting: expected.array(of: Double.self))
  }
  var origin = try item.tensor("raw")
  if let bias = try item.tensors(in: item.layer["preceding"]?["bias"]?.stringValue)["bias"] {
    var shape = [Int](repeating: 1, count: input.shape.count)
    // A convolution's bias is along its channels, a linear layer's along the last axis.
    let isLinear = item.layer["preceding"]?["kind"]?.stringValue == "Linear"
    shape[isLinear ? input.shape.count - 1 : 1] = bias.count
    origin = input.cast(to: .float64) - Tensor(bias, shape: shape)
  }
  var history: [Tensor] = []
  if let all = try item.tensor("history") { history = rows(of: all) }
  let explainer = Explainer(
    layer: layer, input: input, output: layer.output(for: input), expected: expected,
    origin: origin, history: history,
    repetitions: item.layer["history_repeat"]?.intValue ?? 1, mask: try mask(item, input: input),
    blocks: blocks(item, samples: input.shape.first ?? 0))
  return explainer.explanation()
}

/// The sizes of separately normalized parts of the batch: given as sizes, or as the number of equal
/// parts. Empty if they do not add up to the batch.
private func blocks(_ item: ExplainCase, samples: Int) -> [Int] {
  guard let value = item.layer["blocks"] else { return [] }
  if let count = value.intValue, count > 1, samples % count == 0 {
    return Array(repeating: samples / count, count: count)
  }
  let sizes = (value.arrayValue ?? []).compactMap(\.intValue)
  return sizes.reduce(0, +) == samples ? sizes : []
}

private func mask(_ item: ExplainCase, input: Tensor) throws -> Tensor? {
  guard item.layer["mask"]?.stringValue != nil, let mask = try item.tensor("mask") else {
    return nil
  }
  var shape = [Int](repeating: 1, count: input.shape.count)
  let axes = (item.layer["mask_axes"]?.arrayValue ?? []).compactMap(\.intValue)
  for (axis, size) in zip(axes.isEmpty ? Array(mask.shape.indices) : axes, mask.shape) {
    shape[axis] = size
  }
  return mask.reshaped(shape)
}

/// The tensors along the first dimension.
private func rows(of tensor: Tensor) -> [Tensor] {
  let shape = Array(tensor.shape.dropFirst())
  let size = shape.reduce(1, *) * tensor.dtype.byteCount
  return (0..<tensor.shape[0]).map { row in
    tensor.withUnsafeBytes { all in
      Tensor(shape: shape, dtype: tensor.dtype) { part in
        part.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[row * size..<(row + 1) * size]))
      }
    }
  }
}
