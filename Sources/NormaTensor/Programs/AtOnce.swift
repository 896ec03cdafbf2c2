import CNormaLoops
import NormaKernels
import NormaValues

// Few elements run without a program: laying one out takes longer than the loops. The bits are the same,
// because a tile would go through the same loops.

extension Node {
  /// More elements are worth a program.
  private static let mostElements = 1 << 14
  /// More elements in rows do not stay in cache.
  private static let mostInRows = 1 << 21
  private static let longRow = 256

  /// Runs one instruction on operands that lie as the result does, are one number, or have rows at one
  /// distance. False where that takes a program.
  func runAtOnce(_ operation: Operation, _ operands: [Tensor], into storage: Storage) -> Bool {
    guard layout.count <= Node.mostInRows, operands.count <= 3, layout.isDense, !dtype.isNarrow
    else { return false }
    let number = operation.immediate?.position ?? operands.count
    var rows = OperandRows(of: layout)
    for (index, operand) in operands.enumerated() {
      guard operand.isReadyAtOnce, rows.add(operand.layout, at: index < number ? index : index + 1)
      else { return false }
    }
    guard layout.count <= Node.mostElements || rows.count > 1 && rows.columns >= Node.longRow
    else { return false }
    guard let (loop, spreads) = operation.loopAtOnce(operands, dtype, rows.singles)
    else { return false }
    let width = operation.operands.byteCount
    let room =
      spreads
      ? Storage.scratchOrReport(byteCount: rows.columns * width, of: layout.shape) : nil
    if spreads && room == nil { return false }
    return withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: 4) { values in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: 4) { pitches in
        var bits = operation.immediate?.bits ?? 0
        return withUnsafePointer(to: &bits) { bits in
          room?.base.fill(rows.columns, with: bits.pointee, width)
          values.initialize(repeating: UnsafeRawPointer(room?.base) ?? UnsafeRawPointer(bits))
          pitches.initialize(repeating: 0)
          for (index, operand) in operands.enumerated() {
            let source = operand.node.materialize()
            if source.isMissing { return false }
            let place = operand.layout.offset * operand.dtype.byteCount
            let position = index < number ? index : index + 1
            values[position] = UnsafeRawPointer(source.base + place)
            pitches[position] = rows.pitch(of: position) * operand.dtype.byteCount
          }
          withExtendedLifetime((operands, room)) {
            rows.run(
              loop, values, pitches, into: storage.base, width: dtype.byteCount,
              threads: layout.count <= Node.mostElements ? 1 : TensorThreads.count)
          }
          ExecutionLog.add(
            ExecutionPlan.Step(
              .oneLoop, [operation.code.name], over: layout.shape,
              reads: operands.reduce(0) { $0 + $1.touchedBytes }, writes: storage.byteCount))
          return true
        }
      }
    }
  }
}

extension UnsafeMutableRawPointer {
  /// Writes an element of `width` bytes, the first of `bits`, `count` times.
  fileprivate func fill(_ count: Int, with bits: UInt64, _ width: Int) {
    switch width {
    case 8: initializeMemory(as: UInt64.self, repeating: bits, count: count)
    case 4:
      initializeMemory(as: UInt32.self, repeating: UInt32(truncatingIfNeeded: bits), count: count)
    default:
      initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: bits), count: count)
    }
  }
}

/// The rows into which a result is cut so that each operand gives a row of adjacent elements, or a number, to
/// each of them.
private struct OperandRows {
  private let target: Layout
  private(set) var columns: Int
  /// Bits of operands that are one number to a row.
  private(set) var singles: UInt32 = 0
  /// How many elements operands go on from row to row, by their positions; -1 where they lie as the result.
  private var pitches = SIMD4<Int>(repeating: -1)

  init(of target: Layout) {
    self.target = target
    columns = target.count
  }

  var count: Int { target.count / columns }

  func pitch(of position: Int) -> Int { pitches[position] < 0 ? columns : pitches[position] }

