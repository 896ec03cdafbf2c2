import Foundation
import NormaExplain
import NormaFiles
import NormaKernels
import NormaTensor

/// One difference between a user's formula and a layer, and its causes as people found them.
private struct ExplainCase {
  let folder: URL
  let layer: JSON
  let truth: JSON

  init(folder: URL) throws {
    self.folder = folder
    layer = try Self.json(folder.appendingPathComponent("layer.json"))
    truth = try Self.json(folder.appendingPathComponent("truth.json"))
  }

  var kind: String { layer["kind"]?.stringValue ?? "" }
  var causes: [String] { strings(truth["causes"]) }
  var isControl: Bool { causes.isEmpty }

  /// The names that may come first.
  var accepted: Set<String> {
    guard let first = causes.first else { return [] }
    var names = names(of: first)
    // Causes of about the same size may come in either order.
    if truth["order_strict"]?.boolValue == false { names.formUnion(causes.prefix(2)) }
    return names
  }

  /// The names by which a cause may be called.
  func names(of cause: String) -> Set<String> {
    Set([cause] + strings(truth["accept"]?[cause]))
  }

  /// The causes that carry more than a tenth of the gap, fairly split.
  var important: [String] {
    guard let gap = truth["gap"]?.doubleValue, let shares = truth["shapley"] else { return causes }
    return causes.filter { abs(shares[$0]?.doubleValue ?? gap) > 0.1 * gap }
  }

  private func strings(_ value: JSON?) -> [String] {
    (value?.arrayValue ?? []).compactMap(\.stringValue)
  }

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

  /// Which values the layer takes together; nil for a kind that `explain` does not know.
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

/// Explains every case in a folder: the first cause must be the known one, and every cause that
/// carries more than a tenth of the gap must be named.
///
/// A control must come back without a cause. A case whose layer `explain` does not know yet counts
/// as not supported.
///
/// - Throws: when the folder cannot be read; a broken case is a failure in the report.
public func runExplainCases(
  in folder: String, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  var report = ConformanceReport()
  let folders = try FileManager.default.contentsOfDirectory(
    at: URL(filePath: folder), includingPropertiesForKeys: nil
  ).filter { $0.hasDirectoryPath }.sorted { $0.lastPathComponent < $1.lastPathComponent }
  for folder in folders where isWanted(folder.lastPathComponent) {
    report.record(folder.lastPathComponent, operation: "explain") {
      try check(ExplainCase(folder: folder))
    }
  }
  return report
}

/// What is wrong with the causes that were found, or nil.
private func check(_ item: ExplainCase) throws -> String? {
  guard let found = try explain(item) else {
    throw CaseObstacle.unsupported(item.kind)
  }
  let first = found.causes.first?.name.rawValue
  let unexplained = first == nil && !found.unexplainedIsRounding ? "other" : first
  // Without a formula that fits, the answer is that it is another one.
  let names = Set(found.causes.map(\.name.rawValue) + [unexplained].compactMap { $0 })
  let isComplete = item.important.allSatisfy { !item.names(of: $0).isDisjoint(with: names) }
  let isRight =
    item.isControl
    ? unexplained == nil : unexplained.map(item.accepted.contains) ?? false && isComplete
  if isRight { return nil }
  let shares = found.causes.map { "\($0.name.rawValue) \(($0.share * 1e4).rounded() / 1e4)" }
  return "found \(shares), known are \(item.causes)"
}

private func explain(_ item: ExplainCase) throws -> Explanation? {
  guard let input = try item.tensor("x"), let expected = try item.tensor("expected"),
    let layer = try item.numbers()
  else { return nil }
  if let statistic = RunningStatistic(rawValue: item.layer["compare"]?.stringValue ?? "") {
    return Explainer(layer: layer, input: input, output: input)
      .explanation(of: statistic, expecting: expected.array(of: Double.self))
  }
  var origin = try item.tensor("raw")
  if let bias = try item.tensors(in: item.layer["preceding"]?["bias"]?.stringValue)["bias"] {
    var shape = [Int](repeating: 1, count: input.shape.count)
    // A convolution's bias lies along its channels, a linear layer's along the last axis.
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

/// The sizes of the parts in which somebody took the batch: given as sizes, or as the number of equal
/// parts. Empty where they do not make up the batch.
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
