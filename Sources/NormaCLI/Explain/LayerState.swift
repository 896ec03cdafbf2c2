import Norma
import NormaExplain

/// The content of a file for one layer: its weight, bias and running statistics, and its options in
/// a capture.
struct LayerState {
  /// The tensors by their names in the layer, such as `running_mean`, as in the file.
  let tensors: [String: Tensor]
  /// The layer's description in a capture; nil for other files.
  let captured: CapturedLayer?

  /// The names that a normalization layer may have.
  static let names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]

  /// The part of a file that belongs to a layer. It is an error if the file has nothing for the
  /// layer, or something that the layer cannot use.
  ///
  /// - Parameters:
  ///   - path: A checkpoint or a capture.
  ///   - name: The layer's name in the file; nil if the file contains only this layer.
  ///   - known: The names that the layer has.
  ///   - option: The user's name for the option that selects a layer: `--name`.
  init(_ path: String, name: String?, known: [String], option: String) throws {
    if let file = try? SafeTensors(contentsOf: path), NetworkCapture.isCapture(file) {
      self = try Self.captured(
        NetworkCapture(contentsOf: path), path: path, name: name, option: option)
      return
    }
    let file = try StateFile(contentsOf: path)
    let prefix = name.map { $0 + "." } ?? ""
    let keys = file.keys.filter { $0.hasPrefix(prefix) }
    let unused = keys.filter { !known.contains(String($0.dropFirst(prefix.count))) }
    if keys.isEmpty || !unused.isEmpty {
      throw Self.problem(
        path, name: name, known: known, unused: unused, file: file, option: option)
    }
    var tensors: [String: Tensor] = [:]
    for key in keys { tensors[String(key.dropFirst(prefix.count))] = try file.tensor(named: key) }
    self.tensors = tensors
    captured = nil
  }

  private init(tensors: [String: Tensor], captured: CapturedLayer?) {
    (self.tensors, self.captured) = (tensors, captured)
  }

  private static func captured(
    _ capture: NetworkCapture, path: String, name: String?, option: String
  ) throws -> LayerState {
    let all = capture.layers.map(\.name)
    guard let name = name ?? (all.count == 1 ? all[0] : nil) else {
      throw DataError(
        "\(path) is a capture of \(all.count) layers; \(option) selects one: \(listed(all))")
    }
    guard let layer = capture[name] else {
      throw DataError("\(path) has no layer \(name); \(namesInWords(to: name, among: all))")
    }
    var tensors: [String: Tensor] = [:]
    for (key, value) in [
      ("weight", layer.weight), ("bias", layer.bias), ("running_mean", layer.runningMean),
      ("running_var", layer.runningVariance),
    ] { tensors[key] = value }
    if let batches = layer.batchesTracked {
      tensors["num_batches_tracked"] = Tensor(Int64(batches))
    }
    return LayerState(tensors: tensors, captured: layer)
  }

  /// Why a file has nothing for a layer, and what it has instead.
  private static func problem(
    _ path: String, name: String?, known: [String], unused: [String], file: StateFile,
    option: String
  ) -> DataError {
    // Weights with several axes mostly belong to convolutions and linear layers.
    let norms = layers(in: file, known: known, mostAxes: 1)
    let layers = norms.isEmpty ? layers(in: file, known: known, mostAxes: .max) : norms
    let problem =
      unused.isEmpty
      ? "\(path) has nothing \(name.map { "named \($0)" } ?? "in it")"
      : name == nil && !layers.isEmpty
        ? "\(path) contains more than one layer"
        : "\(path) has \(listed(unused)), which the layer does not: it has "
          + known.sorted().joined(separator: ", ")
    if layers.isEmpty { return DataError(problem) }
    let near = name.map { nearestNames(to: $0, among: layers) } ?? []
    let nearest = near.isEmpty ? "" : "the nearest: \(near.joined(separator: ", ")); "
    return DataError(
      "\(problem); \(nearest)\(option) selects a layer of the file: \(listed(layers))")
  }

  /// The prefixes of names that a layer may have.
  private static func layers(in file: StateFile, known: [String], mostAxes: Int) -> [String] {
    let names = file.entries.compactMap { entry -> String? in
      guard let dot = entry.name.lastIndex(of: "."), entry.shape.count <= mostAxes else {
        return nil
      }
      let own = String(entry.name[dot...].dropFirst())
      return known.contains(own) && own != "bias" ? String(entry.name[..<dot]) : nil
    }
    return Set(names).sorted()
  }

  private static func listed(_ names: [String]) -> String {
    names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", ..." : "")
  }
}
