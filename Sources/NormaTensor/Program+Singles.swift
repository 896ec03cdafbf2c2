import CNormaLoops

extension Program {
  /// The values that are one number for a whole tile; instructions whose loops cannot take one
  /// there get it spread over a block first.
  mutating func spreadSingles(ends: ValueSet, space: Space) -> ValueSet {
    var singles = ValueSet(immediates.map(\.value), of: widths.count)
    for (index, input) in inputs.enumerated() {
      let isFixed =
        space.columns.strides[index] == 0
        && (index >= space.splits.count || space.splits[index].isEmpty)
        && (space.rows.strides[index] == 0 || space.tileRows == 1)
        && space.tileRows * space.tileColumns > 1
      // What is stored or reduced as it is has to be a block.
      if isFixed && !ends.contains(input.value) { singles.insert(input.value) }
    }
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let isSingle = instruction.operands.allSatisfy { singles.contains($0) }
      if isSingle && !ends.contains(instruction.result) {
        singles.insert(instruction.result)
      } else if case .operation(let code, let type) = instruction.loop {
        index += spreadOperands(of: index, code, type, singles: singles)
      } else if isSingle, case .conversion(let from, _) = instruction.loop {
        spread(operand: 0, of: index, BlockType(rawValue: from) ?? .float32)
        index += 1
      } else if isSingle {
        spread(operand: 0, of: index, .float32)
        index += 1
      }
      index += 1
    }
    return singles
  }

  /// Spreads what the loop of an instruction cannot take as one number; returns how many
  /// instructions came before it.
  private mutating func spreadOperands(
    of start: Int, _ code: Operation.Code, _ type: BlockType, singles: ValueSet
  ) -> Int {
    let operands = instructions[start].operands
    var bits: UInt32 = 0
    for (position, operand) in operands.enumerated() where singles.contains(operand) {
      bits |= 1 << UInt32(position)
    }
    if bits == 0 || norma_find_loop(code.loop, type.rawValue, bits) != nil { return 0 }
    var added = 0
    for position in operands.indices where bits & (1 << UInt32(position)) != 0 {
      let isCondition = code == .select && position == 0
      let isStatistic = code == .normalizeGradient && position >= 2
      spread(
        operand: position, of: start + added,
        isCondition ? .uint8 : isStatistic ? .float64 : type)
      added += 1
    }
    return added
  }
}
