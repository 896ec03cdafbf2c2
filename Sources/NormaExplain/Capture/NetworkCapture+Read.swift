import NormaFiles
import NormaNN
import NormaTensor

extension NetworkCapture {
  /// The format's name, which is in every capture file.
  static let format = "norma.capture"

  /// Whether a file's metadata say that it is a capture.
  package static func isCapture(_ file: SafeTensors) -> Bool { file.metadata["format"] == format }

  /// Reads a capture.
  ///
  /// - Throws: `FileError` if the file cannot be read, ``CaptureError`` if it does not
  ///   contain a consistent capture.
  public init(contentsOf path: String) throws {
    try self.init(SafeTensors(contentsOf: path), path: path)
  }

  /// The same for an open file; `path` identifies it in errors.
  package init(_ file: SafeTensors, path: String) throws {
    self = try CaptureReader(file: file, path: path).capture()
  }
}

/// Reads the parts of a capture and checks that they are consistent.
private struct CaptureReader {
  let file: SafeTensors
  let path: String
  private let keys: Set<String>

  init(file: SafeTensors, path: String) {
    self.file = file
    self.path = path
    keys = Set(file.keys)
  }

  func error(_ problem: String) -> CaptureError { CaptureError(path: path, problem: problem) }

  func capture() throws -> NetworkCapture {
    guard NetworkCapture.isCapture(file) else {
      throw error("is not a capture: its metadata does not say so")
    }
    guard file.metadata["version"] == "1" else {
      throw error(
        "is a capture of a version other than 1, which this version of Norma does not support")
    }
    guard let text = file.metadata["capture"] else {
      throw error("is a capture without a description")
    }
    let json: JSON
    do {
      json = try JSON.parse(Array(text.utf8), maximumDepth: 32)
    } catch {
      throw self.error("has a damaged description: \(error)")
    }
    guard let samples = json["samples"]?.intValue, samples >= 0 else {
      throw error("does not say how many samples its batch had")
    }
    var capture = NetworkCapture(
      framework: json["framework"]?.stringValue ?? "", model: json["model"]?.stringValue ?? "",
      samples: samples, isTraining: json["training"]?.boolValue ?? false,
      facts: try facts(json["facts"]), autocast: json["autocast"]?.stringValue)
    var names: Set<String> = []
    let modules = (json["modules"]?.arrayValue ?? []).compactMap(neighbour)
    for item in json["layers"]?.arrayValue ?? [] {
      var layer = try layer(item)
      if layer.between.isEmpty, let place = modules.firstIndex(where: { $0.name == layer.name }) {
        layer.between = modules[..<place].reversed().prefix { !$0.isNorm }.reversed()
      }
      guard names.insert(layer.name).inserted else {
        throw error("describes the layer \"\(layer.name)\" twice")
      }
      capture.layers.append(layer)
    }
    capture.probes = try (json["probes"]?.arrayValue ?? []).map { try probe($0, names: names) }
    capture.result = try values("result")
    capture.batchResult = try values("result/batch", like: capture.result)
    for index in capture.layers.indices {
      let key = "result/alone/\(capture.layers[index].name)"
      capture.layers[index].aloneResult = try values(key, like: capture.result)
    }
    return capture
  }

  private func facts(_ json: JSON?) throws -> CaptureFacts {
    func count(_ key: String) throws -> Int? {
      guard let value = json?[key], !value.isNull else { return nil }
      guard let number = value.intValue, number > 0 else {
        throw error("has a fact \"\(key)\" that is not a positive number")
      }
      return number
    }
    return CaptureFacts(
      batches: try count("batches"), batchSize: try count("batch_size"),
      data: json?["data"]?.stringValue.flatMap(CaptureFacts.Origin.init),
      isShuffled: json?["shuffled"]?.boolValue)
  }

  // MARK: Layers

  private func layer(_ json: JSON) throws -> CapturedLayer {
    guard let name = json["name"]?.stringValue, let kind = json["kind"]?.stringValue else {
      throw error("describes a layer without name or kind")
    }
    var layer = CapturedLayer(name: name, kind: kind, options: options(json["options"]))
    layer.className = json["class"]?.stringValue ?? kind
    layer.calls = json["calls"]?.intValue ?? 1
    layer.isTraining = json["training"]?.boolValue ?? false
    layer.shape = (json["shape"]?.arrayValue ?? []).compactMap(\.intValue)
    layer.dtype = json["dtype"]?.stringValue ?? "float32"
    layer.otherNames = (json["shared_with"]?.arrayValue ?? []).compactMap(\.stringValue)
    layer.before = neighbour(json["before"])
    layer.after = neighbour(json["after"])
    layer.between = (json["between"]?.arrayValue ?? []).compactMap(neighbour)
    layer.standsStill = json["stands_still"]?.stringValue
    let prefix = "layer/\(name)/"
    layer.weight = try tensor(prefix + "weight")
    layer.bias = try tensor(prefix + "bias")
    if kind == "custom" {
      // Custom classes use other names.
      for name in ["gamma", "scale", "g", "a_2"] where layer.weight == nil {
        layer.weight = try tensor(prefix + name)
      }
      for name in ["beta", "b_2"] where layer.bias == nil {
        layer.bias = try tensor(prefix + name)
      }
    }
    layer.runningMean = try tensor(prefix + "running_mean")
    layer.runningVariance = try tensor(prefix + "running_var")
    layer.batchesTracked = try count(prefix + "num_batches_tracked")
    layer.x = try tensor(prefix + "x")
    layer.y = try tensor(prefix + "y")
    layer.batch = try moments(prefix + "batch")
    layer.evaluation = try moments(prefix + "eval")
    try check(layer)
    return layer
  }

