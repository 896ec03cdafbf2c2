import CNormaLoops
import NormaKernels

/// A normalization by a `float32` tensor's own statistics whose groups are contiguous in memory, so
/// that a kernel can process them one after the other.
///
/// Used for small tensors, for which laying out a program takes longer than running it; for rows
/// that stay in cache, which a program would run one by one; and for gradients of any size if
/// groups are rows: x and the upstream gradient are then read once.
struct NormalizedGroups {
  let kernel: GroupNormalization
  let x: Tensor
  let weight: Tensor?, bias: Tensor?

  /// Nil if the groups are not contiguous. `axes` are sorted; weight and bias have the rank of x.
  init?(_ x: Tensor, over axes: [Int], weight: Tensor?, bias: Tensor?) {
    guard x.dtype == .float32, x.layout.isContiguous, x.count > 0, let first = axes.first,
      let shape = Parameters(weight, bias, of: x)
    else { return nil }
    func size(_ range: Range<Int>) -> Int { range.reduce(1) { $0 * x.layout.shape[$1] } }
    let rank = x.rank
    let inner = shape.range.map { size($0.upperBound..<rank) } ?? x.count
    let period = shape.range.map(size) ?? 1
    if axes.count == rank - first {
      let length = size(first..<rank)
      if inner == 1 && length > 1 {
        guard weight != nil, period == length else { return nil }
      } else {
        guard min(inner, length) >= GroupNormalization.shortestRun else { return nil }
      }
      kernel = GroupNormalization(
        groups: size(0..<first), length: length, inner: inner, period: period)
    } else {
      // The kept axes are in the middle, with reduced ones before and after them.
      guard let kept = (0..<rank).first(where: { !axes.contains($0) }),
        let rest = axes.firstIndex(where: { $0 > kept }).map({ axes[$0] }),
        axes == Array(0..<kept) + Array(rest..<rank)
      else { return nil }
      let length = size(rest..<rank)
      guard min(inner, length) >= GroupNormalization.shortestRun else { return nil }
      kernel = GroupNormalization(
        groups: size(kept..<rest), pieces: size(0..<kept), length: length, inner: inner,
        period: period)
    }
    (self.x, self.weight, self.bias) = (x, weight, bias)
  }

  /// Whether the kernel is faster than a program, and computes sums in the same order.
  var runAtOnce: Bool {
    x.count <= Limits.smallNormalization
      || hasRowsForAll && x.count < Limits.normalizedInRows
        && NormalizedGroups.oneChunk.contains(kernel.valuesPerGroup)
  }

  /// Sizes of rows that are reduced in one chunk of tiles.
  private static let oneChunk = 16...(CompiledProgram.chunk * Space.block)

  /// The normalized tensor and its statistics, computed eagerly.
  func normalized(
    from origin: NormalizationOrigin, eps: Double, over axes: [Int]
  ) -> (output: Tensor, statistics: NormalizationStatistics)? {
    let count = kernel.count
    guard let pack = Tensor.Pack(count: count, of: 3, dtype: .float64) else { return nil }
    let layout = Layout(contiguous: x.shape)
    guard let result = Storage.roomOrReport(layout, .float32) else { return nil }
    var memory = [x.memory(), .writes(result), .writes(pack.storage)]
    if let weight { memory.append(weight.memory()) }
    if let bias { memory.append(bias.memory()) }
    ExecutionLog.add(
      .groups, "normalize", [x, weight, bias].compactMap { $0 }, into: x.shape, .float32)
    let first = weight == nil ? 0 : 3
    let second = bias == nil ? 0 : memory.count - 1
    let (kernel, threads) = (kernel, TensorThreads.count)
    _ = KernelRecorder.run(memory) { at in
      let numbers = at[2].assumingMemoryBound(to: Double.self)
      func values(_ index: Int) -> UnsafePointer<Float>? {
        index == 0 ? nil : UnsafePointer(at[index].assumingMemoryBound(to: Float.self))
      }
      kernel.run(
        norma_group_parameters(
          weight: values(first), bias: values(second), eps: eps,
          from_zero: origin == .zero ? 1 : 0),
        x: at[0], y: at[1], mean: numbers, squares: numbers + count,
        variance: numbers + 2 * count, threads: threads)
      return true
    }
    let output = Tensor(stored: result, .float32, layout)
    let tensors = pack.tensors(
      like: Layout(contiguous: Shape.reduced(x.shape, over: axes, keepDims: true)))
    return (
      output,
      NormalizationStatistics(
        mean: tensors[0], squares: tensors[1], count: kernel.valuesPerGroup, variance: tensors[2])
    )
  }

  /// Whether groups are rows, of which all threads have some.
  var hasRowsForAll: Bool { kernel.isRows && kernel.count >= 2 * TensorThreads.count }
}

extension NormalizedGroups {
  /// The adjacent axes along which weight and bias vary; they have to agree.
  private struct Parameters {
    /// Nil if each is a single number.
    var range: Range<Int>?

    init?(_ weight: Tensor?, _ bias: Tensor?, of x: Tensor) {
      guard let shape = (weight ?? bias)?.layout.shape else { return }
      for case let parameter? in [weight, bias] {
        guard parameter.dtype == .float32, parameter.layout.isContiguous, !parameter.isPoisoned,
          parameter.layout.shape == shape
        else { return nil }
      }
      guard shape.count == x.rank else { return nil }
      guard let first = shape.firstIndex(where: { $0 != 1 }),
        let last = shape.lastIndex(where: { $0 != 1 })
      else { return }
      guard shape[first...last] == x.layout.shape[first...last] else { return nil }
      range = first..<(last + 1)
    }
  }
}
