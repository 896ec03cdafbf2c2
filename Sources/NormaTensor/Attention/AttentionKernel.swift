import CNormaLoops
import NormaKernels

/// Attention block by block, and its gradients: after Dao et al., FlashAttention, 2022.
///
/// A block of queries keeps, for each query, the largest score m so far, the sum of exp(s - m) and
/// the sum of exp(s - m) v. When a larger score comes, both sums are multiplied by exp(m - new m).
/// The backward pass computes the powers again from the scores and the last m.
struct AttentionKernel {
  let plan: AttentionPlan
  let query: AttentionMatrices, key: AttentionMatrices, value: AttentionMatrices
  let bias: AttentionMatrices?, visible: AttentionMatrices?
  let result: AttentionMatrices
  /// The largest score of each query, in the plan's type, and 1 / the sum of its powers; 0 where
  /// nothing is seen.
  let highest: UnsafeMutableRawPointer, inverses: UnsafeMutablePointer<Double>
  let dropout: AttentionDropout?

  /// - Parameters:
  ///   - operands: query, key and value, then the mask if there is one.
  ///   - mask: its type.
  init(
    _ plan: AttentionPlan, _ operands: [AttentionMatrices], result: AttentionMatrices,
    highest: UnsafeMutableRawPointer, inverses: UnsafeMutableRawPointer, mask: DType?,
    dropout: AttentionDropout?
  ) {
    self.plan = plan
    (query, key, value) = (operands[0], operands[1], operands[2])
    bias = mask == nil || mask == .bool ? nil : operands[3]
    visible = mask == .bool ? operands[3] : nil
    self.result = result
    self.highest = highest
    self.inverses = inverses.assumingMemoryBound(to: Double.self)
    self.dropout = dropout
  }

  private var type: Int32 { plan.dtype.stored }
  private var elementBytes: Int { plan.dtype.byteCount }

  // MARK: Forward

  func run(threads: Int) {
    // Alone, the library would divide each product among threads.
    norma_team_set_library_threads(1)
    let blocks = plan.queryBlocks
    inParallel(plan.count * blocks, work: plan.work, threads: threads) { begin, end in
      let scratch = AttentionScratch(plan, drops: dropout != nil)
      for task in Int(begin)..<Int(end) {
        // Causal blocks differ in work: from both ends alternately, so that threads share it.
        let place = task % blocks
        let block = place % 2 == 0 ? place / 2 : blocks - 1 - place / 2
        run(task / blocks, block, scratch)
      }
    }
  }

  private func run(_ index: Int, _ place: Int, _ scratch: AttentionScratch) {
    let rows = plan.queries(ofBlock: place)
    let (m, width) = (rows.count, plan.valueWidth)
    takeQueries(index, rows, scratch)
    dropout?.draw(index, place, plan, scratch.kept)
    fill(scratch.highest, m, -Double.infinity)
    scratch.sums.update(repeating: 0, count: m)
    var isFirst = true
    plan.forEachKeyBlock(of: rows) { keys in
      takeScores(index, m, keys, scratch)
      var block = self.block(index, rows, keys)
      norma_attention_weights(
        &block, scratch.scores, scratch.highest, scratch.sums, scratch.factors)
      if dropout != nil { keep(m, keys, scratch, into: scratch.scores) }
      multiply(
        m: m, n: width, k: keys.count, .init(scratch.scores, rows: keys.count),
        operand(value, index, keys), into: isFirst ? scratch.sum : scratch.part)
      if !isFirst {
        norma_attention_add(
          type, Int64(m), Int64(width), scratch.part, scratch.factors, scratch.sum, Int64(width))
      }
      isFirst = false
    }
    let first = index * plan.queries + rows.lowerBound
    (highest + first * elementBytes).copyMemory(
      from: scratch.highest, byteCount: m * elementBytes)
    for row in 0..<m {
      inverses[first + row] = scratch.sums[row] == 0 ? 0 : 1 / scratch.sums[row]
    }
    if isFirst { fill(scratch.sum, m * width, 0) }
    norma_attention_scale(
      type, Int64(m), Int64(width), scratch.sum, Int64(width), 1, dropout?.factor ?? 1,
      inverses + first,
      result.start(of: index, row: rows.lowerBound, in: plan.batch), Int64(result.row))
  }

