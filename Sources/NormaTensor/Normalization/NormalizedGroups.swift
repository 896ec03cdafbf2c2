import NormaKernels

/// A normalization by a `float32` tensor's own statistics whose groups are contiguous in memory, so
/// that a kernel can process them one after the other.
///
/// Used for small tensors, for which laying out a program takes longer than running it; for rows
/// that stay in cache, which a program would run one by one; and for gradients of any size if
/// groups are rows: x and the upstream gradient are then read once.
struct NormalizedGroups {
  private let kernel: GroupNormalization
  private let x: Tensor
  private let weight: Tensor?, bias: Tensor?

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
        rows: size(0..<first), length: length, inner: inner, period: period)
    } else {
      // The kept axes are in the middle, with reduced ones before and after them.
      guard let kept = (0..<rank).first(where: { !axes.contains($0) }),
        let rest = axes.firstIndex(where: { $0 > kept }).map({ axes[$0] }),
        axes == Array(0..<kept) + Array(rest..<rank)
      else { return nil }
      let length = size(rest..<rank)
      guard min(inner, length) >= GroupNormalization.shortestRun else { return nil }
      kernel = GroupNormalization(
        channels: size(kept..<rest), pieces: size(0..<kept), length: length, inner: inner,
        period: period)
    }
    (self.x, self.weight, self.bias) = (x, weight, bias)
  }

  /// Whether the kernel is faster than a program, and computes sums in the same order.
  var runAtOnce: Bool {
    x.count <= Limits.smallNormalization
      || kernel.isRows && isWorthwhile && x.count < Limits.normalizedInRows
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
    let storages = (x.node.materialize(), weight?.node.materialize(), bias?.node.materialize())
    note("normalize", [x, weight, bias])
    let layout = Layout(contiguous: x.shape)
    guard let result = Storage.roomOrReport(layout, .float32) else { return nil }
    let (kernel, hasWeight, hasBias) = (kernel, weight != nil, bias != nil)
    let threads = TensorThreads.count
    var memory: [KernelMemory] = [
      .reads(x, in: storages.0), .writes(result), .writes(pack.storage),
    ]
    if let weight, let storage = storages.1 { memory.append(.reads(weight, in: storage)) }
    if let bias, let storage = storages.2 { memory.append(.reads(bias, in: storage)) }
    _ = KernelRecorder.run(memory) { at in
      let numbers = at[2].assumingMemoryBound(to: Double.self)
      kernel.run(
        GroupNormalization.Parameters(
          weight: hasWeight ? UnsafeRawPointer(at[3]) : nil,
          bias: hasBias ? UnsafeRawPointer(at[hasWeight ? 4 : 3]) : nil,
          epsilon: eps, fromZero: origin == .zero), x: at[0], y: at[1],
        mean: numbers, squares: numbers + count, variance: numbers + 2 * count, threads: threads)
      return true
    }
    let output = Tensor(node: Node(stored: result, dtype: .float32, layout: layout), layout: layout)
    let tensors = pack.tensors(
      like: Layout(contiguous: Shape.reduced(x.shape, over: axes, keepDims: true)))
    return (
      output,
      NormalizationStatistics(
        mean: tensors[0], squares: tensors[1], count: kernel.valuesPerGroup, variance: tensors[2])
    )
  }

  private func note(_ operation: String, _ operands: [Tensor?]) {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .groups, [operation], over: x.shape,
        reads: operands.reduce(0) { $0 + ($1?.touchedBytes ?? 0) }, writes: x.count * 4))
  }

  /// Whether there are enough groups for all threads.
  private var isWorthwhile: Bool {
    x.count <= Limits.smallNormalization || kernel.count >= 2 * TensorThreads.count
  }

  private func parameters(
    _ weight: Storage?, _ bias: Storage?, _ eps: Double, _ origin: NormalizationOrigin
  ) -> GroupNormalization.Parameters {
    GroupNormalization.Parameters(
      weight: weight.flatMap { storage in self.weight.map { base($0, storage) } },
      bias: bias.flatMap { storage in self.bias.map { base($0, storage) } },
      epsilon: eps, fromZero: origin == .zero)
  }

  private func base(_ tensor: Tensor, _ storage: Storage) -> UnsafeRawPointer {
    UnsafeRawPointer(storage.base + tensor.layout.offset * tensor.dtype.byteCount)
  }
}

