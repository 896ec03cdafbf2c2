import NormaNN
import NormaTensor

extension OperatorTable {
  static var normalization: Entries {
    [
      "BatchNormalization": batchNormalization,
      "LayerNormalization": layerNormalization,
      "GroupNormalization": groupNormalization,
      "InstanceNormalization": instanceNormalization,
      "RMSNormalization": { node in
        let (axis, eps) = try (node.int("axis", -1), node.float("epsilon", 1e-5))
        _ = try node.int("stash_type")
        return { operands in
          let (x, weight) = try (operands.tensor(0), operands.tensor(1))
          let axes = try x.axis(axis, operands)..<x.rank
          let scale = (x.squared().mean(over: Array(axes), keepDims: true) + eps).rsqrt()
          return [.tensor(x * scale * weight)]
        }
      },
      "LpNormalization": { node in
        let (axis, p) = try (node.int("axis", -1), node.int("p", 2))
        return { operands in
          let x = try operands.tensor(0)
          let norm = x.norm(Double(p), over: [axis], keepDims: true)
          return [.tensor(Tensor.where(norm .== 0, Tensor.zeros([], dtype: x.dtype), x / norm))]
        }
      },
      "MeanVarianceNormalization": { node in
        let axes = try node.ints("axes") ?? [0, 2, 3]
        return { operands in
          let x = try operands.tensor(0)
          let mean = x.mean(over: axes, keepDims: true)
          let std = x.std(over: axes, correction: 0, keepDims: true)
          return [.tensor((x - mean) / (std + 1e-9))]
        }
      },
      "LRN": { node in
        let size = try node.int("size", 1)
        let (alpha, beta, bias) = try (
          node.float("alpha", 1e-4), node.float("beta", 0.75), node.float("bias", 1)
        )
        return { operands in
          let x = try operands.tensor(0)
          guard x.rank >= 2, (1...1 << 24).contains(size) else {
            throw operands.failure("size \(size) for shape \(x.shape)")
          }
          var amounts = [Int](repeating: 0, count: 2 * (x.rank - 1))
          amounts[amounts.count - 2] = (size - 1) / 2
          amounts[amounts.count - 1] = size - 1 - (size - 1) / 2
          let squares = x.squared().padded(amounts)
          let sum = squares.unfolded(over: 1, size: size, step: 1).sum(over: -1)
          return [.tensor(x / pow(sum * (alpha / Double(size)) + bias, beta))]
        }
      },
      "Dropout": { node in
        _ = try node.int("seed")
        let fixed = try node.float("ratio", 0.5)
        let wantsMask = node.wants(1)
        let isOff = !node.has(2) || node.constant(2)?.integers.first == 0
        if !wantsMask && isOff { node.role = .passing }
        return { operands in
          let x = try operands.tensor(0)
          let ratio = try operands.number(1) ?? fixed
          // The operand says what the exporter's graph did; the module's mode decides beside it.
          let isTraining = try operands.number(2) ?? 0 != 0 || operands.call.isTraining
          if !isTraining || ratio == 0 {
            return [try operands.value(0)]
              + (wantsMask ? [.tensor(Tensor.ones(x.shape, dtype: .bool))] : [])
          }
          let mask = Tensor.bernoulli(x.shape, p: 1 - ratio, dtype: x.dtype)
          return [.tensor(x * mask * (1 / (1 - ratio))), .tensor(mask.cast(to: .bool))]
        }
      },
    ]
  }

  private static let scaleNames = [".weight", ".gamma", ".scale", "_gamma", "_scale", "/gamma"]

  /// A ``BatchNorm`` layer, if its state is constant. ONNX's momentum is the share of the old
  /// value, and its running variance is that of the batch divided by n.
  private static func batchNormalization(_ node: NodeContext) throws -> GraphPlan.Run {
    let (eps, momentum) = try (node.float("epsilon", 1e-5), node.float("momentum", 0.9))
    let isTrainingGraph = try node.flag("training_mode")
    let isPerElement = try node.opset < 9 && !node.flag("spatial", true)
    try node.require(!isPerElement, "spatial 0")
    if node.opset < 7 { _ = try node.int("is_test") }
    let wantsStatistics = (1..<5).contains { node.wants($0) } && isTrainingGraph
    if !isTrainingGraph,
      let layer = try node.layer(
        inputs: [1, 2, 3, 4], scaleNames,
        make: { state -> BatchNorm in
          let layer = BatchNorm(
            state[0].count, eps: eps, momentum: .decay(momentum), dtype: state[0].dtype)
          layer.weight?.value = state[0]
          layer.bias?.value = state[1]
          layer.runningMean?.value = state[2]
          layer.runningVar?.value = state[3]
          return layer
        })
    {
      node.role = .norm(layer)
      return { operands in
        let x = try operands.tensor(0)
        // A vector for each sample, which a batch norm sees as channels.
        return [.tensor(x.rank == 1 ? layer(x.unsqueezed(1)).squeezed(1) : layer(x))]
      }
    }
    return { operands in
      let x = try operands.tensor(0)
      let state = try (1...4).map { try operands.tensor($0) }
      let wide = x.rank == 1 ? x.unsqueezed(1) : x
      let usesBatch = isTrainingGraph || operands.call.isTraining
      let result = batchNorm(
        wide, runningMean: usesBatch ? nil : state[2], runningVar: usesBatch ? nil : state[3],
        weight: state[0], bias: state[1], training: usesBatch, eps: eps)
      let y = x.rank == 1 ? result.squeezed(1) : result
      guard wantsStatistics else { return [.tensor(y)] }
      let axes = wide.shape.indices.filter { $0 != 1 }
      let mean = wide.mean(over: axes)
      let variance = wide.variance(over: axes, correction: 0)
      return [
        .tensor(y), .tensor(state[2] * momentum + mean * (1 - momentum)),
        .tensor(state[3] * momentum + variance * (1 - momentum)),
      ]
    }
  }

