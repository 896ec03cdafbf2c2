import NormaTensor

extension OperatorTable {
  static var losses: Entries {
    [
      "NegativeLogLikelihoodLoss": { node in
        let rule = try LikelihoodRule(node)
        return { operands in
          let x = try operands.tensor(0)
          return [
            .tensor(try rule.loss(x, operands.tensor(1), weight: operands.optional(2)))
          ]
        }
      },
      "SoftmaxCrossEntropyLoss": { node in
        let rule = try LikelihoodRule(node)
        return { operands in
          let logs = try operands.tensor(0).logSoftmax(over: 1)
          return [
            .tensor(try rule.loss(logs, operands.tensor(1), weight: operands.optional(2))),
            .tensor(logs),
          ]
        }
      },
    ]
  }
}

/// The negative logarithms of the true classes' probabilities, weighted and reduced.
private struct LikelihoodRule {
  let ignored: Int?
  let reduction: String

  init(_ node: NodeContext) throws {
    ignored = try node.whole("ignore_index")
    reduction = try node.string("reduction", "mean")
    try node.require(["none", "sum", "mean"].contains(reduction), "reduction \(reduction)")
  }

  /// - Parameters:
  ///   - logs: `[N, C, ...]`.
  ///   - target: `[N, ...]`, classes.
  func loss(_ logs: Tensor, _ target: Tensor, weight: Tensor?) -> Tensor {
    let classes = target.cast(to: .int64)
    let isIgnored = ignored.map { classes .== $0 }
    let safe = isIgnored.map { Tensor.where($0, Tensor(Int64(0)), classes) } ?? classes
    var losses = -logs.gathered(safe.unsqueezed(1), over: 1).squeezed(1)
    var weights = weight.map { $0.indexSelected(safe.flattened(), over: 0).reshaped(safe.shape) }
    if let isIgnored {
      let ones = weights ?? Tensor.ones(safe.shape, dtype: logs.dtype)
      weights = Tensor.where(isIgnored, Tensor.zeros([], dtype: logs.dtype), ones)
    }
    if let weights { losses = losses * weights }
    let all = Array(losses.shape.indices)
    switch reduction {
    case "none": return losses
    case "sum": return losses.sum(over: all)
    default:
      return weights.map { losses.sum(over: all) / $0.sum(over: all) } ?? losses.mean(over: all)
    }
  }
}
