import CNormaLoops
import NormaValues
import Synchronization

/// Reductions of one tensor over the same axes: when one is needed, all that are pending run in the
/// same pass over memory.
final class ReductionGroup: Sendable {
  /// A result of a pass, in the type in which it is computed.
  enum Result: Int, CaseIterable, Sendable {
    /// The sum, in `float64` or `int64`.
    case sum
    /// The sum of squared distances from the mean, in `float64`.
    case squares
    case minimum, maximum
    /// The product, in `float64` or `int64`.
    case product
    /// The sum of the companion, in `float64`.
    case companionSum
    /// The sum of (source - center) * companion, in `float64`.
    case centeredSum
    /// Moments of the source with the companion as weights, in `float64`: the mean, the sum of
    /// squared distances from it, and the sum of the weights. Any of them computes all three.
    case weightedMean, weightedSquares, weightedCount

    /// Whether this depends only on the source, so that other programs may finish it.
    var isOfSource: Bool { rawValue < Result.companionSum.rawValue }

    var isWeighted: Bool { rawValue >= Result.weightedMean.rawValue }
  }

  private struct Weak: Sendable {
    weak var node: Node?
  }

  /// A value for each of some results. There are few, and a dictionary would cost more than they
  /// do.
  struct ByResult<Value> {
    private var values: [Value?] = Array(repeating: nil, count: Result.allCases.count)

    subscript(result: Result) -> Value? {
      get { values[result.rawValue] }
      set { values[result.rawValue] = newValue }
    }

    var all: [Value] { values.compactMap { $0 } }
  }

  let source: Tensor
  /// Real values of the source's shape, computed from it, that are summed in the same pass.
  let companion: Tensor?
  /// A `float64` mean for each result, broadcast to the source's shape.
  let center: Tensor?
  let axes: [Int]
  /// The shape with reduced axes kept as 1, in the source's memory order.
  let layout: Layout
  private let wanted = Mutex(ByResult<Weak>())

  init(
    source: Tensor, companion: Tensor? = nil, center: Tensor? = nil, axes: [Int]
  ) {
    self.source = source
    self.companion = companion
    self.center = center
    self.axes = axes
    for read in [source, companion] { read?.node.keep() }
    let shape = Shape.reduced(source.layout.shape, over: axes, keepDims: true)
    layout = Layout.dense(
      shape, order: Layout.order(source.layout.shape, source.layout.strides))
  }

  /// The pending tensor of a result; reduced axes have size 1.
  func tensor(_ result: Result) -> Tensor {
    let node = wanted.withLock { wanted in
      if let node = wanted[result]?.node { return node }
      let node = Node(
        .reduction(self, result), dtype: dtype(result), layout: layout,
        cost: 0,
        depth: [source, companion, center].reduce(0) { max($0, $1?.node.depth ?? 0) }
          + Limits.reductionDepth)
      wanted[result] = Weak(node: node)
      return node
    }
    return Tensor(node: node, layout: layout)
  }

  /// The nodes that are still needed.
  func pendingNodes() -> [(Result, Node)] {
    wanted.withLock { wanted in
      Result.allCases.compactMap { result in
        guard let node = wanted[result]?.node, node.isPending else { return nil }
        return (result, node)
      }
    }
  }

  func dtype(_ result: Result) -> DType {
    switch result {
    case .sum, .product: source.dtype.isFloatingPoint ? .float64 : .int64
    case .squares, .companionSum, .centeredSum, .weightedMean, .weightedSquares, .weightedCount:
      .float64
    case .minimum, .maximum: BlockType(source.dtype).dtype
    }
  }

  /// The values of a program that are reduced.
  struct Values {
    let source: Int
    let companion: Int?
    let center: Int?
  }

  /// A program of the source and, if needed, its companion.
  func evaluation(for wanted: [Result]) -> (Evaluation, Values) {
    var evaluation = Evaluation(shape: source.shape)
    let isCentered = wanted.contains(.centeredSum)
    var second: Int?
    if let companion, !wanted.allSatisfy(\.isOfSource) {
      second = evaluation.value(of: companion)
    }
    // Only the companion may be needed.
    let value =
      wanted == [.companionSum] ? second ?? 0 : evaluation.value(of: source)
    let third = isCentered ? center.map { evaluation.value(of: $0) } : nil
    return (evaluation, Values(source: value, companion: second, center: third))
  }

  /// The cost of a program with the group's values.
  var cost: Int { source.node.cost + (companion?.node.cost ?? 0) }

  /// The number of elements per result.
  var countPerResult: Int { source.countPerResult(axes) }
}