  private static func layerNormalization(_ node: NodeContext) throws -> GraphPlan.Run {
    let (axis, eps) = try (node.int("axis", -1), node.float("epsilon", 1e-5))
    _ = try node.int("stash_type")
    let wantsStatistics = node.wants(1) || node.wants(2)
    let hasBias = node.has(2)
    if !wantsStatistics, node.constant(1)?.tensor.rank == -axis,
      let layer = try node.layer(
        inputs: hasBias ? [1, 2] : [1], scaleNames,
        make: { state -> LayerNorm in
          let layer = LayerNorm(
            state[0].shape, eps: eps, bias: hasBias, dtype: state[0].dtype)
          layer.weight?.value = state[0]
          if hasBias { layer.bias?.value = state[1] }
          return layer
        })
    {
      return { [.tensor(layer(try $0.tensor(0)))] }
    }
    return { operands in
      let x = try operands.tensor(0)
      let first = try x.axis(axis, operands)
      let over = Array(first..<x.rank)
      let mean = x.mean(over: over, keepDims: true)
      let variance = x.variance(over: over, correction: 0, keepDims: true)
      let scale = (variance + eps).rsqrt()
      var y = (x - mean) * scale * (try operands.tensor(1))
      if let bias = operands.optional(2) { y = y + bias }
      return [.tensor(y), .tensor(mean), .tensor(scale)]
    }
  }

  /// Up to version 20, scale and bias are those of groups.
  private static func groupNormalization(_ node: NodeContext) throws -> GraphPlan.Run {
    let (groups, eps) = try (node.int("num_groups", 1), node.float("epsilon", 1e-5))
    _ = try node.int("stash_type")
    let isOfGroups = node.opset < 21
    if !isOfGroups,
      let layer = try node.layer(
        inputs: [1, 2], scaleNames,
        make: { state -> GroupNorm in
          let layer = GroupNorm(groups, state[0].count, eps: eps, dtype: state[0].dtype)
          layer.weight?.value = state[0]
          layer.bias?.value = state[1]
          return layer
        })
    {
      return { [.tensor(layer(try $0.tensor(0)))] }
    }
    return { operands in
      let x = try operands.tensor(0)
      var state = try [operands.tensor(1), operands.tensor(2)]
      guard x.rank >= 2, groups > 0 else { throw operands.failure("shape \(x.shape)") }
      if isOfGroups && state[0].count == groups {
        state = state.map { $0.repeatedInterleaved(x.shape[1] / groups, over: 0) }
      }
      return [
        .tensor(groupNorm(x, groups: groups, weight: state[0], bias: state[1], eps: eps))
      ]
    }
  }

  private static func instanceNormalization(_ node: NodeContext) throws -> GraphPlan.Run {
    let eps = try node.float("epsilon", 1e-5)
    if let layer = try node.layer(
      inputs: [1, 2], scaleNames,
      make: { state -> InstanceNorm2d in
        let layer = InstanceNorm2d(state[0].count, eps: eps, affine: true, dtype: state[0].dtype)
        layer.weight?.value = state[0]
        layer.bias?.value = state[1]
        return layer
      })
    {
      return { operands in
        let x = try operands.tensor(0)
        if x.rank == 4 { return [.tensor(layer(x))] }
        return [
          .tensor(
            instanceNorm(x, weight: layer.weight?.value, bias: layer.bias?.value, eps: eps))
        ]
      }
    }
    return { operands in
      [
        .tensor(
          instanceNorm(
            try operands.tensor(0), weight: try operands.tensor(1), bias: try operands.tensor(2),
            eps: eps))
      ]
    }
  }
}
