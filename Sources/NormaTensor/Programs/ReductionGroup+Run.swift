import CNormaLoops
import NormaValues

extension ReductionGroup {
  /// Runs all reductions that are still needed, in one pass over the source.
  func run() {
    let wanted = pendingNodes()
    guard !wanted.isEmpty else { return }
    let isLost = source.node.isPoisoned || companion?.node.isPoisoned ?? false
    guard !isLost, let results = Results(self, wanted.map(\.0)) else {
      for (_, node) in wanted { _ = isLost ? node.loseQuietly() : node.lose() }
      return
    }
    if source.count == 0 {
      results.clear()
    } else if !runProgram(results, wanted.map(\.0)) {
      for (_, node) in wanted { _ = node.loseQuietly() }
      return
    }
    for (result, node) in wanted { results.store(result, in: node) }
  }

  /// False if memory ran out, for the source or for the work.
  private func runProgram(_ results: Results, _ wanted: [Result]) -> Bool {
    let (evaluation, values) = evaluation(for: wanted)
    if evaluation.program.readsMissing { return false }
    if let compiled = compile(evaluation.program, values, results) { return compiled.run() }
    // The source cannot be divided as its layout requires: store it, and its companions in the same
    // memory order, then reduce the stored tensors.
    let stored = self.stored()
    let (again, storedValues) = stored.evaluation(for: wanted)
    if again.program.readsMissing { return false }
    guard let compiled = stored.compile(again.program, storedValues, results) else {
      fatalError("a stored tensor of shape \(source.shape) could not be reduced")
    }
    return compiled.run()
  }

  /// The same reductions of operands in memory, with the companion in the source's memory order.
  private func stored() -> ReductionGroup {
    _ = source.node.materialize()
    var second = companion?.evaluated()
    let order = Layout.order(source.layout.shape, source.layout.strides)
    let target = Layout.dense(source.shape, order: order)
    if let companion, companion.strides != target.strides {
      second = companion.copied(to: target).evaluated()
    }
    return ReductionGroup(
      source: source, companion: second, center: center, axes: axes)
  }

  /// The program of the source with the reductions at its end.
  func compile(_ program: Program, _ values: Values, _ results: Results) -> CompiledProgram? {
    let dependsOnOrder = results.dependOnOrder
    return CompiledProgram(
      program, by: .reduction(self, dependsOnOrder: dependsOnOrder),
      sinks: results.sinks(of: values)
    ) {
      let layouts = program.inputs.map(\.layout)
      let isKept = { (axis: Int) in !self.axes.contains(axis) }
      return dependsOnOrder
        ? Space.reduction(of: source.layout, layouts: layouts, isKept: isKept)
        : Space.unordered(of: source.layout, layouts: layouts, isKept: isKept)
    }
  }

  /// Memory for the results of one pass.
  struct Results {
    private let type: BlockType
    private let companionType: BlockType
    private let isFloatingPoint: Bool
    private var storages = ByResult<Storage>()

    /// - Returns: nil if the system has none.
    init?(_ group: ReductionGroup, _ wanted: [Result]) {
      type = BlockType(group.source.dtype)
      companionType = BlockType(group.companion?.dtype ?? .float32)
      isFloatingPoint = group.source.dtype.isFloatingPoint
      // Squares are computed together with sums.
      let isAlone = wanted.contains(.squares) && !wanted.contains(.sum)
      let weighted = wanted.contains(where: \.isWeighted) ? Result.weighted : []
      for result in wanted.filter({ !$0.isWeighted }) + weighted + (isAlone ? [.sum] : []) {
        guard let storage = try? Storage.room(group.layout, .float64, "") else { return nil }
        storages[result] = storage
      }
    }

    func storage(_ result: Result) -> Storage? { storages[result] }

    var dependOnOrder: Bool {
      isFloatingPoint
        && [Result.sum, .companionSum, .centeredSum, .product, .weightedMean]
          .contains { storages[$0] != nil }
    }

    func store(_ result: Result, in node: Node) {
      if let storage = storages[result] { node.store(storage) }
    }

    func clear() {
      for storage in storages.all {
        storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: storage.byteCount)
      }
      // The mean and the product of an empty tensor.
      if let means = storages[.weightedMean] {
        means.base.initializeMemory(as: Double.self, repeating: .nan, count: means.byteCount / 8)
      }
      guard let products = storages[.product] else { return }
      let count = products.byteCount / 8
      if isFloatingPoint {
        products.base.initializeMemory(as: Double.self, repeating: 1, count: count)
      } else {
        products.base.initializeMemory(as: Int64.self, repeating: 1, count: count)
      }
    }

