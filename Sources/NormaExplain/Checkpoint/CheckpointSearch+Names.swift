import NormaFiles

/// Problems of names and missing names when the checkpoint is loaded.
extension CheckpointSearch {
  /// The prefixes that wrappers add to every name.
  private static let wrappers: [(prefix: String, by: String)] = [
    ("_orig_mod.", "torch.compile"),
    ("module.", "DataParallel, DistributedDataParallel or AveragedModel"),
    ("_forward_module.", "Lightning Fabric"),
    ("model.", "Lightning and other trainers"), ("net.", "trainers"), ("network.", "trainers"),
    ("backbone.", "a network around it"), ("encoder.", "a network around it"),
  ]

  /// The common prefix of all names, except for the count of averaged models: `module._orig_mod.`
  var prefix: String {
    let names = keys.filter { $0 != Self.averageCount }
    var result = ""
    while let next = Self.wrappers.first(where: { wrapper in
      !names.isEmpty && names.allSatisfy { $0.hasPrefix(result + wrapper.prefix) }
    }) {
      result += next.prefix
    }
    return result
  }

  /// AveragedModel's counter; the only name without its prefix.
  static let averageCount = "n_averaged"

  mutating func noteAverage() {
    guard let averaged, !normalized.isEmpty else { return }
    findings.append(
      CheckpointFinding(
        severity: .note, name: Defect.stale.rawValue,
        statement: "This is an averaged model (torch.optim.swa_utils.AveragedModel). Its running "
          + "statistics fit the averaged weights only if update_bn was called after averaging.",
        evidence: ["\(Self.averageCount) is \(short(averaged))"], repair: Defect.stale.next))
  }

  mutating func noteNames() {
    let file = path.replacing("\"", with: "\\\"")
    let load =
      switch format {
      case .pytorch: "torch.load(\"\(file)\", map_location=\"cpu\", weights_only=True)"
      case .safetensors: "safetensors.torch.load_file(\"\(file)\")"
      case .npz: "{k: torch.from_numpy(v) for k, v in numpy.load(\"\(file)\").items()}"
      }
    let part = container.split(separator: ".").map { "[\"\($0)\"]" }.joined()
    if !container.isEmpty {
      findings.append(
        CheckpointFinding(
          severity: .note, name: "state-within-state",
          statement:
            "The model's tensors are under \"\(container)\" in the file. If the whole file is "
            + "passed to load_state_dict(strict=False), nothing is loaded and no error says so.",
          repair: .init(
            "Load that part of the file.",
            pytorch: ["state = \(load)\(part)", "model.load_state_dict(state, strict=True)"])))
    }
    let prefix = prefix
    if prefix.isEmpty { return }
    let by = Self.wrappers.filter { prefix.contains($0.prefix) }.map(\.by).joined(separator: ", ")
    let condition = averaged == nil ? "" : " if k != \"\(Self.averageCount)\""
    findings.append(
      CheckpointFinding(
        severity: .note, name: "names-with-prefix",
        statement: "All names begin with \"\(prefix)\", which comes from \(by). With "
          + "load_state_dict(strict=False), a model without that prefix loads nothing, and no "
          + "error says so.",
        evidence: keys.first { $0.hasPrefix(prefix) }.map { ["\($0)"] } ?? [],
        repair: .init(
          "Remove the prefix if the model does not have it, and load with strict=True.",
          pytorch: [
            "state = \(load)\(part)",
            "n = len(\"\(prefix)\")",
            "state = {k[n:]: v for k, v in state.items()\(condition)}",
            "model.load_state_dict(state, strict=True)",
          ])))
  }

  mutating func findMissing() {
    let half = normalized.filter { ($0.mean == nil) != ($0.variance == nil) }
    // Layers whose names suggest batch norm, or match those of other layers that have statistics.
    let families = Set(normalized.map { Self.family($0.name) }).subtracting([""])
    let bare = layers.filter { layer in
      let family = Self.family(layer.name)
      return !layer.hasStatistics
        && (family == "bn" || family.contains("batchnorm") || families.contains(family))
    }
    let found = layers.map(\.name).filter { name in
      half.contains { $0.name == name } || bare.contains { $0.name == name }
    }
    if !found.isEmpty {
      findings.append(
        CheckpointFinding(
          severity: .error, name: "missing-statistics", layers: found,
          statement:
            "Running statistics are missing from the file. load_state_dict(strict=False) then "
            + "silently keeps those of the new network, 0 and 1.",
          evidence: half.map {
            "\($0.title): \($0.mean == nil ? "running_mean" : "running_var") is missing"
          }
            + bare.map { layer in
              "\(layer.title): weight of \(layer.channels) channels, no running_mean and "
                + "running_var"
            },
          alternatives: bare.isEmpty
            ? []
            : ["the layers were created with track_running_stats=False; then nothing is wrong"],
          repair: .init(
            "Save the whole state, not just the parameters; or compute the statistics again.",
            pytorch: [
              "torch.save(model.state_dict(), \"model.pt\")  # not dict(model.named_parameters())",
              "torch.optim.swa_utils.update_bn(train_loader, model)",
            ])))
    } else if normalized.isEmpty {
      findings.append(
        CheckpointFinding(
          severity: .note, name: "missing-statistics", layers: layers.map(\.name),
          statement:
            "No layer has running statistics. Group, layer and RMS norms need none. If some of "
            + "these layers are batch norms, their buffers were not saved."))
    }
  }

  /// The last part of a layer's name without its number: `bn` for `layer1.0.bn2`.
  private static func family(_ name: String) -> String {
    let last = name.lowercased().split(whereSeparator: { $0 == "." || $0 == "/" }).last ?? ""
    return String(last.filter { !$0.isNumber && $0 != "_" })
  }
}
