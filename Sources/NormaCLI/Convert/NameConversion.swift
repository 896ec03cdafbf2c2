import Norma

/// Tensors on their way from the names and layouts of one library to those of another.
struct NameConversion {
  var tensors: [NamedTensor] = []
  /// Tensors that are not written, and why.
  var left: [(name: String, reason: String)] = []
  /// Whether one of these holds numbers of the model, so that the result is incomplete.
  var isIncomplete = false
  /// What a user has to know about the result.
  var notes: [String] = []

  /// The libraries whose conventions are known.
  enum Library: String, CaseIterable, Encodable {
    case pytorch, keras, flax, mlx
  }

  /// The library that names like these come from: those of MLX are PyTorch's, but its files have a
  /// note.
  static func library(of names: [String], format: String?) -> Library {
    if format == "mlx" { return .mlx }
    let last = Set(names.map { $0.split(whereSeparator: { $0 == "." || $0 == "/" }).last ?? "" })
      .map { String($0.prefix { $0 != ":" }) }
    let known = Set(last)
    if !known.isDisjoint(with: ["Wx", "Wxh"]) { return .mlx }
    if !known.isDisjoint(with: ["gamma", "beta", "moving_mean", "depthwise_kernel", "embeddings"])
      || known.contains("recurrent_kernel")
    {
      return .keras
    }
    guard known.contains("kernel") || known.contains("scale") && known.contains("mean") else {
      return .pytorch
    }
    let isFlax =
      names.contains { $0.hasPrefix("params") || $0.hasPrefix("batch_stats") }
      || !known.isDisjoint(with: ["scale", "embedding"])
    return isFlax ? .flax : .keras
  }

  /// Converts names and layouts.
  mutating func convert(from source: Library, to target: Library) {
    if source == target { return }
    toPyTorch(from: source)
    fromPyTorch(to: target)
    refuseCollisions()
  }

  /// Replaces the tensors of each layer by others.
  mutating func mapLayers(_ body: ([String: NamedTensor], inout NameConversion) -> [NamedTensor]) {
    var order: [String] = []
    var layers: [String: [String: NamedTensor]] = [:]
    for tensor in tensors {
      if layers[tensor.layer] == nil { order.append(tensor.layer) }
      layers[tensor.layer, default: [:]][tensor.last] = tensor
    }
    let positions = Dictionary(
      tensors.enumerated().map { ($1.origins.first ?? $1.name, $0) }, uniquingKeysWith: min)
    tensors = order.flatMap { layer in
      body(layers[layer] ?? [:], &self).sorted {
        (positions[$0.origins.first ?? ""] ?? .max, $0.name)
          < (positions[$1.origins.first ?? ""] ?? .max, $1.name)
      }
    }
  }

  mutating func leave(_ tensor: NamedTensor, _ reason: String, isLoss: Bool = true) {
    left.append((tensor.origins.joined(separator: " + "), reason))
    if isLoss { isIncomplete = true }
  }

  /// Two tensors with one name would overwrite each other.
  private mutating func refuseCollisions() {
    var seen: Set<String> = []
    var kept: [NamedTensor] = []
    for tensor in tensors {
      if seen.insert(tensor.name).inserted {
        kept.append(tensor)
      } else {
        leave(tensor, "another tensor is named \(tensor.name), too")
      }
    }
    tensors = kept
  }
}