  /// Runs a loop on all rows, of operands at `values` that go on by `pitches` bytes.
  func run(
    _ loop: norma_loop, _ values: UnsafeMutableBufferPointer<UnsafeRawPointer?>,
    _ pitches: UnsafeMutableBufferPointer<Int>, into result: UnsafeMutableRawPointer, width: Int,
    threads: Int
  ) {
    // Each thread moves pointers of its own.
    let first = (values[0], values[1], values[2], values[3])
    nonisolated(unsafe) let (result, steps) = (result, pitches)
    split(count, work: target.count, threads: threads) { begin, end in
      let row = Int(begin)
      withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: 4) { own in
        own[0] = first.0.map { $0 + row * steps[0] }
        own[1] = first.1.map { $0 + row * steps[1] }
        own[2] = first.2.map { $0 + row * steps[2] }
        own[3] = first.3.map { $0 + row * steps[3] }
        norma_run_rows(
          loop, Int(end) - row, columns, own.baseAddress, steps.baseAddress, 4,
          result + row * columns * width, columns * width)
      }
    }
  }

  /// Takes an operand in; false where the rows do not suit it, or would be too short.
  mutating func add(_ layout: Layout, at position: Int) -> Bool {
    if layout === target || layout.lies(as: target) { return true }
    guard target.count > 1 else { return false }
    if layout.isOneNumber {
      singles |= 1 << UInt32(position)
      pitches[position] = 0
      return true
    }
    guard target.isContiguous else { return false }
    let (shape, strides) = (target.shape, target.strides)
    func isLike(_ axis: Int, _ stride: Int) -> Bool {
      shape[axis] == 1 || layout.strides[axis] == stride
    }
    let isSingle = shape.lastIndex { $0 != 1 }.map { layout.strides[$0] == 0 } ?? false
    var (axis, inner) = (shape.count, 1)
    while axis > 0, isLike(axis - 1, isSingle ? 0 : strides[axis - 1]) {
      axis -= 1
      inner *= shape[axis]
    }
    let pitch = axis > 0 ? layout.strides[axis - 1] : 0
    let isRegular = (0..<axis).allSatisfy { isLike($0, strides[$0] / inner * pitch) }
    guard isRegular, pitch >= 0, columns == target.count || columns == inner,
      inner >= 64 || target.count / inner <= 128
    else { return false }
    columns = inner
    pitches[position] = pitch
    if isSingle { singles |= 1 << UInt32(position) }
    return true
  }
}

extension Operation {
  /// The loop for operands in memory, those in `singles` being one number, and whether the instruction's own
  /// number has to be spread for it; nil where types have to be converted first or there is none.
  fileprivate func loopAtOnce(
    _ operands: [Tensor], _ result: DType, _ singles: UInt32
  ) -> (loop: norma_loop, spreads: Bool)? {
    if code == .convert {
      let from = operands[0].dtype
      guard singles == 0, !from.isNarrow, from != result else { return nil }
      let (a, b) = (BlockType(from), BlockType(result))
      let to = result == .bool ? DType.bool.stored : b.rawValue
      if a == b && result != .bool { return nil }
      return norma_find_conversion(a.rawValue, to).map { ($0, false) }
    }
    guard code != .normalize, code != .normalizeGradient, !self.operands.isNarrow else {
      return nil
    }
    var position = 0
    for operand in operands {
      if immediate?.position == position { position += 1 }
      guard operand.dtype == operandType(position) else { return nil }
      position += 1
    }
    let type = BlockType(self.operands).rawValue
    guard let immediate else {
      return norma_find_loop(code.loop, type, singles).map { ($0, false) }
    }
    let own: UInt32 = 1 << UInt32(immediate.position)
    if let loop = norma_find_loop(code.loop, type, singles | own) { return (loop, false) }
    return norma_find_loop(code.loop, type, singles).map { ($0, true) }
  }
}

extension Tensor {
  /// Reductions with no more results than these are stored before what is made of them.
  private static let mostResults = 1 << 10
  /// Chains of no more instructions run one by one, each of whose values stays in cache.
  private static let longestChain = 6

  /// Whether the elements are in memory, or can be there with little work.
  fileprivate var isReadyAtOnce: Bool {
    guard node.isPending, case .pending(let work) = node.content else { return true }
    switch work {
    case .reduction: return node.layout.count <= Tensor.mostResults
    case .elementwise(_, let operands):
      return node.layout.count <= Evaluation.fewElements && node.depth <= Tensor.longestChain
        && operands.count <= 3
    case .convolution: return false
    }
  }
}

extension Layout {
  /// Whether elements of one place in the shape have the same distances.
  fileprivate func lies(as other: Layout) -> Bool {
    shape == other.shape && strides == other.strides
  }

  /// Whether every place of the shape sees the same element.
  fileprivate var isOneNumber: Bool {
    shape.indices.allSatisfy { shape[$0] == 1 || strides[$0] == 0 }
  }
}

extension ReductionGroup {
  /// Runs a reduction of stored elements without gaps by the loops of a tile alone. False where that takes
  /// a program, or where one trip gives several results.
  func runAtOnce(_ results: Results, _ wanted: [Result]) -> Bool {
    let others = wanted.filter { $0 != .sum || !wanted.contains(.squares) }
    guard let result = others.first, others.count == 1, result != .companionSum,
      !source.isPending, let target = results.storage(result),
      let reduction = DenseReduction(source, over: axes), reduction.gives(result)
    else { return false }
    if result == .centeredSum {
      guard isFromZero, let companion, !companion.isPending, companion.layout.isContiguous else {
        return false
      }
    }
    // Sums come with the squares.
    return reduction.run(
      result, with: result == .centeredSum ? companion : nil, into: target.base,
      sums: result == .squares ? results.storage(.sum)?.base : nil, threads: TensorThreads.count)
  }
}
