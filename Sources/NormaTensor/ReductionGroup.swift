import CNormaLoops
import NormaKernels
import Synchronization

/// Reductions of one tensor over the same axes: whichever is needed first, all that are still
/// wanted run in the same trip over memory.
final class ReductionGroup: Sendable {
  /// What a trip can give, in the type in which it is carried.
  enum Result: Int, CaseIterable, Sendable {
    /// The sum, in `float64` or `int64`.
    case sum
    /// The sum of squared distances from the mean, in `float64`.
    case squares
    case minimum, maximum
    /// The sum of the companion, in `float64`.
    case companionSum
  }

  private struct Weak: Sendable {
    weak var node: Node?
  }

  let source: Tensor
  /// Real values of the source's shape, computed from it, that are summed in the same trip.
  let companion: Tensor?
  let axes: [Int]
  /// The shape with the reduced axes kept as 1, in the source's order of memory.
  let layout: Layout
  private let wanted = Mutex<[Result: Weak]>([:])

  init(source: Tensor, companion: Tensor? = nil, axes: [Int]) {
    self.source = source
    self.companion = companion
    self.axes = axes
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
        cost: 0, depth: max(source.node.depth, companion?.node.depth ?? 0) + Program.reductionDepth)
      wanted[result] = Weak(node: node)
      return node
    }
    return Tensor(node: node, layout: layout)
  }

  /// The nodes that somebody still waits for.
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
    case .sum: source.dtype.isFloatingPoint ? .float64 : .int64
    case .squares, .companionSum: .float64
    case .minimum, .maximum:
      source.dtype.isHalf ? .float32 : source.dtype == .bool ? .uint8 : source.dtype
    }
  }

  /// The values of a program that are reduced.
  struct Values {
    let source: Int
    let companion: Int?
  }

  /// A program of the source and, where it is wanted, its companion.
  func evaluation(for wanted: [Result]) -> (Evaluation, Values) {
    var evaluation = Evaluation(shape: source.shape)
    let value = evaluation.value(of: source)
    var second: Int?
    if wanted.contains(.companionSum), let companion {
      second = evaluation.value(of: companion)
    }
    return (evaluation, Values(source: value, companion: second))
  }

  /// How many elements one result stands for.
  var countPerResult: Int {
    axes.reduce(1) { $0 * source.layout.shape[$1] }
  }
}
