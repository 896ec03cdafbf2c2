import CNormaLoops

extension Program {
  /// Returns the values that are a single number per tile; for instructions whose loops cannot read
  /// one, it is first expanded to a block.
  mutating func spreadSingles(blocks: ValueSet, space: Space, byRow: Bool) -> ValueSet {
    var singles = ValueSet(immediates.map(\.value), of: widths.count)
    for (index, input) in inputs.enumerated() {
      let isFixed =
        space.columns.strides[index] == 0
        && (index >= space.splits.count || space.splits[index].isEmpty)
        && (space.rows.strides[index] == 0 || space.tileRows == 1 || byRow)
        && space.tileRows * space.tileColumns > 1
      // A value that is stored or reduced directly must be a block; so must a narrow one that is
      // widened for that, because no loop expands such elements.
      if isFixed && !blocks.contains(input.value) && !isWidened(input, for: blocks) {
        singles.insert(input.value)
      }
    }
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let isSingle = instruction.operands.allSatisfy { singles.contains($0) }
      if isSingle && !blocks.contains(instruction.result) {
        singles.insert(instruction.result)
      } else if case .operation(let code, let type) = instruction.loop {
        index += spreadOperands(of: index, code, type, singles: singles)
      } else if isSingle, case .conversion(let from, _) = instruction.loop {
        spread(operand: 0, of: index, BlockType(rawValue: from) ?? .float32)
        index += 1
      } else if isSingle, case .rounding(let dtype) = instruction.loop {
        spread(operand: 0, of: index, BlockType(dtype))
        index += 1
      }
      index += 1
    }
    return singles
  }

  private func isWidened(_ input: Input, for blocks: ValueSet) -> Bool {
    input.dtype.isNarrow
      && instructions.contains { $0.operands.contains(input.value) && blocks.contains($0.result) }
  }

  /// Whether instructions can run row by row: none of them computes a number per row, and none of
  /// the inputs that are read row by row is stored directly.
  func canRunByRow(ends: ValueSet, space: Space) -> Bool {
    guard space.rowsByRow > 0 else { return false }
    var numbers = ValueSet(immediates.map(\.value), of: widths.count)
    var ofRows = ValueSet([], of: widths.count)
    var repeated = ValueSet([], of: widths.count)
    for (index, input) in inputs.enumerated() {
      let (row, column) = (space.rows.strides[index], space.columns.strides[index])
      let isBlock = column == 1 && row == space.columns.size
      if !isBlock && ends.contains(input.value) { return false }
      if column == 0 { numbers.insert(input.value) }
      if column == 0 && row != 0 { ofRows.insert(input.value) }
      if column == 1 && row == 0 { repeated.insert(input.value) }
    }
    let isShort = space.columns.size < Limits.shortRow
    for instruction in instructions where isShort {
      if instruction.operands.contains(where: { repeated.contains($0) })
        && !instruction.isNormalization
      {
        return false
      }
    }
    for instruction in instructions
    where instruction.operands.allSatisfy({ numbers.contains($0) }) {
      if instruction.operands.contains(where: { ofRows.contains($0) }) { return false }
      numbers.insert(instruction.result)
    }
    return true
  }

  /// Expands operands that the loop of an instruction cannot read as single numbers; returns how
  /// many instructions were inserted before it.
  private mutating func spreadOperands(
    of start: Int, _ code: Operation.Code, _ type: BlockType, singles: ValueSet
  ) -> Int {
    let operands = instructions[start].operands
    let bits = instructions[start].bits(singles: singles)
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

extension Program.Instruction {
  /// Whether all rows of a tile run in one call.
  fileprivate var isNormalization: Bool {
    guard case .operation(let code, _) = loop else { return false }
    return code == .normalize || code == .normalizeGradient
  }
}
