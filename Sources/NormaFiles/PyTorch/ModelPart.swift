/// The part of a checkpoint that is the model, found by the keys of its dictionaries.
struct ModelPart {
  /// The keys on the path to the model's tensors.
  let container: [String]
  /// Other parts at the same levels that contain tensors.
  let others: [String]

  /// Common names of the model in a checkpoint, the most specific first.
  private static let names = [
    "state_dict", "model_state_dict", "model_state", "model", "module", "net", "network",
    "weights", "params", "model_ema", "ema_state_dict", "state_dict_ema", "ema",
  ]

  /// Prefixes of the names of parts that contain tensors but are not a model.
  private static let foreign = ["optim", "sched", "lr_sched", "rng", "scaler", "amp", "loop"]

  /// - Parameter paths: the path of keys to each tensor.
  init(paths: [[String]]) {
    var container: [String] = []
    var others: [String] = []
    while true {
      let level = container.count
      let inside = paths.filter { $0.starts(with: container) }
      var parts: [String] = []
      var known: Set<String> = []
      for path in inside where path.count > level + 1 && known.insert(path[level]).inserted {
        parts.append(path[level])
      }
      let hasOwnTensors = inside.contains { $0.count == level + 1 }
      let next =
        Self.names.first(where: known.contains)
        ?? (hasOwnTensors ? nil : Self.onlyModel(parts, in: inside, level: level))
      guard let next else { break }
      others += parts.filter { $0 != next }.map { (container + [$0]).joined(separator: ".") }
      container.append(next)
    }
    (self.container, self.others) = (container, others)
  }

  /// The only part that can be a model: a dictionary whose keys contain dots, as the names in a
  /// state dictionary do.
  private static func onlyModel(_ parts: [String], in paths: [[String]], level: Int) -> String? {
    let candidates = parts.filter { part in
      !foreign.contains { part.lowercased().hasPrefix($0) }
        && paths.contains {
          $0.count == level + 2 && $0[level] == part && $0[level + 1].contains(".")
        }
    }
    return candidates.count == 1 ? candidates[0] : nil
  }
}
