import NormaFiles
import NormaNN
import NormaTensor

extension NetworkCapture {
  /// Writes the capture as a file that ``init(contentsOf:)`` reads.
  ///
  /// Moments are stored in `Float`, about a center in `Double`; results in `Float`.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to path: String) throws {
    var tensors: [String: Tensor] = [:]
    func add(_ key: String, _ tensor: Tensor?) { if let tensor { tensors[key] = tensor } }
    func add(_ key: String, _ values: [Double]?) {
      if let values { tensors[key] = Tensor(values.map(Float.init)) }
    }
    for layer in layers {
      let prefix = "layer/\(layer.name)/"
      add(prefix + "weight", layer.weight)
      add(prefix + "bias", layer.bias)
      add(prefix + "running_mean", layer.runningMean)
      add(prefix + "running_var", layer.runningVariance)
      add(prefix + "num_batches_tracked", layer.batchesTracked.map { Tensor(Int64($0)) })
      add(prefix + "x", layer.x)
      add(prefix + "y", layer.y)
      layer.batch?.add(to: &tensors, prefix + "batch")
      layer.evaluation?.add(to: &tensors, prefix + "eval")
      add("result/alone/\(layer.name)", layer.aloneResult)
    }
    for (index, probe) in probes.enumerated() {
      for (name, moments) in probe.moments { moments.add(to: &tensors, "probe.\(index)/\(name)") }
    }
    add("result", result)
    add("result/batch", batchResult)
    try SafeTensors.write(
      tensors,
      metadata: ["format": Self.format, "version": "1", "capture": description.text()], to: path)
  }

  private var description: JSON {
    .object([
      (key: "framework", value: .string(framework)), (key: "model", value: .string(model)),
      (key: "samples", value: .int(samples)), (key: "training", value: .bool(isTraining)),
      (key: "facts", value: facts.json),
      (key: "autocast", value: autocast.map { .string($0) } ?? .null),
      (key: "layers", value: .array(layers.map(\.json))),
      (
        key: "probes",
        value: .array(
          probes.enumerated().map { index, probe in
            [
              "key": .string("probe.\(index)"),
              "layers": .array(probe.layers.map { .string($0) }), "eps": .double(probe.epsilon),
            ]
          })
      ),
    ])
  }
}

extension CaptureFacts {
  fileprivate var json: JSON {
    [
      "batches": batches.map { .int($0) } ?? .null,
      "batch_size": batchSize.map { .int($0) } ?? .null,
      "data": data.map { .string($0.rawValue) } ?? .null,
      "shuffled": isShuffled.map { .bool($0) } ?? .null,
    ]
  }
}

extension CapturedLayer {
  fileprivate var json: JSON {
    [
      "name": .string(name), "kind": .string(kind), "class": .string(className),
      "calls": .int(calls), "options": options.json, "training": .bool(isTraining),
      "shape": .array(shape.map { .int($0) }), "dtype": .string(dtype),
      "shared_with": .array(otherNames.map { .string($0) }), "before": before?.json ?? .null,
      "after": after?.json ?? .null, "between": .array(between.map(\.json)),
      "stands_still": standsStill.map { .string($0) } ?? .null,
    ]
  }
}

extension CapturedOptions {
  /// The options as they were read, or else those that are known.
  fileprivate var json: JSON {
    var members: [(key: String, value: JSON)] = []
    func add(_ key: String, _ value: JSON?) { if let value { members.append((key, value)) } }
    add("num_features", groups == nil ? features.map { .int($0) } : nil)
    add("num_channels", groups == nil ? nil : features.map { .int($0) })
    add("num_groups", groups.map { .int($0) })
    add("normalized_shape", normalizedShape.map { .array($0.map { .int($0) }) })
    add("eps", epsilon.map { .double($0) })
    add("momentum", momentum.map { $0.share.map { .double($0) } ?? .null })
    add("affine", isAffine.map { .bool($0) })
    add("track_running_stats", tracksRunningStatistics.map { .bool($0) })
    let known = Set(members.map(\.key))
    for (key, text) in texts.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
      add(key, try? JSON.parse(Array(text.utf8)))
    }
    return .object(members)
  }
}

extension CapturedNeighbour {
  fileprivate var json: JSON {
    var members: [(key: String, value: JSON)] = [("kind", .string(kind)), ("name", .string(name))]
    if let dropout { members.append(("p", .double(dropout))) }
    if let hasBias { members.append(("bias", .bool(hasBias))) }
    return .object(members)
  }
}

extension SampleMoments {
  fileprivate func add(to tensors: inout [String: Tensor], _ key: String) {
    let center = total.mean.map { $0.isFinite ? $0 : 0 }
    let shape = [samples, channels]
    func tensor(_ values: [Double]) -> Tensor { Tensor(values.map(Float.init), shape: shape) }
    tensors["\(key)/count"] = Tensor(count.map(Float.init))
    tensors["\(key)/center"] = Tensor(center)
    tensors["\(key)/mean"] = tensor(mean.indices.map { mean[$0] - center[$0 % channels] })
    tensors["\(key)/m2"] = tensor(m2)
    if let largest { tensors["\(key)/top"] = Tensor(largest.map(Float.init)) }
  }
}
