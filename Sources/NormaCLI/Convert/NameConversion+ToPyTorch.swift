import Norma

extension NameConversion {
  /// From the names and layouts of a library to those of PyTorch.
  mutating func toPyTorch(from source: Library) {
    switch source {
    case .pytorch: return
    case .mlx:
      mapLayers { layer, _ in
        layer.values.map { tensor in
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
      mapLayers { layer, conversion in
        if layer["recurrent_kernel"] != nil { return conversion.recurrent(layer) }
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
      if source == .flax, owner.contains("convtranspose") {
        leave(tensor, "a transposed convolution of Flax has another direction; convert it by hand")
        return nil
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

  /// A recurrent layer of Keras: kernel, recurrent_kernel and bias with the gates side by side.
  private mutating func recurrent(_ layer: [String: NamedTensor]) -> [NamedTensor] {
    guard let kernel = layer["kernel"], let inner = layer["recurrent_kernel"],
      kernel.shape.count == 2, inner.shape.count == 2, inner.shape[0] > 0,
      kernel.shape[1] == inner.shape[1], inner.shape[1] % inner.shape[0] == 0,
      [1, 3, 4].contains(inner.shape[1] / inner.shape[0])
    else {
      for tensor in layer.values { leave(tensor, "an unknown recurrent layer") }
      return []
    }
    let gates = inner.shape[1] / inner.shape[0]
    // Keras' GRU has update, reset, new; PyTorch's reset, update, new. Their LSTMs agree.
    func ordered(_ tensor: NamedTensor) -> NamedTensor {
      gates == 3 ? tensor.ordered(blocks: [1, 0, 2]) : tensor
    }
    var result = [
      ordered(kernel).permuted([1, 0]).named("weight_ih_l0"),
      ordered(inner).permuted([1, 0]).named("weight_hh_l0"),
    ]
    for tensor in layer.values where !["kernel", "recurrent_kernel"].contains(tensor.last) {
      guard tensor.last == "bias" else {
        leave(tensor, "PyTorch's recurrent layers have none")
        continue
      }
      let width = inner.shape[1]
      if tensor.shape == [2, width] {
        for (row, name) in ["bias_ih_l0", "bias_hh_l0"].enumerated() {
          var part = ordered(tensor)
          let read = part.read
          part.shape = [width]
          part.read = { try read()[row] }
          part.changes.append("row \(row)")
          result.append(part.named(name))
        }
      } else if gates == 3 {
        leave(tensor, "a GRU with reset_after=False is another function than PyTorch's")
      } else {
        result.append(tensor.named("bias_ih_l0"))
        var zeros = NamedTensor(
          origins: [], name: tensor.name, shape: tensor.shape, dtype: tensor.dtype,
          changes: ["zeros: Keras has one bias"]
        ) { .zeros(tensor.shape, dtype: tensor.dtype) }
        zeros = zeros.named("bias_hh_l0")
        result.append(zeros)
      }
    }
    return result
  }
}
