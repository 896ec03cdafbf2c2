import NormaTensor

/// The observations of a watch of a network in training. It prints as a table and encodes to JSON.
public struct WatchReport: Sendable, Hashable, Codable {
  /// Values of one kind, such as a layer's results.
  public struct Values: Sendable, Hashable, Codable {
    /// The number of tensors sampled.
    public internal(set) var samples = 0
    /// The values of all samples.
    public internal(set) var all = ValueDistribution()
    /// The values of the latest sample.
    public internal(set) var latest = ValueDistribution()

    mutating func add(_ x: Tensor) {
      latest = ValueDistribution(x)
      all = all.merged(with: latest)
      samples += 1
    }
  }

  /// Observations of one layer.
  public struct Layer: Sendable, Hashable, Codable {
    /// The layer's name: `blocks.0.conv1`.
    public let name: String
    /// Its class.
    public let kind: String
    /// The number of calls in training.
    public internal(set) var calls = 0
    /// Its results.
    public internal(set) var activations = Values()
    /// The gradients with respect to its results.
    public internal(set) var gradients = Values()

    init(name: String, kind: String) { (self.name, self.kind) = (name, kind) }
  }

  /// Observations of one parameter.
  public struct ParameterGradients: Sendable, Hashable, Codable {
    /// The parameter's name: `blocks.0.conv1.weight`.
    public let name: String
    /// The number of optimizer steps of the parameter.
    public internal(set) var steps = 0
    /// The gradients used in the sampled steps.
    public internal(set) var gradients = Values()

    init(name: String) { self.name = name }
  }

  /// One in this many calls was sampled.
  public let interval: Int
  /// The layers that were called, in the order of the network.
  public let layers: [Layer]
  /// The parameters that were updated, in the order of the network.
  public let parameters: [ParameterGradients]
}

extension WatchReport: CustomStringConvertible {
  /// A table with a line for each layer's results and gradients, and for each parameter's
  /// gradients.
  public var description: String {
    let header = ["", "samples", "mean", "std", "smallest", "largest", "zeros", "not finite"]
    func row(_ name: String, _ values: Values) -> [String] {
      let all = values.all
      let share = all.count == 0 ? 0 : Double(all.zeros) / Double(all.count)
      let (smallest, largest) = (all.smallest ?? .nan, all.largest ?? .nan)
      return [
        name, "\(values.samples)", all.mean.shortText, all.std.shortText, smallest.shortText,
        largest.shortText, "\((share * 100).shortText) %", "\(all.nonFinite)",
      ]
    }
    var rows = [header]
    for layer in layers {
      let name = layer.name.isEmpty ? layer.kind : "\(layer.name) (\(layer.kind))"
      rows.append(row(name, layer.activations))
      if layer.gradients.samples > 0 { rows.append(row("  gradient", layer.gradients)) }
    }
    for parameter in parameters { rows.append(row("∇ \(parameter.name)", parameter.gradients)) }
    return aligned(rows, leftColumns: 1).joined(separator: "\n")
  }
}