  /// Per-channel values must have as many elements as there are channels.
  private func check(_ layer: CapturedLayer) throws {
    if let x = layer.x, let y = layer.y, x.shape != y.shape {
      throw error("has samples of \"\(layer.name)\" of shapes \(x.shape) and \(y.shape)")
    }
    guard layer.isBatchNorm else { return }
    let parts = [
      ("weight", layer.weight), ("bias", layer.bias), ("running_mean", layer.runningMean),
      ("running_var", layer.runningVariance),
    ]
    let sizes =
      parts.compactMap { name, tensor in tensor.map { (name, $0.count) } }
      + [("batch", layer.batch), ("eval", layer.evaluation)].compactMap { name, moments in
        moments.map { (name, $0.channels) }
      }
    guard let features = layer.options.features ?? sizes.first?.1 else { return }
    for (name, size) in sizes where size != features {
      throw error(
        "has \(size) values in \"\(name)\" of \"\(layer.name)\", which has \(features) channels")
    }
  }

  private func options(_ json: JSON?) -> CapturedOptions {
    var options = CapturedOptions(
      features: json?["num_features"]?.intValue ?? json?["num_channels"]?.intValue,
      groups: json?["num_groups"]?.intValue,
      normalizedShape: json?["normalized_shape"]?.arrayValue?.compactMap(\.intValue)
        ?? json?["normalized_shape"]?.intValue.map { [$0] },
      epsilon: ["eps", "epsilon", "variance_epsilon", "norm_eps"].lazy
        .compactMap { json?[$0]?.doubleValue }.first,
      isAffine: json?["affine"]?.boolValue ?? json?["elementwise_affine"]?.boolValue,
      tracksRunningStatistics: json?["track_running_stats"]?.boolValue)
    if let momentum = json?["momentum"] {
      options.momentum = momentum.isNull ? .cumulative : momentum.doubleValue.map { .pytorch($0) }
    }
    for (key, value) in json?.objectValue ?? [] { options.texts[key] = value.text() }
    return options
  }

  private func neighbour(_ json: JSON?) -> CapturedNeighbour? {
    guard let kind = json?["kind"]?.stringValue else { return nil }
    return CapturedNeighbour(
      kind: kind, name: json?["name"]?.stringValue ?? "", dropout: json?["p"]?.doubleValue,
      hasBias: json?["bias"]?.boolValue)
  }

  private func probe(_ json: JSON, names: Set<String>) throws -> CaptureProbe {
    guard let key = json["key"]?.stringValue, let epsilon = json["eps"]?.doubleValue else {
      throw error("describes a probe without key or eps")
    }
    let layers = (json["layers"]?.arrayValue ?? []).compactMap(\.stringValue)
    if let unknown = layers.first(where: { !names.contains($0) }) {
      throw error("has a probe of \"\(unknown)\", which is not one of its layers")
    }
    var moments: [String: SampleMoments] = [:]
    for name in names { moments[name] = try self.moments("\(key)/\(name)") }
    return CaptureProbe(layers: layers, epsilon: epsilon, moments: moments)
  }

  // MARK: Tensors

  private func tensor(_ key: String) throws -> Tensor? {
    keys.contains(key) ? try file.tensor(named: key) : nil
  }

  private func values(_ key: String) throws -> [Double]? {
    try tensor(key)?.array(of: Double.self)
  }

  private func values(_ key: String, like other: [Double]?) throws -> [Double]? {
    guard let found = try values(key) else { return nil }
    if let other, other.count != found.count {
      throw error("has \(found.count) values in \"\(key)\" and \(other.count) in \"result\"")
    }
    return found
  }

  private func count(_ key: String) throws -> Int? {
    guard let tensor = try tensor(key) else { return nil }
    guard tensor.count == 1, tensor.dtype == .int64 || tensor.dtype == .int32 else {
      throw error("has no single integer in \"\(key)\"")
    }
    let number = Int(tensor.cast(to: .int64).array(of: Int64.self)[0])
    guard number >= 0 else { throw error("has a count below zero in \"\(key)\"") }
    return number
  }

  /// Moments from `key/count`, `/mean`, `/m2` and, if present, `/center` and `/top`.
  private func moments(_ key: String) throws -> SampleMoments? {
    guard let means = try tensor("\(key)/mean") else { return nil }
    guard means.rank == 2, let count = try values("\(key)/count"), let m2 = try values("\(key)/m2")
    else { throw error("has incomplete moments in \"\(key)\"") }
    let (samples, channels) = (means.shape[0], means.shape[1])
    let center = try values("\(key)/center") ?? Array(repeating: 0, count: channels)
    guard center.count == channels else {
      throw error("has \(center.count) centers for \(channels) channels in \"\(key)\"")
    }
    var mean = means.array(of: Double.self)
    for index in mean.indices { mean[index] += center[index % channels] }
    guard
      let moments = SampleMoments(
        samples: samples, channels: channels, count: count, mean: mean, m2: m2,
        largest: try values("\(key)/top"))
    else { throw error("has moments in \"\(key)\" that contradict each other") }
    return moments
  }
}