  // MARK: Backward

  /// Where the gradients of one attention go; gradients of keys and values are sums over the blocks
  /// of one part.
  struct Gradients {
    let upstream: AttentionMatrices
    let query: AttentionMatrices
    /// Contiguous, with an outermost axis of parts.
    let key: UnsafeMutableRawPointer, value: UnsafeMutableRawPointer
  }

  func differentiate(_ gradients: Gradients, threads: Int) {
    norma_team_set_library_threads(1)
    let parts = plan.gradientParts
    inParallel(plan.count * parts, work: 3 * plan.work, threads: threads) { begin, end in
      let scratch = AttentionScratch(plan, drops: dropout != nil)
      for task in Int(begin)..<Int(end) {
        let (index, part) = (task / parts, task % parts)
        let place = part * plan.count + index
        let keyGradient = gradients.key + place * plan.keys * plan.width * elementBytes
        let valueGradient = gradients.value + place * plan.keys * plan.valueWidth * elementBytes
        fill(keyGradient, plan.keys * plan.width, 0)
        fill(valueGradient, plan.keys * plan.valueWidth, 0)
        for block in plan.blocks(ofPart: part) {
          differentiate(index, block, gradients, keyGradient, valueGradient, scratch)
        }
      }
    }
  }

  /// With the weights w = exp(s - m), u = upstream / sum of w, and d = Σ u y for each query: dv is
  /// wᵀ u, ds is (u vᵀ - d) w, dq is ds k scale, and dk is dsᵀ q scale. With dropout, w in dv and
  /// u vᵀ are 0 where weights were dropped, and u there has the factor of the others.
  private func differentiate(
    _ index: Int, _ place: Int, _ gradients: Gradients,
    _ keyGradient: UnsafeMutableRawPointer,
    _ valueGradient: UnsafeMutableRawPointer, _ scratch: AttentionScratch
  ) {
    let rows = plan.queries(ofBlock: place)
    let (m, width, valueWidth) = (rows.count, plan.width, plan.valueWidth)
    let first = index * plan.queries + rows.lowerBound
    takeQueries(index, rows, scratch)
    dropout?.draw(index, place, plan, scratch.kept)
    let upstream = gradients.upstream
    norma_attention_scale(
      type, Int64(m), Int64(valueWidth),
      upstream.start(of: index, row: rows.lowerBound, in: plan.batch), Int64(upstream.row),
      Int64(upstream.column), dropout?.factor ?? 1, inverses + first, scratch.upstream,
      Int64(valueWidth))
    norma_attention_dots(
      type, Int64(m), Int64(valueWidth), scratch.upstream,
      result.start(of: index, row: rows.lowerBound, in: plan.batch), Int64(result.row),
      scratch.sums)
    if let factor = dropout?.factor {
      for row in 0..<m { scratch.sums[row] /= factor }
    }
    fill(scratch.sum, m * width, 0)
    plan.forEachKeyBlock(of: rows) { keys in
      let n = keys.count
      takeScores(index, m, keys, scratch)
      var block = self.block(index, rows, keys)
      norma_attention_powers(&block, scratch.scores, highest + first * elementBytes)
      // The memory of the slopes is free until they are computed.
      if dropout != nil { keep(m, keys, scratch, into: scratch.slopes) }
      let weights = BlockProduct.Operand(
        dropout == nil ? scratch.scores : scratch.slopes, rows: n)
      multiply(
        m: n, n: valueWidth, k: m, weights.transposed,
        .init(scratch.upstream, rows: valueWidth), into: scratch.part)
      add(scratch.part, n, valueWidth, to: valueGradient, row: keys.lowerBound)
      multiply(
        m: m, n: n, k: valueWidth, .init(scratch.upstream, rows: valueWidth),
        operand(value, index, keys).transposed, into: scratch.slopes)
      if dropout != nil { keep(m, keys, scratch, from: scratch.slopes, into: scratch.slopes) }
      norma_attention_slopes(&block, scratch.scores, scratch.slopes, scratch.sums)
      let slopes = BlockProduct.Operand(scratch.slopes, rows: n)
      multiply(
        m: m, n: width, k: n, slopes, operand(key, index, keys), into: scratch.part)
      add(scratch.part, m, width, to: scratch.sum, row: 0)
      multiply(
        m: n, n: width, k: m, slopes.transposed, .init(scratch.queries, rows: width),
        into: scratch.part)
      add(scratch.part, n, width, to: keyGradient, row: keys.lowerBound)
    }
    norma_attention_scale(
      type, Int64(m), Int64(width), scratch.sum, Int64(width), 1, plan.scale, nil,
      gradients.query.start(of: index, row: rows.lowerBound, in: plan.batch),
      Int64(gradients.query.row))
  }