extension NormalizedGroups {
  /// The adjacent axes along which weight and bias vary; they have to agree.
  private struct Parameters {
    /// Nil if each is a single number.
    let range: Range<Int>?

    init?(_ weight: Tensor?, _ bias: Tensor?, of x: Tensor) {
      guard let one = weight ?? bias else {
        range = nil
        return
      }
      for parameter in [weight, bias] {
        guard let parameter else { continue }
        guard parameter.dtype == .float32, parameter.layout.isContiguous, !parameter.isPoisoned,
          parameter.layout.shape == one.layout.shape
        else { return nil }
      }
      let shape = one.layout.shape
      guard shape.count == x.rank else { return nil }
      guard let first = shape.firstIndex(where: { $0 != 1 }),
        let last = shape.lastIndex(where: { $0 != 1 })
      else {
        range = nil
        return
      }
      guard shape[first...last] == x.layout.shape[first...last] else { return nil }
      range = first..<(last + 1)
    }
  }
}

extension NormalizationGradient {
  /// The gradients if groups are contiguous and each parameter belongs to a run of values: dx,
  /// dweight and dbias, eagerly, group by group in cache. Nil otherwise.
  static func ofGroups(
    _ rule: Backward, eps: Double, weight: Tensor?, own: OwnStatistics?
  ) -> NormalizationGradients? {
    // Without a weight, the shape of the bias is unknown here.
    guard let own, weight != nil || !rule.needs(1) else { return nil }
    let groups = NormalizedGroups(
      rule.saved[0].detached(), over: own.axes, weight: weight?.detached(), bias: nil)
    return groups?.gradients(rule, eps: eps, from: own.origin)
  }
}

extension NormalizedGroups {
  fileprivate func gradients(
    _ rule: Backward, eps: Double, from origin: NormalizationOrigin
  ) -> NormalizationGradients? {
    let upstream = rule.upstream.detached()
    let statistics = rule.saved[1...2].map { $0.detached() }
    guard !kernel.hasRowOfParameters, upstream.dtype == .float32, upstream.layout.isContiguous,
      x.count <= Limits.smallNormalization || isWorthwhile && kernel.isRows,
      kernel.valuesPerGroup > 1,
      statistics.allSatisfy({ $0.dtype == .float64 && $0.layout.isContiguous })
    else { return nil }
    Tensor.evaluate([x, upstream] + statistics)
    let storages = (x.node.materialize(), upstream.node.materialize())
    let numbers = statistics.map { $0.node.materialize() }
    let doubles = zip(statistics, numbers).map {
      base($0, $1).assumingMemoryBound(to: Double.self)
    }
    let parameter = weight?.node.materialize()
    let room = Layout(contiguous: x.shape)
    let dx = rule.needs(0) ? (try? Storage.room(room, .float32, "")) : nil
    if rule.needs(0) && dx == nil { return nil }
    guard let sums = Storage.scratchOrReport(byteCount: kernel.sumBytes, of: x.shape),
      let pack = Tensor.Pack(count: kernel.parameterCount, of: 2, dtype: .float32)
    else { return nil }
    let results = pack.storage.base.assumingMemoryBound(to: Float.self)
    note("normalization gradient", [x, upstream, weight])
    withExtendedLifetime((storages, numbers, parameter)) {
      kernel.gradient(
        parameters(parameter, nil, eps, origin), x: base(x, storages.0),
        upstream: base(upstream, storages.1), mean: doubles[0], variance: doubles[1], dx: dx?.base,
        weight: results, bias: results + kernel.parameterCount,
        sums: sums.base.assumingMemoryBound(to: Double.self), threads: TensorThreads.count)
    }
    let tensors = pack.tensors(
      like: Layout(contiguous: weight?.shape ?? [Int](repeating: 1, count: x.rank)))
    let input = dx.map { storage in
      Tensor(node: Node(stored: storage, dtype: .float32, layout: room), layout: room)
    }
    return NormalizationGradients(input: input, weight: tensors[0], bias: tensors[1])
  }
}
