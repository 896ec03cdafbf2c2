import Norma

extension NameConversion {
  /// From PyTorch's names and layouts to those of a library.
  mutating func fromPyTorch(to target: Library) {
    switch target {
    case .pytorch: return
    case .mlx:
      mapLayers { layer, conversion in
        if layer["weight_ih_l0"] != nil { return conversion.recurrent(layer, to: target) }
        return layer.values.compactMap { tensor in
          if tensor.last == "num_batches_tracked" {
            conversion.leaveCount(tensor, target)
            return nil
          }
          let rank = tensor.shape.count
          guard tensor.last == "weight", rank > 2 else { return tensor }
          let (out, inputs) = tensor.isTransposedConvolution ? (1, 0) : (0, 1)
          return tensor.permuted([out] + Array(2..<rank) + [inputs])
        }
      }
    case .keras, .flax:
      mapLayers { layer, conversion in
        if layer["weight_ih_l0"] != nil { return conversion.recurrent(layer, to: target) }
        let isNorm = layer["running_mean"] != nil || layer["weight"]?.shape.count == 1
        return layer.values.compactMap { conversion.toChannelsLast($0, isNorm: isNorm, target) }
      }
      for index in tensors.indices {
        tensors[index].name = Self.slashed(tensors[index], target)
      }
    }
  }

  private mutating func leaveCount(_ tensor: NamedTensor, _ target: Library) {
    leave(
      tensor, "a count of batches, which \(target.rawValue) does not keep", isLoss: false)
  }

  /// Names with slashes; in Flax, below the collection that a tensor belongs to.
  private static func slashed(_ tensor: NamedTensor, _ target: Library) -> String {
    let name = tensor.name.split(separator: ".").joined(separator: "/")
    if target == .keras { return name }
    return (["mean", "var"].contains(tensor.last) ? "batch_stats/" : "params/") + name
  }

  private mutating func toChannelsLast(
    _ tensor: NamedTensor, isNorm: Bool, _ target: Library
  ) -> NamedTensor? {
    let rank = tensor.shape.count
    let isKeras = target == .keras
    switch tensor.last {
    case "num_batches_tracked":
      leaveCount(tensor, target)
      return nil
    case "running_mean": return tensor.named(isKeras ? "moving_mean" : "mean")
    case "running_var": return tensor.named(isKeras ? "moving_variance" : "var")
    case "bias": return isNorm && isKeras ? tensor.named("beta") : tensor
    case "weight" where rank == 1: return tensor.named(isKeras ? "gamma" : "scale")
    case "weight" where rank == 2 && tensor.layer.lowercased().contains("emb"):
      return tensor.named(isKeras ? "embeddings" : "embedding")
    case "weight" where rank == 2: return tensor.permuted([1, 0]).named("kernel")
    case "weight" where rank > 2:
      if !isKeras, tensor.isTransposedConvolution {
        noteTransposedConvolution(tensor)
        return tensor.flipped(Array(2..<rank)).permuted(Array(2..<rank) + [0, 1]).named("kernel")
      }
      let owner = tensor.layer.split(separator: ".").last.map { $0.lowercased() } ?? ""
      if isKeras, tensor.shape[1] == 1, owner.contains("depthwise") {
        // [channels, 1, spatial...] as [spatial..., channels, 1].
        return tensor.permuted(Array(2..<rank) + [0, 1]).named("depthwise_kernel")
      }
      // [out, in, spatial...] as [spatial..., in, out].
      return tensor.permuted(Array(2..<rank) + [1, 0]).named("kernel")
    default:
      if rank > 1 { notes.append("\(tensor.name) is of an unknown kind and keeps its layout") }
      return tensor
    }
  }
}
