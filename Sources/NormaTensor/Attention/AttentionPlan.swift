import NormaKernels

/// The sizes of an attention, and the blocks in which it is computed: some queries with all their
/// keys, block by block, so that no more than one block of weights per thread exists at a time.
struct AttentionPlan: Sendable {
  /// The leading axes, which the operands share.
  let batch: [Int]
  let queries: Int, keys: Int
  /// Components of queries and keys, and of values.
  let width: Int, valueWidth: Int
  let dtype: DType
  let isCausal: Bool
  let scale: Double

  /// Queries and keys of a block.
  let queryBlock: Int, keyBlock: Int

  init(
    query: Tensor, key: Tensor, value: Tensor, isCausal: Bool, scale: Double
  ) {
    batch = Array(query.shape.dropLast(2))
    queries = query.shape[query.rank - 2]
    keys = key.shape[key.rank - 2]
    width = query.shape[query.rank - 1]
    valueWidth = value.shape[value.rank - 1]
    dtype = query.dtype
    self.isCausal = isCausal
    self.scale = width == 0 ? 1 : scale
    queryBlock = max(min(queries, Limits.attentionQueries), 1)
    keyBlock = max(min(keys, Limits.attentionScores / queryBlock), 1)
  }

  /// The number of attentions.
  var count: Int { batch.reduce(1, *) }

  var queryBlocks: Int { (queries + queryBlock - 1) / queryBlock }

  /// Multiplications, roughly, in units of what a pass over elements costs.
  var work: Int { count * queries * keys * (width + valueWidth) / 16 }

  func queries(ofBlock block: Int) -> Range<Int> {
    block * queryBlock..<min((block + 1) * queryBlock, queries)
  }

  /// Calls `body` with blocks of the keys that at least one of these queries may see.
  func forEachKeyBlock(of rows: Range<Int>, _ body: (Range<Int>) -> Void) {
    let end = isCausal ? min(keys, rows.upperBound) : keys
    for begin in stride(from: 0, to: end, by: keyBlock) {
      body(begin..<min(begin + keyBlock, end))
    }
  }

  /// Contiguous parts of the blocks of queries whose gradients of keys and values are summed apart:
  /// enough for many threads, and the same for every number of threads, so that results are too.
  var gradientParts: Int {
    let wanted = (Limits.attentionGradients + count - 1) / max(count, 1)
    return max(1, min(wanted, queryBlocks / 4))
  }

  func blocks(ofPart part: Int) -> Range<Int> {
    queryBlocks * part / gradientParts..<queryBlocks * (part + 1) / gradientParts
  }
}

/// A batch of matrices in memory.
struct AttentionMatrices {
  let base: UnsafeMutableRawPointer
  /// Strides in elements: of the leading axes, of rows and of columns.
  let batch: [Int], row: Int, column: Int
  let elementBytes: Int

  /// The matrices of a stored tensor.
  init(_ tensor: Tensor, _ storage: Storage) {
    self.init(
      base: storage.address + tensor.layout.offset * tensor.dtype.byteCount, tensor.layout.strides,
      tensor.dtype)
  }

  init(base: UnsafeMutableRawPointer, _ strides: [Int], _ dtype: DType) {
    self.base = base
    batch = Array(strides.dropLast(2))
    row = strides[strides.count - 2]
    column = strides[strides.count - 1]
    elementBytes = dtype.byteCount
  }

  /// The address of the element (row, 0) of one matrix.
  func start(of index: Int, row: Int, in shape: [Int]) -> UnsafeMutableRawPointer {
    var rest = index
    var offset = row * self.row
    for axis in shape.indices.reversed() {
      offset += rest % shape[axis] * batch[axis]
      rest /= shape[axis]
    }
    return base + offset * elementBytes
  }
}