    func sinks(of values: Values) -> [CompiledProgram.Sink] {
      var sinks: [CompiledProgram.Sink] = []
      let value = values.source
      if let companion = values.companion, let sum = storages[.companionSum] {
        sinks.append(
          CompiledProgram.Sink(
            value: companion, type: companionType, kind: NORMA_SUM, result: sum, squares: nil))
      }
      if let companion = values.companion, let center = values.center,
        let sum = storages[.centeredSum]
      {
        sinks.append(
          CompiledProgram.Sink(
            value: value, type: type, kind: NORMA_CENTERED_SUM, result: sum, squares: nil,
            companion: companion, center: center))
      }
      if let companion = values.companion, let mean = storages[.weightedMean] {
        var sink = CompiledProgram.Sink(
          value: value, type: type, kind: NORMA_WEIGHTED_MOMENTS, result: mean,
          squares: storages[.weightedSquares], companion: companion)
        sink.weights = storages[.weightedCount]
        sinks.append(sink)
      }
      if let sum = storages[.sum] {
        let squares = storages[.squares]
        sinks.append(
          CompiledProgram.Sink(
            value: value, type: type, kind: squares == nil ? NORMA_SUM : NORMA_MOMENTS,
            result: sum, squares: squares))
      }
      for (result, kind) in [
        (Result.minimum, NORMA_REDUCE_MINIMUM), (.maximum, NORMA_REDUCE_MAXIMUM),
        (.product, NORMA_PRODUCT),
      ] {
        if let storage = storages[result] {
          sinks.append(
            CompiledProgram.Sink(
              value: value, type: type, kind: kind, result: storage, squares: nil))
        }
      }
      return sinks
    }
  }
}

extension ReductionGroup.Result {
  fileprivate static let weighted: [Self] = [.weightedMean, .weightedSquares, .weightedCount]

  /// The kind of the reduction in programs.
  var kind: norma_reduction_kind {
    switch self {
    case .sum, .companionSum: NORMA_SUM
    case .squares: NORMA_MOMENTS
    case .minimum: NORMA_REDUCE_MINIMUM
    case .maximum: NORMA_REDUCE_MAXIMUM
    case .product: NORMA_PRODUCT
    case .centeredSum: NORMA_CENTERED_SUM
    case .weightedMean, .weightedSquares, .weightedCount: NORMA_WEIGHTED_MOMENTS
    }
  }
}

/// Reductions that run slice by slice together with a program that needs them, so that the source
/// is read from memory once: a normalization over all but the outermost axes in memory.
struct SlicedReductions {
  let group: ReductionGroup
  private let wanted: [(ReductionGroup.Result, Node)]
  private let results: ReductionGroup.Results
  private let compiled: CompiledProgram

  /// Whether the slices of a source stay in cache until a second program reads them.
  static func fits(
    _ source: Layout, over axes: [Int], _ dtype: DType, _ companion: DType? = nil
  ) -> Bool {
    let order = Layout.order(source.shape, source.strides)
    let dimensions = Space.merged(
      source.shape, order: order, layouts: [source], isKept: { !axes.contains($0) })
    guard let last = dimensions.last, !last.isKept, last.size >= 16 else { return false }
    // A slice of short, scattered runs costs more than a second pass in memory order.
    let runs = dimensions.count { !$0.isKept }
    guard runs == 1 || last.size >= Limits.longRun else { return false }
    let count = axes.reduce(1) { $0 * source.shape[$1] }
    let bytes = count * (dtype.byteCount + (companion?.byteCount ?? 0))
    return source.count / count >= 2 * TensorThreads.count && bytes <= Limits.largestSlice
  }

  /// - Returns: nil if the reductions do not fit a program of this shape.
  init?(_ group: ReductionGroup, for shape: [Int]) {
    guard group.source.shape == shape, group.source.count > 0,
      SlicedReductions.fits(
        group.source.layout, over: group.axes, group.source.dtype, group.companion?.dtype)
    else { return nil }
    self.group = group
    wanted = group.pendingNodes()
    guard let results = ReductionGroup.Results(group, wanted.map(\.0)) else { return nil }
    self.results = results
    let (evaluation, values) = group.evaluation(for: wanted.map(\.0))
    guard !wanted.isEmpty, let compiled = group.compile(evaluation.program, values, results)
    else { return nil }
    self.compiled = compiled
  }

  func storage(_ result: ReductionGroup.Result) -> Storage? { results.storage(result) }

  /// False if memory ran out.
  func run(before program: Program, _ output: CompiledProgram.Output) -> Bool {
    if compiled.readsMissing { return false }
    let shape = program.shape
    let second = CompiledProgram(program, by: .slices(group), outputs: [output]) {
      let order = Layout.order(shape, group.source.layout.strides)
      let kept = order.filter { !group.axes.contains($0) }
      let reduced = order.filter { group.axes.contains($0) }
      return Space.elementwise(
        shape, order: kept + reduced, layouts: program.inputs.map(\.layout) + [output.layout],
        isKept: { !group.axes.contains($0) })
    }
    guard let second, compiled.run(by: .slices, before: second) else { return false }
    for (result, node) in wanted { results.store(result, in: node) }
    return true
  }

  /// The group of all pending reductions below a small node; nil if there is none or more than one.
  static func group(below node: Node) -> ReductionGroup? {
    var found: ReductionGroup?
    var nodes = [node]
    while let node = nodes.popLast() {
      // A node with a correction is stored first.
      if !node.isPlain { return nil }
      switch node.content {
      case .stored, .pending(.convolution): continue
      case .pending(.reduction(let group, _)):
        if found != nil && found !== group { return nil }
        found = group
      case .pending(.elementwise(_, let operands)):
        nodes += operands.map(\.node)
      }
    }
    return found
  }
}
