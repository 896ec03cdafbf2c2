import CNormaLoops
import NormaKernels

// Few elements run without a program: laying one out takes longer than the loops. The bits are the same,
// because a tile would go through the same loops.

extension Node {
  /// More elements are worth a program.
  private static let mostElements = 1 << 14
  /// Reductions with no more results than these are stored before what is made of them.
  private static let mostResults = 1 << 10

  /// Runs one instruction on operands in memory that lie as the result does or are one number. False
  /// where that takes a program.
  func runAtOnce(_ operation: Operation, _ operands: [Tensor], into storage: Storage) -> Bool {
    guard layout.count <= Node.mostElements, operands.count <= 3, layout.isDense, !dtype.isHalf
    else { return false }
    var singles: UInt32 = 0
    var position: UInt32 = 0
    for operand in operands {
      if operation.immediate?.position == Int(position) { position += 1 }
      guard operand.isReadyAtOnce(Node.mostResults) else { return false }
      if operand.layout !== layout && !operand.layout.lies(as: layout) {
        guard layout.count > 1, operand.layout.isOneNumber else { return false }
        singles |= 1 << position
      }
      position += 1
    }
    guard let loop = operation.loopAtOnce(operands, dtype, singles) else { return false }
    return withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: 4) { values in
      var bits = operation.immediate?.bits ?? 0
      return withUnsafePointer(to: &bits) { number in
        var count = 0
        for operand in operands {
          if operation.immediate?.position == count {
            values.initializeElement(at: count, to: UnsafeRawPointer(number))
            count += 1
          }
          let base = operand.node.materialize().base
          let place = operand.layout.offset * operand.dtype.byteCount
          values.initializeElement(at: count, to: UnsafeRawPointer(base + place))
          count += 1
        }
        if operation.immediate?.position == count {
          values.initializeElement(at: count, to: UnsafeRawPointer(number))
        }
        withExtendedLifetime(operands) { loop(layout.count, values.baseAddress, storage.base) }
        return true
      }
    }
  }
}

extension Operation {
  /// The loop for operands in memory, those in `singles` being one number; nil where types have to be
  /// converted first or there is none.
  fileprivate func loopAtOnce(
    _ operands: [Tensor], _ result: DType, _ singles: UInt32
  ) -> norma_loop? {
    if code == .convert {
      let from = operands[0].dtype
      guard singles == 0, !from.isHalf, from != result else { return nil }
      let (a, b) = (BlockType(from), BlockType(result))
      if result == .bool { return norma_find_conversion(a.rawValue, DType.bool.stored) }
      return a == b ? nil : norma_find_conversion(a.rawValue, b.rawValue)
    }
    guard code != .normalize, code != .normalizeGradient, !self.operands.isHalf else { return nil }
    var singles = singles
    if let immediate { singles |= 1 << UInt32(immediate.position) }
    var position = 0
    for operand in operands {
      if immediate?.position == position { position += 1 }
      guard operand.dtype == operandType(position) else { return nil }
      position += 1
    }
    return norma_find_loop(code.loop, BlockType(self.operands).rawValue, singles)
  }
}

extension Tensor {
  /// Whether the elements are in memory, or come from a reduction with few results.
  fileprivate func isReadyAtOnce(_ mostResults: Int) -> Bool {
    guard node.isPending else { return true }
    guard node.layout.count <= mostResults, case .pending(.reduction) = node.content else {
      return false
    }
    return true
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
    reduction.run(
      result, with: result == .centeredSum ? companion : nil, into: target.base,
      sums: result == .squares ? results.storage(.sum)?.base : nil, threads: Threads.count)
    return true
  }
}
