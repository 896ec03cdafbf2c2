import CNormaLoops
import NormaKernels

extension norma_instruction {
  /// Runs row by row, each value going on by its bytes.
  mutating func goByRow(_ pitch: (Int) -> Int) {
    by_row = 1
    result_pitch = pitch(Int(result))
    withUnsafeBytes(of: operands) { operands in
      let values = operands.bindMemory(to: Int32.self)
      withUnsafeMutableBytes(of: &pitches) { bytes in
        let pitches = bytes.bindMemory(to: Int.self)
        for position in 0..<Int(operand_count) { pitches[position] = pitch(Int(values[position])) }
      }
    }
  }

  init(_ instruction: Program.Instruction, singles: ValueSet) {
    self.init()
    let isSingle = instruction.operands.allSatisfy { singles.contains($0) }
    var bits: UInt32 = 0
    if !isSingle {
      for (position, operand) in instruction.operands.enumerated() where singles.contains(operand) {
        bits |= 1 << UInt32(position)
      }
    }
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
    withUnsafeMutableBytes(of: &operands) { bytes in
      let values = bytes.bindMemory(to: Int32.self)
      for (position, operand) in instruction.operands.enumerated() {
        values[position] = Int32(operand)
      }
    }
  }
}