  // MARK: Blocks

  /// Copies queries, times the scale, to adjacent memory.
  private func takeQueries(_ index: Int, _ rows: Range<Int>, _ scratch: AttentionScratch) {
    norma_attention_scale(
      type, Int64(rows.count), Int64(plan.width),
      query.start(of: index, row: rows.lowerBound, in: plan.batch), Int64(query.row),
      Int64(query.column), plan.scale, nil, scratch.queries, Int64(plan.width))
  }

  private func takeScores(
    _ index: Int, _ rows: Int, _ keys: Range<Int>, _ scratch: AttentionScratch
  ) {
    multiply(
      m: rows, n: keys.count, k: plan.width, .init(scratch.queries, rows: plan.width),
      operand(key, index, keys).transposed, into: scratch.scores)
  }

  /// Copies scores, or other numbers of a block, with zeros where weights are dropped.
  private func keep(
    _ rows: Int, _ keys: Range<Int>, _ scratch: AttentionScratch,
    from numbers: UnsafeMutableRawPointer? = nil, into result: UnsafeMutableRawPointer
  ) {
    norma_attention_keep(
      type, Int64(rows), Int64(keys.count), scratch.kept + keys.lowerBound, Int64(plan.keys),
      numbers ?? scratch.scores, result)
  }

  private func block(
    _ index: Int, _ rows: Range<Int>, _ keys: Range<Int>
  ) -> norma_attention_block {
    func start(_ mask: AttentionMatrices?) -> UnsafeMutableRawPointer? {
      mask.map { mask in
        mask.start(of: index, row: rows.lowerBound, in: plan.batch)
          + keys.lowerBound * mask.column * mask.elementBytes
      }
    }
    let mask = bias ?? visible
    let seen = plan.isCausal ? rows.lowerBound + 1 - keys.lowerBound : keys.count
    return norma_attention_block(
      type: type, rows: Int64(rows.count), columns: Int64(keys.count), seen: Int64(seen),
      bias: UnsafeRawPointer(start(bias)),
      visible: start(visible).map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) },
      mask_row: Int64(mask?.row ?? 0), mask_column: Int64(mask?.column ?? 0))
  }

  private func multiply(
    m: Int, n: Int, k: Int, _ a: BlockProduct.Operand, _ b: BlockProduct.Operand,
    into result: UnsafeMutableRawPointer
  ) {
    BlockProduct.multiply(plan.dtype, m: m, n: n, k: k, a, b, into: result)
  }

  private func operand(
    _ matrices: AttentionMatrices, _ index: Int, _ rows: Range<Int>
  ) -> BlockProduct.Operand {
    .init(
      matrices.start(of: index, row: rows.lowerBound, in: plan.batch), rows: matrices.row,
      columns: matrices.column)
  }

  private func add(
    _ part: UnsafeMutableRawPointer, _ rows: Int, _ columns: Int,
    to sum: UnsafeMutableRawPointer, row: Int
  ) {
    norma_attention_add(
      type, Int64(rows), Int64(columns), part, nil, sum + row * columns * elementBytes,
      Int64(columns))
  }

  private func fill(_ start: UnsafeMutableRawPointer, _ count: Int, _ value: Double) {
    if plan.dtype == .float32 {
      start.assumingMemoryBound(to: Float.self).update(repeating: Float(value), count: count)
    } else {
      start.assumingMemoryBound(to: Double.self).update(repeating: value, count: count)
    }
  }
}
