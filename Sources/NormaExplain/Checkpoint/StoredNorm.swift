import NormaFiles
import NormaNN

/// What a normalization layer in a file does: its scale and shift of the input, and what is odd.
package struct StoredNorm: Sendable, Hashable, Codable {
  /// The name of the layer; empty if its tensors are at the top level.
  package let name: String
  /// The number of channels of its tensors.
  package let channels: Int
  /// Whether it has running statistics.
  package let hasStatistics: Bool
  /// The number of batches in the running statistics, or nil if the file does not say.
  package let batchesTracked: Int?
  /// The epsilon behind `scale` and `shift`; nil for a layer without running statistics.
  package let epsilon: Double?
  /// What the layer multiplies with in evaluation: weight / sqrt(variance + epsilon), or the weight
  /// of a layer without running statistics.
  package let scale: CheckpointLayer.Extent?
  /// What it adds afterwards: bias - mean * scale, or the bias.
  package let shift: CheckpointLayer.Extent?
  /// Channels that give nearly the same value for any input.
  package let deadChannels: [Int]
  /// The number of values that are NaN or infinite.
  package let nonFinite: Int
  /// The number of running variances below zero.
  package let negativeVariances: Int
  /// Whether the running statistics still have their initial values, 0 and 1.
  package let isNeverTrained: Bool

  init(_ layer: StoredLayer, epsilon: Double = StoredLayer.usualEpsilon) {
    name = layer.name
    channels = layer.channels
    hasStatistics = layer.hasStatistics
    batchesTracked = layer.tracked
    isNeverTrained = layer.isInitial
    deadChannels = layer.deadChannels
    nonFinite = layer.numbers.values.reduce(0) { $0 + $1.values.count { !$0.isFinite } }
    negativeVariances = (layer.variance ?? []).count { $0 < 0 }
    let (scale, shift) = layer.effect(epsilon: epsilon)
    (self.scale, self.shift) = (StoredLayer.extent(scale), StoredLayer.extent(shift))
    self.epsilon = layer.hasStatistics ? epsilon : nil
  }

  /// A batch norm of a network, with its own epsilon.
  package init(_ norm: (name: String, layer: BatchNorm)) {
    let layer = norm.layer
    var stored = StoredLayer(name: norm.name)
    stored.numbers[.weight] = layer.weight.map { StoredNumbers($0.value) }
    stored.numbers[.bias] = layer.bias.map { StoredNumbers($0.value) }
    stored.numbers[.mean] = layer.runningMean.map { StoredNumbers($0.value) }
    stored.numbers[.variance] = layer.runningVar.map { StoredNumbers($0.value) }
    self.init(stored, epsilon: layer.eps)
  }
}

extension StateFile {
  /// The normalization layers, found by the names of their tensors; only these are read.
  ///
  /// - Throws: `FileError` if a tensor is damaged.
  package func normalizationLayers() throws -> [StoredNorm] {
    var reader = StoredLayers(self)
    try reader.read()
    return reader.layers.map { StoredNorm($0) }
  }
}

extension StoredLayer {
  /// PyTorch's epsilon; files do not contain it.
  static let usualEpsilon = 1e-5

  static func extent(_ values: [Double]?) -> CheckpointLayer.Extent? {
    guard let values else { return nil }
    let finite = values.filter(\.isFinite)
    return CheckpointLayer.Extent(
      smallest: finite.min() ?? 0, largest: finite.max() ?? 0,
      nonFinite: values.count - finite.count)
  }

  /// The factor and the term of each channel in evaluation; nil where the file has neither.
  func effect(epsilon: Double) -> (scale: [Double]?, shift: [Double]?) {
    guard let mean, let variance, mean.count == variance.count,
      weight.map({ $0.count == mean.count }) ?? true, bias.map({ $0.count == mean.count }) ?? true
    else { return (weight, bias) }
    let scale = variance.indices.map {
      (weight?[$0] ?? 1) / (variance[$0] + epsilon).squareRoot()
    }
    return (scale, mean.indices.map { (bias?[$0] ?? 0) - mean[$0] * scale[$0] })
  }

  /// Channels that give nearly the same value for any input.
  var deadChannels: [Int] {
    guard let weight = weight ?? variance.map({ $0.map { _ in 1 } }), channels > 0 else {
      return []
    }
    let variance = hasStatistics ? self.variance : nil
    if let variance, variance.count != weight.count { return [] }
    // A channel without variance is dead with any other epsilon, too.
    let spreads = weight.indices.map { channel in
      guard let variance else { return abs(weight[channel]) }
      return abs(weight[channel])
        * (variance[channel] / (variance[channel] + Self.usualEpsilon)).squareRoot()
    }
    let finite = spreads.filter(\.isFinite)
    let least = max(1e-3 * (median(finite) ?? 0), 1e-6)
    return spreads.indices.filter { spreads[$0] < least }
  }
}
