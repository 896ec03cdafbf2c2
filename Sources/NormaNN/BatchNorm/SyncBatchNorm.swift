import NormaTensor

/// What synchronized batch norm needs of a group of processes.
package protocol StatisticsExchange: Sendable {
  /// The number of processes.
  var count: Int { get }

  /// The numbers of every process, in the order of ranks; each gives as many.
  func gathered(_ numbers: [Double], call: String) throws(TensorError) -> [[Double]]

  /// The sums over all processes of corresponding numbers, the same bits in each.
  func summed(_ numbers: [Double], call: String) throws(TensorError) -> [Double]
}

/// Batch normalization whose batch is that of all processes of a group together.
///
/// In training, each process counts its part of the batch, and the moments of all parts are merged
/// in the order of ranks: mean and variance are those of the whole batch, whatever the sizes of the
/// parts; one may be empty. The gradient of the input goes through the common statistics. The
/// gradients of weight and bias are those of this process's part, as of other parameters, and are
/// summed by data parallel training. In evaluation, and in a group of one, it is ``BatchNorm``.
///
/// - Shapes: input and output `[N, C, ...]` with any number of axes.
/// - Edge cases: one value per channel is an error if there is only one in all processes together.
///   Masks and gradients of gradients are errors; PyTorch has neither.
/// - Accuracy: of the order of ``BatchNorm``: moments are merged in `float64`.
/// - Cost: forward and backward, two reads and one write, and an exchange of 24 or 16 bytes per
///   channel, for which every process has to wait: all must call the layer in the same order.
/// - PyTorch: `torch.nn.SyncBatchNorm`.
public final class SyncBatchNorm: BatchNorm {
  private let exchange: any StatisticsExchange

  /// How much this process's gradient counts beside those of the others; nil if all count alike, as
  /// when each is the gradient of a sum.
  package var lossWeight: (@Sendable () -> Double)?

  override var name: String { "SyncBatchNorm" }
  override var takesMasks: Bool { exchange.count == 1 }
  override var normalizesShards: Bool { exchange.count > 1 && intercept == nil }

