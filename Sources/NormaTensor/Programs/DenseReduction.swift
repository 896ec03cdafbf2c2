import CNormaLoops
import NormaKernels
import NormaValues

/// A reduction of stored elements without gaps over their first or their last axes, without a program: the
/// tiles that a program would have in the same order, so that the bits are the same.
struct DenseReduction {
  private let source: Tensor
  private let byColumn: Bool
  private let (rows, columns): (Int, Int)
  private let tileRows: Int

  /// - Returns: nil where that takes a program.
  init?(_ source: Tensor, over axes: [Int]) {
    let layout = source.layout
    guard layout.isContiguous, layout.count > 0, !source.dtype.isNarrow, let first = axes.first,
      let last = axes.last
    else { return nil }
    let reduced = source.countPerResult(axes)
    let kept = layout.count / reduced
    guard reduced > 1 else { return nil }
    self.source = source
    if axes.count == source.rank - first || kept == 1 {
      guard !Space.isDown(run: reduced, beside: kept) else { return nil }
      byColumn = false
      (rows, columns, tileRows) = (kept, reduced, 1)
    } else if last == axes.count - 1 {
      byColumn = true
      (rows, columns) = (reduced, kept)
      tileRows = Space.downTile(rows: reduced, columns: kept).rows
    } else {
      return nil
    }
  }

  /// How many results there are.
  var resultCount: Int { byColumn ? columns : rows }

  /// Whether `result` can be given so: squares want a tile in the first-level cache, and those of `float64`
  /// what sums have lost.
  func gives(_ result: ReductionGroup.Result) -> Bool {
    guard result == .squares else { return true }
    if byColumn { return columns <= 256 && rows <= tileRows }
    return source.dtype != .float64 || columns <= Space.block * CompiledProgram.chunk
  }

  /// Gives `result` in the type in which it is carried; a centred sum is measured from zero. Squares come
  /// beside `sums`. False where memory was missing.
  func run(
    _ result: ReductionGroup.Result, with companion: Tensor? = nil,
    into target: UnsafeMutableRawPointer, sums: UnsafeMutableRawPointer? = nil, threads: Int
  ) -> Bool {
    let (values, factors) = (source.node.materialize(), companion?.node.materialize())
    if values.isMissing || factors?.isMissing ?? false { return false }
    let bytes = source.dtype.byteCount
    var form = norma_dense_reduction(
      kind: Int32(result.kind.rawValue), type: BlockType(source.dtype).rawValue,
      by_column: byColumn ? 1 : 0, rows: Int64(rows), columns: Int64(columns),
      tile_rows: Int64(tileRows), tile_columns: Int64(byColumn ? strip(threads) : Space.block),
      chunk: Int64(CompiledProgram.chunk), values: values.base + source.layout.offset * bytes,
      companion: nil, result: sums ?? target,
      squares: sums == nil ? nil : target.assumingMemoryBound(to: Double.self), partial: nil,
      partial_squares: nil)
    if let companion, let factors {
      form.companion = UnsafeRawPointer(factors.base + companion.layout.offset * bytes)
    }
    let chunks = Int(norma_dense_chunks(&form))
    let room =
      chunks > 1
      ? Storage.scratchOrReport(byteCount: 2 * chunks * resultCount * 8, of: source.shape) : nil
    if chunks > 1 && room == nil { return false }
    if let room {
      form.partial = room.base
      let squares = room.base + chunks * resultCount * 8
      if sums != nil { form.partial_squares = squares.assumingMemoryBound(to: Double.self) }
    }
    ExecutionLog.add(
      ExecutionPlan.Step(
        .denseReduction, ["\(result)"], over: source.shape,
        reads: source.touchedBytes + (companion?.touchedBytes ?? 0),
        writes: resultCount * 8 * (sums == nil ? 1 : 2)))
    withExtendedLifetime((values, factors, room)) {
      withUnsafePointer(to: form) { form in
        let units = Int(norma_dense_units(form))
        split(units, work: rows * columns, threads: threads) { begin, end in
          norma_reduce_dense(form, begin, end)
        }
        norma_merge_dense(form)
      }
    }
    return true
  }

  /// The columns that are reduced side by side: along long runs of memory, and the same for all threads.
  private func strip(_ threads: Int) -> Int {
    let strips = (columns + Space.block - 1) / Space.block
    let even = (strips + threads - 1) / threads * threads
    return min(max((columns + even - 1) / even + 15, 256) & ~15, Space.block)
  }
}

extension ReductionGroup.Result {
  /// How programs know the reduction.
  var kind: norma_reduction_kind {
    switch self {
    case .sum, .companionSum: NORMA_SUM
    case .squares: NORMA_MOMENTS
    case .minimum: NORMA_REDUCE_MINIMUM
    case .maximum: NORMA_REDUCE_MAXIMUM
    case .product: NORMA_PRODUCT
    case .centeredSum: NORMA_CENTERED_SUM
    }
  }
}

// MARK: - Few elements

extension Tensor {
  /// A reduction of few elements, which runs when it is called: recording it would take longer.
  ///
  /// - Parameters:
  ///   - axes: sorted, from the front.
  ///   - divisor: what a result in `float64` is divided by.
  ///   - isRoot: whether the result is the root of that.
  ///   - companion: for a sum of products with what lies as this tensor does.
  /// - Returns: nil where there are many elements, or where that takes a program.
  func reducedAtOnce(
    _ result: ReductionGroup.Result, over axes: [Int], keepDims: Bool, to type: DType,
    divisor: Double = 1, isRoot: Bool = false, with companion: Tensor? = nil
  ) -> Tensor? {
    guard layout.count <= Tensor.fewToReduce, let reduction = DenseReduction(self, over: axes),
      reduction.gives(result)
    else { return nil }
    let count = reduction.resultCount
    guard let storage = Storage.scratchOrReport(byteCount: count * type.byteCount, of: layout.shape)
    else { return nil }
    var hasRun = false
    if type.isFloatingPoint && result != .minimum && result != .maximum {
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * count) { wide in
        guard let results = wide.baseAddress else { return }
        hasRun = reduction.run(
          result, with: companion, into: results, sums: result == .squares ? results + count : nil,
          threads: 1)
        norma_finish_reduction(
          results, Int64(count), divisor, isRoot ? 1 : 0, type.stored, storage.base)
      }
    } else {
      hasRun = reduction.run(result, into: storage.base, threads: 1)
    }
    if !hasRun { return .poisoned }
    let layout = Layout(
      contiguous: Shape.reduced(layout.shape, over: axes, keepDims: keepDims))
    return Tensor(node: Node(stored: storage, dtype: type, layout: layout), layout: layout)
  }

  /// More elements are worth a program, and threads.
  private static let fewToReduce = 1 << 15
}
