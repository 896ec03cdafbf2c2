import Norma

extension NameConversion {
  /// From the names and layouts of a library to those of PyTorch.
  mutating func toPyTorch(from source: Library) {
    switch source {
    case .pytorch: return
    case .mlx:
      let cells = Set(tensors.filter { ["Wh", "Whh"].contains($0.last) }.map(\.layer))
      mapLayers { layer, _ in
        if let cell = RecurrentCell(mlx: layer) {
          return cell.tensors(at: RecurrentPosition(cell.layer, among: cells))
        }
        return layer.values.map { tensor in
          // MLX keeps channels last: [out, spatial..., in].
          let rank = tensor.shape.count
          guard tensor.last == "weight", rank > 2 else { return tensor }
          // PyTorch has the inputs of a transposed convolution first.
          let first = tensor.isTransposedConvolution ? [rank - 1, 0] : [0, rank - 1]
          return tensor.permuted(first + Array(1..<rank - 1))
        }
      }
    case .keras, .flax:
      for index in tensors.indices {
        tensors[index].name = Self.dotted(tensors[index].name, isFlax: source == .flax)
      }
      noteFlattened()
      if source == .flax { joinGates() }
      let cells = Set(
        tensors.filter { ["recurrent_kernel", "weight_hh"].contains($0.last) }.map(\.layer))
      mapLayers { layer, conversion in
        if let cell = conversion.recurrentCell(layer) {
          return cell.tensors(at: RecurrentPosition(cell.layer, among: cells))
        }
        if layer["recurrent_kernel"] != nil { return [] }
        return layer.values.compactMap { conversion.fromChannelsLast($0, source) }
      }
    }
  }

  /// `block/bn/gamma:0` as `block.bn.gamma`; Flax' collections are no part of a name.
  private static func dotted(_ name: String, isFlax: Bool) -> String {
    var parts = name.split(whereSeparator: { $0 == "." || $0 == "/" }).map(String.init)
    if let last = parts.last { parts[parts.count - 1] = String(last.prefix { $0 != ":" }) }
    // Exported states of nnx end in the variable's value.
    if isFlax, parts.count > 1, parts.last == "value" { parts.removeLast() }
    if isFlax, parts.count > 1, ["params", "batch_stats"].contains(parts[0]) {
      parts.removeFirst()
    }
    return parts.joined(separator: ".")
  }

  /// Names whose tensors keep their layout.
  private static let renamed = [
    "gamma": "weight", "scale": "weight", "beta": "bias", "moving_mean": "running_mean",
    "mean": "running_mean", "moving_variance": "running_var", "var": "running_var",
    "embeddings": "weight", "embedding": "weight", "bias": "bias",
  ]

  private mutating func fromChannelsLast(
    _ tensor: NamedTensor, _ source: Library
  ) -> NamedTensor? {
    let rank = tensor.shape.count
    let owner = tensor.layer.split(separator: ".").last.map { $0.lowercased() } ?? ""
    let isProjection = ["query", "key", "value"].contains(owner)
    switch tensor.last {
    case "kernel", "pointwise_kernel", "depthwise_kernel":
      let isDepthwise =
        tensor.last == "depthwise_kernel" || source == .keras && owner.contains("depthwise")
      // The parts of a separable convolution are layers of their own in PyTorch.
      let name =
        switch tensor.last {
        case "pointwise_kernel": "pointwise.weight"
        case "depthwise_kernel" where !owner.contains("depthwise"): "depthwise.weight"
        default: "weight"
        }
      if isDepthwise, rank > 2 {
        // [spatial..., in, multiplier] as [in * multiplier, 1, spatial...].
        let spatial = Array(tensor.shape.dropLast(2))
        let count = tensor.shape[rank - 2] * tensor.shape[rank - 1]
        return tensor.permuted([rank - 2, rank - 1] + Array(0..<rank - 2))
          .reshaped([count, 1] + spatial).named(name)
      }
      if source == .flax, tensor.isTransposedConvolution, rank > 2 {
        noteTransposedConvolution(tensor)
        // [spatial..., in, out] as [in, out, spatial...].
        return tensor.permuted([rank - 2, rank - 1] + Array(0..<rank - 2))
          .flipped(Array(2..<rank)).named(name)
      }
      if isProjection, rank == 3 {
        // [in, heads, width] as [heads * width, in].
        return tensor.reshaped([tensor.shape[0], tensor.shape[1] * tensor.shape[2]])
          .permuted([1, 0]).named(name)
      }
      if ["out", "attention_output"].contains(owner), rank == 3 {
        return tensor.reshaped([tensor.shape[0] * tensor.shape[1], tensor.shape[2]])
          .permuted([1, 0]).named(name)
      }
      guard rank >= 2 else {
        leave(tensor, "a kernel of \(rank) axes is unknown")
        return nil
      }
      // [spatial..., in, out] as [out, in, spatial...].
      return tensor.permuted([rank - 1, rank - 2] + Array(0..<rank - 2)).named(name)
    case "bias" where isProjection && rank == 2:
      return tensor.reshaped([tensor.shape[0] * tensor.shape[1]])
    default:
      if let name = Self.renamed[tensor.last] { return tensor.named(name) }
      if rank > 1 { notes.append("\(tensor.name) is of an unknown kind and keeps its layout") }
      return tensor
    }
  }

  /// A layer after Flatten reads the same numbers in another order.
  private mutating func noteFlattened() {
    var channels: Set<Int> = []
    for tensor in tensors where tensor.last.hasSuffix("kernel") {
      if tensor.shape.count > 3, let out = tensor.shape.last {
        channels.insert(out)
      } else if tensor.shape.count == 2,
        channels.contains(where: { tensor.shape[0] > $0 && tensor.shape[0] % $0 == 0 })
      {
        notes.append(
          "\(tensor.layer) may follow a Flatten: its \(tensor.shape[0]) inputs are then ordered "
            + "height, width, channel, and PyTorch orders them channel, height, width")
      }
    }
  }

  /// Flax moves a kernel over the spread input as it is, PyTorch turned around.
  mutating func noteTransposedConvolution(_ tensor: NamedTensor) {
    notes.append(
      "\(tensor.layer) is a transposed convolution with transpose_kernel=False, Flax' default; "
        + "otherwise its spatial axes must not be flipped")
  }
}
