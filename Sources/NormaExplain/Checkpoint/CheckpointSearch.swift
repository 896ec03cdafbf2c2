import NormaFiles

/// Searches the values of a checkpoint's layers for problems.
struct CheckpointSearch {
  let layers: [StoredLayer]
  let keys: [String]
  let container: String
  let format: StateFile.Format
  let path: String
  /// The number of models that an averaged model is the mean of; nil for any other model.
  let averaged: Double?
  var findings: [CheckpointFinding] = []
  /// Layers whose statistics are already explained by a finding.
  var explained: Set<String> = []

  /// - Throws: `FileError` if the count of averaged models is damaged.
  init(layers: [StoredLayer], _ file: StateFile) throws {
    (self.layers, keys, container) = (layers, file.keys, file.container)
    (format, path) = (file.format, file.path)
    let count = keys.contains(Self.averageCount) ? try file[Self.averageCount] : nil
    averaged = count?.count == 1 ? count?.item() : nil
  }

  /// The layers with running statistics.
  var normalized: [StoredLayer] { layers.filter(\.hasStatistics) }

  /// Errors first, notes last; otherwise in the order of the search.
  var sorted: [CheckpointFinding] {
    findings.enumerated().sorted {
      ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
    }.map(\.element)
  }

  mutating func run() {
    findMismatches()
    findNonFinite()
    findNegative()
    findHalfRange()
    findMissing()
    findFirstValues()
    findCopies()
    findFewBatches()
    findUnevenCounts()
    findDead()
    noteAverage()
    noteNames()
  }

  /// The channels of each layer that satisfy a rule; layers without any are left out.
  func channels(
    of layers: [StoredLayer], _ role: StoredLayer.Role, where isSo: (Double) -> Bool
  ) -> [(layer: StoredLayer, channels: [Int])] {
    layers.compactMap { layer in
      let values = layer.numbers[role]?.values ?? []
      let found = values.indices.filter { isSo(values[$0]) }
      return found.isEmpty ? nil : (layer, found)
    }
  }

  /// Channels by layer name, if not all channels of the layer are affected.
  func named(_ found: [(layer: StoredLayer, channels: [Int])]) -> [String: [Int]] {
    var result: [String: [Int]] = [:]
    for (layer, channels) in found where channels.count < layer.channels {
      result[layer.name] = channels
    }
    return result
  }

  /// `channel 3`, `channels 3, 7 and 12 more`.
  func listed(_ channels: [Int]) -> String {
    if channels.count == 1 { return "channel \(channels[0])" }
    let shown = channels.prefix(6).map(String.init).joined(separator: ", ")
    return "channels \(shown)" + (channels.count > 6 ? " and \(channels.count - 6) more" : "")
  }

  func listed(_ names: [String]) -> String {
    let shown = names.prefix(6).map { $0.isEmpty ? "(top)" : $0 }.joined(separator: ", ")
    return shown + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}
