import ArgumentParser
import Norma
import NormaExplain

/// The layers that the command supports.
enum LayerKind: String, ExpressibleByArgument, CaseIterable, Decodable {
  case batchnorm, batchnorm1d, batchnorm2d, batchnorm3d, instancenorm, groupnorm, layernorm, rmsnorm

  static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }

  /// Accepts names in any case: `groupnorm`, `GroupNorm`.
  init?(argument: String) { self.init(rawValue: argument.lowercased()) }

  /// The kind for the class of a captured layer; nil if it is not one of these.
  init?(captured kind: String) {
    let name = kind.lowercased()
    if name.contains("batchnorm") {
      self = .batchnorm
    } else if name.hasPrefix("instancenorm") {
      self = .instancenorm
    } else {
      self.init(rawValue: name)
    }
  }

  /// Whether the layer has channels, at axis 1.
  var hasChannels: Bool { self != .layernorm && self != .rmsnorm }

  /// Whether the layer can keep running statistics.
  var canTrack: Bool { hasChannels && self != .groupnorm }

  /// The ranks of inputs that the layer accepts.
  fileprivate var ranks: ClosedRange<Int> {
    switch self {
    case .batchnorm: 2...5
    case .batchnorm1d: 2...3
    case .batchnorm2d: 4...4
    case .batchnorm3d: 5...5
    case .instancenorm: 3...5
    case .groupnorm: 2...Int.max
    case .layernorm, .rmsnorm: 1...Int.max
    }
  }
}

/// A layer as described by the command's options.
struct ExplainLayer {
  let kind: LayerKind
  /// nil for the layer's default.
  let eps: Double?
  let groups: Int
  /// The number of last axes that layer norm and RMS norm normalize together.
  let lastAxes: Int
  /// For batch norm; nil for PyTorch's default.
  var momentum: Momentum?
  var weight: Tensor?
  var bias: Tensor?
  var runningMean: Tensor?
  var runningVar: Tensor?
  var batchesTracked: Tensor?
  var isInEvaluation = false
  /// Whether an instance norm has running statistics, even if none are given.
  var tracksRunningStatistics = false
  /// Training batches, or several of them along an additional leading axis.
  var history: [Tensor] = []
  var mask: Tensor?

  /// Reports shapes that the layer does not accept.
  func check(_ shape: [Int]) throws {
    guard kind.ranks.contains(shape.count), shape.count >= lastAxes else {
      throw DataError("\(kind.rawValue) does not take data of shape \(shape); see --layout")
    }
    if kind == .groupnorm, shape[1] % groups != 0 {
      throw DataError("\(shape[1]) channels do not divide into \(groups) groups; see --groups")
    }
    let parameters = parameterShape(shape)
    let count = parameters.reduce(1, *)
    for (name, tensor) in [
      ("weight", weight), ("bias", bias), ("running mean", runningMean),
      ("running variance", runningVar),
    ] {
      guard let tensor, tensor.count != count else { continue }
      throw DataError(
        "the \(name) has shape \(tensor.shape), and the layer's for data of shape \(shape) has "
          + "\(parameters)")
    }
    for batch in history {
      let own = batch.rank > shape.count ? Array(batch.shape.dropFirst()) : batch.shape
      if own.count == shape.count, own[1] == shape[1] { continue }
      throw DataError(
        "--history has shape \(batch.shape): a batch has \(shape.count) axes and \(shape[1]) "
          + "channels, as --input of shape \(shape)")
    }
    if let mask, !broadcasts(mask.shape, to: shape) {
      throw DataError("--mask has shape \(mask.shape), which does not broadcast to \(shape)")
    }
  }

