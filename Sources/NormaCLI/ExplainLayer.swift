import ArgumentParser
import Norma
import NormaExplain

/// The layers that the command knows.
enum LayerKind: String, ExpressibleByArgument, CaseIterable, Decodable {
  case batchnorm, batchnorm1d, batchnorm2d, batchnorm3d, instancenorm, groupnorm, layernorm, rmsnorm

  /// Names in any case: `groupnorm`, `GroupNorm`.
  init?(argument: String) { self.init(rawValue: argument.lowercased()) }

  /// Whether the layer has channels, at axis 1.
  var hasChannels: Bool { self != .layernorm && self != .rmsnorm }

  /// The numbers of axes that the layer takes.
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

/// A layer as the command's options describe it.
struct ExplainLayer {
  let kind: LayerKind
  /// nil for the layer's own default.
  let eps: Double?
  let groups: Int
  /// How many of the last axes layer and RMS norm take together.
  let lastAxes: Int
  /// Of batch norm; nil for PyTorch's.
  var momentum: Momentum?
  var weight: Tensor?
  var bias: Tensor?

  /// Refuses shapes that the layer does not take.
  func check(_ shape: [Int]) throws {
    guard kind.ranks.contains(shape.count), shape.count >= lastAxes else {
      throw DataError("\(kind.rawValue) does not take data of shape \(shape); see --layout")
    }
    if kind == .groupnorm, shape[1] % groups != 0 {
      throw DataError("\(shape[1]) channels do not divide into \(groups) groups; see --groups")
    }
    let parameters = parameterShape(shape)
    let count = parameters.reduce(1, *)
    for (name, tensor) in [("--weight", weight), ("--bias", bias)] {
      guard let tensor, tensor.count != count else { continue }
      throw DataError("\(name) has \(tensor.count) numbers, the layer's has shape \(parameters)")
    }
  }

  private func parameterShape(_ shape: [Int]) -> [Int] {
    kind.hasChannels ? [shape[1]] : Array(shape.suffix(lastAxes))
  }

  /// What the layer says to a result.
  func explain(_ x: Tensor, expecting expected: Tensor?, from origin: Tensor?) throws
    -> Explanation
  {
    try catchingTensorErrors {
      switch made(for: x.shape) {
      case let layer as BatchNorm: layer.explain(x, expecting: expected, from: origin)
      case let layer as InstanceNorm: layer.explain(x, expecting: expected, from: origin)
      case let layer as GroupNorm: layer.explain(x, expecting: expected, from: origin)
      case let layer as LayerNorm: layer.explain(x, expecting: expected, from: origin)
      case let layer as RMSNorm: layer.explain(x, expecting: expected, from: origin)
      default: throw DataError("\(kind.rawValue) cannot be explained")
      }
    }
  }

  /// The layer for data of a shape.
  func made(for shape: [Int]) -> any Layer {
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
      let layer: InstanceNorm =
        switch shape.count {
        case 3: InstanceNorm1d(shape[1], eps: eps, affine: affine)
        case 4: InstanceNorm2d(shape[1], eps: eps, affine: affine)
        default: InstanceNorm3d(shape[1], eps: eps, affine: affine)
        }
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

  /// The layer's formula with another divisor than n, everything else the same.
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
