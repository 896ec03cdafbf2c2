import CNormaLoops

extension norma_instruction {
  /// Runs row by row, each operand advancing by its pitch; all rows in one call if there is a loop
  /// for that.
  mutating func goByRow(
    _ instruction: Program.Instruction, singles: ValueSet, _ pitch: (Int) -> Int
  ) {
    if case .operation(let code, let type) = instruction.loop,
      instruction.statisticsRepeat(singles: singles, pitch)
    {
      rows_loop = norma_find_rows_loop(
        code.loop, type.rawValue, instruction.bits(singles: singles))
    }
    by_row = 1
    result_pitch = pitch(Int(result))
    copy(instruction.operands.map(pitch), to: &pitches)
  }

  init(_ instruction: Program.Instruction, singles: ValueSet) {
    self.init()
    let isSingle = instruction.operands.allSatisfy { singles.contains($0) }
    let bits = isSingle ? 0 : instruction.bits(singles: singles)
    let found: norma_loop?
    switch instruction.loop {
    case .operation(let code, let type): found = norma_find_loop(code.loop, type.rawValue, bits)
    case .conversion(let from, let to): found = norma_find_conversion(from, to)
    case .rounding(let dtype): found = norma_find_rounding(dtype.stored)
    case .spread(let type):
      found = norma_find_loop(Int32(NORMA_SPREAD.rawValue), type.rawValue, 0)
    }
    require(found != nil, "no loop for \(instruction)")
    loop = found
    operand_count = Int32(instruction.operands.count)
    result = Int32(instruction.result)
    single = singles.contains(instruction.result) ? 1 : 0
    copy(instruction.operands.map { Int32($0) }, to: &operands)
  }
}

extension Program.Instruction {
  /// A bit for each operand that is a single number per tile or row.
  func bits(singles: ValueSet) -> UInt32 {
    var bits: UInt32 = 0
    for (position, operand) in operands.enumerated() where singles.contains(operand) {
      bits |= 1 << UInt32(position)
    }
    return bits
  }

  /// Whether each statistic of a normalization is a single number or a repeated row.
  fileprivate func statisticsRepeat(singles: ValueSet, _ pitch: (Int) -> Int) -> Bool {
    guard case .operation(let code, _) = loop else { return false }
    let first = code == .normalize ? 1 : code == .normalizeGradient ? 2 : operands.count
    return first < operands.count
      && operands[first...].allSatisfy { singles.contains($0) || pitch($0) == 0 }
  }
}

/// Copies values to the beginning of a C array, which is a tuple in Swift.
func copy<Value, Tuple>(_ values: [Value], to array: inout Tuple) {
  withUnsafeMutableBytes(of: &array) { bytes in
    let elements = bytes.bindMemory(to: Value.self)
    for (index, value) in values.enumerated() { elements[index] = value }
  }
}