  /// A layer over the batches of the processes of `exchange`.
  package init(
    _ features: Int, eps: Double, momentum: Momentum, affine: Bool, bias: Bool,
    trackRunningStats: Bool, dtype: DType, exchange: any StatisticsExchange, file: StaticString,
    line: UInt
  ) {
    self.exchange = exchange
    super.init(
      features, eps: eps, momentum: momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }

  override func normalizedByItself(
    _ x: Tensor
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics)? {
    guard normalizesShards else { return nil }
    guard eps > 0 else { throw TensorError(call, "eps must be positive in training, got \(eps)") }
    guard x.dtype.isFloatingPoint else {
      throw TensorError(call, "\(x.dtype) cannot be normalized; cast(to: .float32) first")
    }
    let whole = try merged(x)
    guard whole.count.allSatisfy({ $0 > 1 }) || singleValuePolicy == .zero else {
      throw TensorError(
        call,
        "the batches of all \(exchange.count) processes have "
          + "\(Int(whole.count.first ?? 0)) values per channel together, which have no variance: "
          + "train with a larger batch, or call eval()")
    }
    let shape = x.shape.indices.map { $0 == 1 ? features : 1 }
    let count = whole.count.first ?? 0
    let statistics = NormalizationStatistics(
      mean: Tensor(whole.mean, shape: shape), squares: Tensor(whole.m2, shape: shape),
      count: Int(count))
    let variance = statistics.variance.evaluated()
    let (weight, bias) = (weight?.value.reshaped(shape), bias?.value.reshaped(shape))
    let output = try x.detached().normalized(
      mean: statistics.mean, variance: variance, eps: eps, weight: weight?.detached(),
      bias: bias?.detached(), call: call
    ).detached()
    return (
      recorded(output, x, weight, bias, statistics.mean, variance, count: count), statistics
    )
  }

  /// The moments of the batches of all processes.
  private func merged(_ x: Tensor) throws(TensorError) -> Moments {
    let axes = x.shape.indices.filter { $0 != 1 }
    let nothing = [Double](repeating: 0, count: features)
    var own = Moments(count: nothing, mean: nothing, m2: nothing, shape: [features])
    if x.count > 0 {
      let statistics = x.detached().normalizationStatistics(over: axes)
      Tensor.evaluate([statistics.mean, statistics.squares])
      own = Moments(
        count: [Double](repeating: Double(statistics.count), count: features),
        mean: statistics.mean.array(), m2: statistics.squares.array(), shape: [features])
    }
    let parts = try exchange.gathered(own.count + own.mean + own.m2, call: call)
    var whole: Moments?
    for part in parts {
      guard part.count == 3 * features else {
        throw TensorError(
          call,
          "another process normalizes \(part.count / 3) channels and this one \(features): all "
            + "processes must call the same layers in the same order")
      }
      let moments = Moments(
        count: Array(part[..<features]), mean: Array(part[features..<(2 * features)]),
        m2: Array(part[(2 * features)...]), shape: [features])
      whole = whole?.merged(with: moments) ?? moments
    }
    return whole ?? own
  }
}

extension SyncBatchNorm {
  /// This result with its history. With g the upstream gradient, y = (x - mean) r without weight
  /// and bias, r = 1 / √(variance + eps), and sums over the parts of all processes:
  ///
  ///     dx = weight r (g - Σ(g) / n - y Σ(g y) / n)        dweight = Σ(g y)        dbias = Σ(g)
  private func recorded(
    _ output: Tensor, _ x: Tensor, _ weight: Tensor?, _ bias: Tensor?, _ mean: Tensor,
    _ variance: Tensor, count: Double
  ) -> Tensor {
    let inputs = [x] + [weight, bias].compactMap { $0 }
    let saving = [x, mean, variance] + (weight.map { [$0] } ?? [])
    let (hasWeight, hasBias) = (weight != nil, bias != nil)
    let (exchange, eps, call, lossWeight) = (exchange, eps, call, lossWeight)
    return output.recorded(call, from: inputs, saving: saving, runsAtOnce: true) { rule in
      func gradients() throws(TensorError) -> [Tensor?] {
        if rule.isRecording {
          throw TensorError(call, "its gradient cannot be differentiated again")
        }
        let weight = hasWeight ? rule.saved[3].detached() : nil
        let parts = try SyncBatchNorm.gradients(
          rule.saved[0].detached(), rule.upstream.detached(), rule.saved[1], rule.saved[2], weight,
          eps: eps, count: count, lossWeight: lossWeight?() ?? 1, exchange, call)
        return [parts.x] + (hasWeight ? [parts.weight] : []) + (hasBias ? [parts.bias] : [])
      }
      do throws(TensorError) {
        return try gradients()
      } catch {
        report(error, file: #fileID, line: #line)
        return [Tensor?](repeating: nil, count: 1 + (hasWeight ? 1 : 0) + (hasBias ? 1 : 0))
      }
    }
  }

  private static func gradients(
    _ x: Tensor, _ upstream: Tensor, _ mean: Tensor, _ variance: Tensor, _ weight: Tensor?,
    eps: Double, count: Double, lossWeight: Double, _ exchange: any StatisticsExchange,
    _ call: String
  ) throws(TensorError) -> (x: Tensor, weight: Tensor, bias: Tensor) {
    let type = x.dtype == .float64 ? DType.float64 : .float32
    let upstream = upstream.cast(to: type)
    let features = mean.count
    let (centered, plain) = x.gradientSums(upstream: upstream, mean: mean)
    Tensor.evaluate([centered, plain])
    let own = centered.array(of: Double.self) + plain.array()
    // In units of this process's loss, whose part may be NaN where it has no weight.
    let all = try exchange.summed(
      own.map { lossWeight == 0 ? 0 : $0 * lossWeight }, call: call
    ).map { lossWeight == 0 ? 0 : $0 / lossWeight }
    let inverse = (variance + eps).rsqrt()
    let scale = weight.map { inverse * $0.cast(to: .float64) } ?? inverse
    let dx = try x.normalizationGradient(
      upstream: upstream, mean: mean, inverse: inverse, scale: scale, share: scale / -count,
      centered: Tensor(Array(all[..<features]), shape: mean.shape),
      plain: Tensor(Array(all[features...]), shape: mean.shape), call: call)
    return (dx.evaluated(), centered * inverse, plain)
  }
}
