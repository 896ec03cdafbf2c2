import NormaFiles
import NormaTensor

/// The values of a normalization layer in a file.
struct StoredLayer {
  let name: String
  var numbers: [Role: StoredNumbers] = [:]
  var tracked: Int?

  /// The role of a tensor in its layer.
  enum Role: CaseIterable {
    case mean, variance, weight, bias
  }

  var mean: [Double]? { numbers[.mean]?.values }
  var variance: [Double]? { numbers[.variance]?.values }
  var weight: [Double]? { numbers[.weight]?.values }
  var bias: [Double]? { numbers[.bias]?.values }

  var hasStatistics: Bool { mean != nil || variance != nil }
  var channels: Int { (variance ?? mean ?? weight ?? bias)?.count ?? 0 }
  /// The name to use in a sentence.
  var title: String { name.isEmpty ? "the layer" : name }

  /// Whether the running statistics have their initial values.
  var isInitial: Bool {
    guard let mean, let variance else { return false }
    return mean.allSatisfy { $0 == 0 } && variance.allSatisfy { $0 == 1 }
  }

  /// Whether weight or bias differ from their initial values; nil if there are none.
  var isTrained: Bool? {
    if weight == nil && bias == nil { return nil }
    return !(weight ?? []).allSatisfy { $0 == 1 } || !(bias ?? []).allSatisfy { $0 == 0 }
  }

  var summary: CheckpointLayer {
    CheckpointLayer(
      name: name, channels: channels, hasStatistics: hasStatistics, batchesTracked: tracked,
      mean: Self.extent(mean), variance: Self.extent(variance), weight: Self.extent(weight))
  }
}

/// The values of a tensor with one axis.
struct StoredNumbers {
  let values: [Double]
  let dtype: DType
  /// Whether all values are representable in float16, and not only a few or simple ones.
  let areOfHalf: Bool

  init(_ tensor: Tensor) {
    dtype = tensor.dtype
    let wide = tensor.cast(to: .float64)
    values = wide.array(of: Double.self)
    let narrow = wide.cast(to: .float16).array(of: Double.self)
    // Numbers of up to six bits, such as 3 and 0.25, exist in every type; of longer float32 numbers
    // only one in thousands is also a float16.
    let telling = Set(values.filter { $0.isNormal && $0.significandWidth >= 6 })
    areOfHalf =
      telling.count >= 8 && zip(values, narrow).allSatisfy { $0 == $1 || !$0.isFinite }
  }
}

/// Finds the normalization layers of a file by the names of their tensors, and reads only these.
struct StoredLayers {
  private(set) var layers: [StoredLayer] = []
  private let file: StateFile
  private var places: [String: Int] = [:]

  /// The last part of a name, in PyTorch, Keras and TensorFlow, and its role.
  private static let roles: [String: StoredLayer.Role] = [
    "running_mean": .mean, "moving_mean": .mean, "running_var": .variance,
    "running_variance": .variance, "moving_var": .variance, "moving_variance": .variance,
    "weight": .weight, "gamma": .weight, "scale": .weight, "bias": .bias, "beta": .bias,
  ]

  init(_ file: StateFile) { self.file = file }

  mutating func read() throws {
    for entry in file.entries where entry.reason == nil {
      let (layer, last) = Self.split(entry.name)
      if let role = Self.roles[last] {
        if entry.shape.count != 1 { continue }
        self[layer].numbers[role] = StoredNumbers(try file.tensor(named: entry.name))
      } else if last == "num_batches_tracked" {
        let tensor = try file.tensor(named: entry.name)
        if tensor.count == 1 { self[layer].tracked = Int(exactly: tensor.item()) }
      }
    }
    layers.removeAll { !Self.isNormalization($0) }
    // PyTorch keeps the order of the model; the other formats sort names as text, bn10 before bn2.
    if file.format != .pytorch {
      let names = layers.map { NumberedName($0.name) }
      layers = layers.indices.sorted { names[$0].isBefore(names[$1]) }.map { layers[$0] }
    }
  }

  private subscript(layer: String) -> StoredLayer {
    get { places[layer].map { layers[$0] } ?? StoredLayer(name: layer) }
    set {
      if let place = places[layer] {
        layers[place] = newValue
      } else {
        places[layer] = layers.count
        layers.append(newValue)
      }
    }
  }

  /// Splits `layer1.0.bn1.weight` into the layer and the tensor's own name.
  static func split(_ name: String) -> (layer: String, last: String) {
    guard let end = name.lastIndex(where: { $0 == "." || $0 == "/" }) else { return ("", name) }
    let last = name[name.index(after: end)...]
    // TensorFlow numbers its variables: gamma:0.
    return (String(name[..<end]), String(last.prefix { $0 != ":" }))
  }

  /// Running statistics make a layer a normalization. So do weight and bias alone if they have one
  /// axis and the same length, which those of other layers do not.
  private static func isNormalization(_ layer: StoredLayer) -> Bool {
    if layer.hasStatistics { return true }
    guard let weight = layer.weight else { return false }
    if let bias = layer.bias { return bias.count == weight.count }
    let name = layer.name.lowercased()
    return name.contains("norm") || name.hasSuffix("ln") || name.contains("ln_")
  }
}

/// A name split into words and numbers, so that bn10 sorts after bn2.
struct NumberedName {
  private(set) var words: [String] = [""]
  private var numbers: [Int] = []

  init(_ name: String) {
    var digits = ""
    for character in name + "." {
      if character.isASCII && character.isNumber {
        digits.append(character)
        continue
      }
      if !digits.isEmpty {
        numbers.append(Int(digits) ?? Int.max)
        words.append("")
        digits = ""
      }
      words[words.count - 1].append(character)
    }
  }

  func isBefore(_ other: NumberedName) -> Bool {
    for index in 0..<min(words.count, other.words.count) {
      if words[index] != other.words[index] { return words[index] < other.words[index] }
      if index < numbers.count, index < other.numbers.count,
        numbers[index] != other.numbers[index]
      {
        return numbers[index] < other.numbers[index]
      }
    }
    return words.count < other.words.count
  }
}
