import NormaKernels
import NormaValues

// Counts and histograms.

extension Tensor {
  /// The number of occurrences of each integer from 0 on, or the sum of the weights of its
  /// elements.
  ///
  /// - Parameters:
  ///   - weights: one for each element; the result is then `float32` for `float32` weights and
  ///     `float64` for others.
  ///   - minLength: the minimum length of the result, which otherwise ends with the largest
  ///     integer.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Types: non-negative integers with one axis. No gradient. Sums in `float64`, in order.
  /// - Cost: two passes; copies as `int64` and, for weights, as `float64` if they have other types
  ///   or gaps: at most 16 bytes per element.
  /// - PyTorch: `torch.bincount`.
  public func binCount(
    weights: Tensor? = nil, minLength: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "binCount(weights:minLength:)"
      if isPoisoned || weights?.isPoisoned ?? false { return .poisoned }
      guard rank == 1, dtype.isInteger else {
        throw TensorError(call, "expected integers with one axis, got \(dtype) \(shape)")
      }
      try demand(minLength >= 0, call, "minLength must not be negative, got \(minLength)")
      if let weights, weights.shape != shape {
        throw TensorError(call, "weights of shape \(weights.shape) for elements of \(shape)")
      }
      let numbers = asPositions.contiguous()
      let storage = numbers.node.materialize()
      if storage.isMissing { return .poisoned }
      defer { withExtendedLifetime(storage) {} }
      ExecutionLog.add(.counting, "count", [numbers], into: [0], .int64)
      let counted = NumberCounts(
        .int64, count, storage.base + numbers.layout.offset * 8, threads: TensorThreads.count)
      let range = count == 0 ? nil : counted.range
      let (low, high) = (range?.lowerBound ?? 0, range?.upperBound ?? -1)
      guard low >= 0 else { throw TensorError(call, "\(low) is negative and has no bin") }
      guard high < Int.max else {
        throw TensorError(call, "\(high) needs more bins than there are")
      }
      let length = try Shape.count([Swift.max(high + 1, minLength)], call: call)
      guard let weights else {
        return Tensor(shape: [length], dtype: .int64) { bytes in
          bytes.initializeMemory(as: UInt8.self, repeating: 0)
          guard let to = bytes.baseAddress, count > 0 else { return }
          counted.add(from: 0, to: to.assumingMemoryBound(to: Int64.self))
        }
      }
      let sums = Tensor(shape: [length], dtype: .float64) { bytes in
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        guard let to = bytes.baseAddress else { return }
        weights.detached().cast(to: .float64).withUnsafeBytes { weights in
          guard let weights = weights.bindMemory(to: Double.self).baseAddress else { return }
          counted.add(weights, to: to.assumingMemoryBound(to: Double.self))
        }
      }
      return weights.dtype == .float32 ? sums.cast(to: .float32) : sums
    }
  }

  /// The number of elements in each of `bins` bins of equal width from `min` to `max`, in this
  /// tensor's type.
  ///
  /// If `min` equals `max`, the range is that of the elements, extended by one on both sides if
  /// that is empty. Elements outside, and NaN, are not counted. The bin is found by a division in
  /// the type of the elements, so an element next to an edge counts as if it were on it. No
  /// gradient. Cost: one pass, 8 bytes per bin for each thread, and a copy of half types and of
  /// tensors with gaps.
  /// PyTorch: `torch.histc`; see ``histogram(bins:range:weights:density:file:line:)`` for edges and
  /// weights.
  public func histc(
    bins: Int = 100, min low: Double = 0, max high: Double = 0, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "histc(bins:min:max:)"
      let range = try binRange(bins, low == high ? nil : (low, high), beside: 1, call)
      let counts = try binned(edges(bins, range), isUniform: true, isExact: false, nil, call)
      return Tensor(counts).cast(to: dtype)
    }
  }

  /// The number, or the total weight, of the elements in bins of equal width.
  ///
  /// - Parameters:
  ///   - bins: the number of bins.
  ///   - range: from the first edge to the last; that of the elements if nil, extended by 0.5 on
  ///     both sides if that is empty.
  ///   - weights: one for each element, of this shape.
  ///   - density: whether results are divided by their sum and the bins' widths, so that their
  ///     integral is 1.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Returns: `counts` and the `bins + 1` edges, in this tensor's type. A bin includes its lower
  ///   edge; the last includes both. Elements outside, and NaN, are not counted.
  /// - No gradient. Sums in `float64`, weights in order.
  /// - Cost: one pass, 24 bytes per bin and 8 more for each thread, a copy of half types and of
  ///   tensors with gaps, and one of weights in `float64` if they have another type.
  /// - PyTorch: `torch.histogram`.
  public func histogram(
    bins: Int, range: ClosedRange<Double>? = nil, weights: Tensor? = nil, density: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> (counts: Tensor, edges: Tensor) {
    if isPoisoned || weights?.isPoisoned ?? false { return (.poisoned, .poisoned) }
    let call = "histogram(bins:)"
    return histogram(density, call, file, line) { () throws(TensorError) in
      let range = try binRange(
        bins, range.map { ($0.lowerBound, $0.upperBound) }, beside: 0.5, call)
      let edges = edges(bins, range)
      return (try binned(edges, isUniform: true, isExact: true, weights, call), edges)
    }
  }

  /// The same with given edges, in ascending order.
  public func histogram(
    edges: Tensor, weights: Tensor? = nil, density: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (counts: Tensor, edges: Tensor) {
    if isPoisoned || edges.isPoisoned || weights?.isPoisoned ?? false {
      return (.poisoned, .poisoned)
    }
    let call = "histogram(edges:)"
    return histogram(density, call, file, line) { () throws(TensorError) in
      let own = edges.detached().cast(to: dtype)
      guard edges.rank == 1, edges.count >= 2, own.isAscending else {
        throw TensorError(
          call, "expected at least two edges in ascending order, got shape \(edges.shape)")
      }
      return (try binned(own, isUniform: false, isExact: true, weights, call), own)
    }
  }

  private func histogram(
    _ density: Bool, _ call: String, _ file: StaticString, _ line: UInt,
    _ body: () throws(TensorError) -> ([Double], Tensor)
  ) -> (counts: Tensor, edges: Tensor) {
    checked(
      file: file, line: line, call: call, else: (.poisoned, .poisoned)
    ) { () throws(TensorError) in
      let (sums, edges) = try body()
      let counts = Tensor(sums, dtype: .float64)
      if !density { return (counts.cast(to: dtype), edges) }
      let widths = edges.cast(to: .float64).difference()
      return ((counts / counts.sum() / widths).cast(to: dtype), edges)
    }
  }

  /// Whether every element of a vector is at least the one before it, and none is NaN.
  private var isAscending: Bool {
    let lower = narrowed(over: 0, from: 0, count: count - 1)
    return (narrowed(over: 0, from: 1, count: count - 1) .>= lower).all().item() != 0
  }

  /// The first and the last edge.
  private func binRange(
    _ bins: Int, _ given: (low: Double, high: Double)?, beside margin: Double, _ call: String
  ) throws(TensorError) -> (low: Double, high: Double) {
    try requireReal(call)
    guard bins > 0 else { throw TensorError(call, "bins must be at least 1, got \(bins)") }
    try Shape.room([bins], .float64, call: call)
    var (low, high) = given ?? (0, 0)
    if given == nil && count > 0 { (low, high) = (self.min().item(), self.max().item()) }
    guard low.isFinite, high.isFinite else {
      throw TensorError(call, "the range from \(low) to \(high) is not finite; pass another")
    }
    guard low <= high else { throw TensorError(call, "the range from \(low) to \(high) is empty") }
    guard (high - low).isFinite else {
      throw TensorError(call, "the range from \(low) to \(high) is wider than float64 can hold")
    }
    return low < high ? (low, high) : (low - margin, high + margin)
  }

  private func edges(_ bins: Int, _ range: (low: Double, high: Double)) -> Tensor {
    .linspace(range.low, range.high, count: bins + 1, dtype: dtype)
  }

  private func binned(
    _ edges: Tensor, isUniform: Bool, isExact: Bool, _ weights: Tensor?, _ call: String
  ) throws(TensorError) -> [Double] {
    try requireReal(call)
    if let weights, weights.shape != shape {
      throw TensorError(call, "weights of shape \(weights.shape) for elements of \(shape)")
    }
    let type: DType = dtype == .float64 ? .float64 : .float32
    let edges = edges.array(of: Double.self)
    let shares = weights?.detached().cast(to: .float64).contiguous().evaluated()
    if shares?.isPoisoned ?? false { return [Double](repeating: 0, count: edges.count - 1) }
    return detached().cast(to: type).withUnsafeBytes { x in
      guard let x = x.baseAddress, count > 0 else {
        return [Double](repeating: 0, count: edges.count - 1)
      }
      ExecutionLog.add(.counting, "histogram", [self], into: [edges.count - 1], .float64)
      func run(_ weights: UnsafePointer<Double>?) -> [Double] {
        RowSearch.histogram(
          type, count: count, x, weights: weights, edges: edges, isUniform: isUniform,
          isExact: isExact, threads: TensorThreads.count)
      }
      guard let shares else { return run(nil) }
      return shares.withUnsafeBuffer(of: Double.self) { run($0.baseAddress) }
    }
  }
}
