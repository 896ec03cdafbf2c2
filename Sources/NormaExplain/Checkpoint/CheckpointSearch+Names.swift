import NormaFiles

/// What names and missing names do when the checkpoint is loaded.
extension CheckpointSearch {
  /// What wrappers put in front of every name.
  private static let wrappers: [(prefix: String, by: String)] = [
    ("_orig_mod.", "torch.compile"),
    (
      "module.",
      "DataParallel, DistributedDataParallel or "
        + "AveragedModel"
    ), ("_forward_module.", "Lightning Fabric"),
    ("model.", "Lightning and other trainers"), ("net.", "trainers"), ("network.", "trainers"),
    ("backbone.", "a network around it"), ("encoder.", "a network around it"),
  ]

  /// What all names begin with, apart from the count of averaged models: `module._orig_mod.`
  var prefix: String {
    let names = keys.filter { $0 != "n_averaged" }
    var result = ""
    while let next = Self.wrappers.first(where: { wrapper in
      !names.isEmpty && names.allSatisfy { $0.hasPrefix(result + wrapper.prefix) }
    }) {
      result += next.prefix
    }
    return result
  }

  mutating func noteNames() {
    let way = "state = torch.load(\"model.pt\", map_location=\"cpu\", weights_only=True)"
    let read =
      format == .safetensors ? "state = safetensors.torch.load_file(\"model.safetensors\")" : way
    if !container.isEmpty {
      let keys = container.split(separator: ".").map { "[\"\($0)\"]" }.joined()
      findings.append(
        CheckpointFinding(
          severity: .note, name: "state-within-state",
          statement:
            "The model's tensors lie under \"\(container)\" in the file. Loaded without it, "
            + "load_state_dict(strict=False) takes nothing and says nothing.",
          repair: .init(
            "Load the part.",
            pytorch: [way, "model.load_state_dict(state\(keys), strict=True)"])))
    }
    let prefix = prefix
    if prefix.isEmpty { return }
    let by = Self.wrappers.filter { prefix.contains($0.prefix) }.map(\.by).joined(separator: "; ")
    let part = container.split(separator: ".").map { "[\"\($0)\"]" }.joined()
    findings.append(
      CheckpointFinding(
        severity: .note, name: "names-with-prefix",
        statement:
          "All names begin with \"\(prefix)\", as \(by) writes them. A model without it gets "
          + "nothing from load_state_dict(strict=False), and no error says so.",
        evidence: keys.first.map { ["\($0)"] } ?? [],
        repair: .init(
          "Take it off where the model has no such part, and load with strict=True.",
          pytorch: [
            read,
            "state = {k.removeprefix(\"\(prefix)\"): v for k, v in state\(part).items()}",
            "model.load_state_dict(state, strict=True)",
          ])))
  }

  mutating func findMissing() {
    let half = normalized.filter { ($0.mean == nil) != ($0.variance == nil) }
    // Names that say batch norm, or are those of other layers that have statistics.
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
          statement: "Running statistics are not in the file. load_state_dict(strict=False) then "
            + "leaves those of the new network, 0 and 1, and says nothing.",
          evidence: half.map {
            "\($0.title): \($0.mean == nil ? "running_mean" : "running_var") is missing"
          }
            + bare.map { layer in
              "\(layer.title): weight of \(layer.channels) channels, no running_mean and running_var"
            },
          alternatives: bare.isEmpty
            ? [] : ["the layers were made with track_running_stats=False; then nothing is wrong"],
          repair: .init(
            "Save the whole state and not the parameters alone, or take the statistics anew.",
            pytorch: [
              "torch.save(model.state_dict(), \"model.pt\")  # not dict(model.named_parameters())",
              "torch.optim.swa_utils.update_bn(train_loader, model)",
            ])))
    } else if normalized.isEmpty {
      findings.append(
        CheckpointFinding(
          severity: .note, name: "missing-statistics", layers: layers.map(\.name),
          statement: "No layer has running statistics. Group, layer and root mean square norm need "
            + "none; if some of these layers are batch norms, their buffers were not saved."))
    }
  }

  /// The last part of a layer's name without its number: `bn` of `layer1.0.bn2`.
  private static func family(_ name: String) -> String {
    let last = name.lowercased().split(whereSeparator: { $0 == "." || $0 == "/" }).last ?? ""
    return String(last.filter { !$0.isNumber && $0 != "_" })
  }
}