  private func broadcasts(_ small: [Int], to shape: [Int]) -> Bool {
    small.count <= shape.count
      && zip(small.reversed(), shape.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
  }

  private func parameterShape(_ shape: [Int]) -> [Int] {
    kind.hasChannels ? [shape[1]] : Array(shape.suffix(lastAxes))
  }

  /// The explanation of a result.
  func explain(_ x: Tensor, expecting expected: Tensor?, from origin: Tensor?) throws
    -> Explanation
  {
    let past = batches(like: x)
    return try catchingTensorErrors {
      switch made(for: x.shape) {
      case let layer as BatchNorm:
        layer.explain(x, expecting: expected, from: origin, history: past, mask: mask)
      case let layer as InstanceNorm:
        layer.explain(x, expecting: expected, from: origin, history: past, mask: mask)
      case let layer as GroupNorm:
        layer.explain(x, expecting: expected, from: origin, mask: mask)
      case let layer as LayerNorm:
        layer.explain(x, expecting: expected, from: origin, mask: mask)
      case let layer as RMSNorm:
        layer.explain(x, expecting: expected, from: origin, mask: mask)
      default: throw DataError("\(kind.rawValue) cannot be explained")
      }
    }
  }

  /// The layer's result for an input.
  func result(of x: Tensor) throws -> Tensor {
    let layer = made(for: x.shape)
    return try catchingTensorErrors { withoutGradients { layer(x).evaluated() } }
  }

  /// The explanation of a running statistic after one call in training.
  func explain(_ x: Tensor, expectingRunningMean mean: Tensor?, variance: Tensor?) throws
    -> Explanation
  {
    for (option, tensor) in [("--expect-running-mean", mean), ("--expect-running-var", variance)] {
      guard let tensor, tensor.count != x.shape[1] else { continue }
      throw DataError("\(option) has shape \(tensor.shape), the layer \(x.shape[1]) channels")
    }
    return try catchingTensorErrors {
      switch (made(for: x.shape), mean, variance) {
      case (let layer as BatchNorm, let mean?, _):
        layer.explain(x, expectingRunningMean: mean)
      case (let layer as BatchNorm, _, let variance?):
        layer.explain(x, expectingRunningVariance: variance)
      case (let layer as InstanceNorm, let mean?, _):
        layer.explain(x, expectingRunningMean: mean)
      case (let layer as InstanceNorm, _, let variance?):
        layer.explain(x, expectingRunningVariance: variance)
      default: throw DataError("\(kind.rawValue) keeps no running statistics")
      }
    }
  }

  /// The batches of the history, one by one.
  private func batches(like x: Tensor) -> [Tensor] {
    history.flatMap { given in
      given.rank > x.rank ? (0..<given.shape[0]).map { given[$0].evaluated() } : [given]
    }
  }

  /// The layer for data of a shape.
  func made(for shape: [Int]) -> any Layer {
    let layer = fresh(for: shape)
    let running =
      switch layer {
      case let norm as BatchNorm: (norm.runningMean, norm.runningVar, norm.numBatchesTracked)
      case let norm as InstanceNorm: (norm.runningMean, norm.runningVar, norm.numBatchesTracked)
      default: (nil, nil, nil) as (Buffer?, Buffer?, Buffer?)
      }
    if runningMean != nil {
      set(running.0, runningMean)
      set(running.1, runningVar)
      set(running.2, batchesTracked)
    } else {
      for given in history {
        let batches = given.rank > shape.count ? (0..<given.shape[0]).map { given[$0] } : [given]
        for batch in batches { _ = layer(batch).evaluated() }
      }
    }
    if isInEvaluation { layer.eval() }
    return layer
  }

  private func fresh(for shape: [Int]) -> any Layer {
    let eps = eps ?? 1e-5
    switch kind {
    case .batchnorm, .batchnorm1d, .batchnorm2d, .batchnorm3d:
      let momentum = momentum ?? 0.1
      let layer: BatchNorm =
        switch shape.count {
        case 2, 3: BatchNorm1d(shape[1], eps: eps, momentum: momentum)
        case 4: BatchNorm2d(shape[1], eps: eps, momentum: momentum)
        default: BatchNorm3d(shape[1], eps: eps, momentum: momentum)
        }
      set(layer.weight, layer.bias)
      return layer
    case .instancenorm:
      let affine = weight != nil || bias != nil
      let tracks = runningMean != nil || !history.isEmpty || tracksRunningStatistics
      let type: InstanceNorm.Type =
        switch shape.count {
        case 3: InstanceNorm1d.self
        case 4: InstanceNorm2d.self
        default: InstanceNorm3d.self
        }
      let layer = type.init(
        shape[1], eps: eps, momentum: momentum ?? 0.1, affine: affine, trackRunningStats: tracks)
      set(layer.weight, layer.bias)
      return layer
    case .groupnorm:
      let layer = GroupNorm(groups, shape[1], eps: eps)
      set(layer.weight, layer.bias)
      return layer
    case .layernorm:
      let layer = LayerNorm(Array(shape.suffix(lastAxes)), eps: eps)
      set(layer.weight, layer.bias)
      return layer
    case .rmsnorm:
      let layer = RMSNorm(Array(shape.suffix(lastAxes)), eps: self.eps)
      set(layer.weight, nil)
      return layer
    }
  }

  private func set(_ weightCell: Parameter?, _ biasCell: Parameter?) {
    for (cell, value) in [(weightCell, weight), (biasCell, bias)] {
      guard let cell, let value else { continue }
      cell.value = value.reshaped(cell.value.shape).cast(to: cell.value.dtype)
    }
  }

  private func set(_ cell: Buffer?, _ value: Tensor?) {
    guard let cell, let value else { return }
    cell.value = value.reshaped(cell.value.shape).cast(to: cell.value.dtype)
  }

  /// The layer's formula with a divisor other than n, and otherwise the same.
  func handMade(_ x: Tensor, correction: Double) throws -> Tensor {
    var split = x
    var axes = Array(x.shape.indices.suffix(lastAxes))
    switch kind {
    case .batchnorm, .batchnorm1d, .batchnorm2d, .batchnorm3d:
      axes = x.shape.indices.filter { $0 != 1 }
    case .instancenorm: axes = Array(2..<x.rank)
    case .groupnorm:
      split = x.reshaped([x.shape[0], groups, -1])
      axes = [2]
    case .layernorm: break
    case .rmsnorm: throw DataError("--correction is for layers that divide by a deviation")
    }
    let n = axes.reduce(1) { $0 * split.shape[$1] }
    if correction >= Double(n) {
      throw DataError("--correction must be below n = \(n), the number of values that it divides")
    }
    let mean = split.mean(over: axes, keepDims: true)
    let variance = split.variance(over: axes, correction: correction, keepDims: true)
    let normalized = ((split - mean) / (variance + (eps ?? 1e-5)).sqrt()).reshaped(x.shape)
    let parameters = parameterShape(x.shape)
    let shape = kind.hasChannels ? parameters + x.shape.dropFirst(2).map { _ in 1 } : parameters
    let scaled = weight.map { normalized * $0.reshaped(shape) } ?? normalized
    return (bias.map { scaled + $0.reshaped(shape) } ?? scaled).evaluated()
  }
}
