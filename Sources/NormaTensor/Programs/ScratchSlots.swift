/// Assigns the values of a program to slots in a thread's scratch memory.
struct ScratchSlots {
  /// The byte offset of each value; -1 if it is not in scratch memory.
  private(set) var offsets: [Int]
  private(set) var size = 0
  private let widths: [Int]
  private let block: Int
  private var free: [(width: Int, offset: Int)] = []
  private var kept: ValueSet
  /// The last instruction that reads each value.
  private let lastUses: [Int]

  /// - Parameter block: the number of elements of a tile.
  init(_ program: Program, block: Int) {
    widths = program.widths
    self.block = block
    offsets = [Int](repeating: -1, count: widths.count)
    kept = ValueSet([], of: widths.count)
    var lastUses = [Int](repeating: -1, count: widths.count)
    for (index, instruction) in program.instructions.enumerated() {
      for operand in instruction.operands { lastUses[operand] = index }
    }
    self.lastUses = lastUses
  }

  /// Reserves a slot for as long as the program runs.
  mutating func keep(_ value: Int) {
    offsets[value] = take(widths[value])
    kept.insert(value)
  }

  /// The same for a single number, which is computed when a row begins and read by many tiles.
  mutating func keepSingle(_ value: Int) {
    offsets[value] = size
    size += 64
    kept.insert(value)
  }

  /// Reserves no slot: the value is written to memory.
  mutating func leave(_ value: Int) { kept.insert(value) }

  private mutating func take(_ width: Int) -> Int {
    if let index = free.lastIndex(where: { $0.width == width }) {
      return free.remove(at: index).offset
    }
    let offset = size
    size += (block * width + 63) & ~63
    return offset
  }

  /// Assigns a slot to the result of an instruction; slots of operands that are not read again are
  /// freed.
  mutating func assign(
    _ instruction: Program.Instruction, at index: Int, keeping ends: ValueSet
  ) {
    let width = widths[instruction.result]
    // In place only if elements have the same size: a wider result would overwrite unread elements.
    release(instruction.operands, at: index, keeping: ends) { $0 == width }
    if !kept.contains(instruction.result) { offsets[instruction.result] = take(width) }
    release(instruction.operands, at: index, keeping: ends) { $0 != width }
  }

  private mutating func release(
    _ operands: Operands, at index: Int, keeping ends: ValueSet, where isMeant: (Int) -> Bool
  ) {
    for (position, operand) in operands.enumerated()
    where lastUses[operand] == index && offsets[operand] >= 0 && isMeant(widths[operand])
      && !ends.contains(operand) && !kept.contains(operand)
      && !operands[..<position].contains(operand)
    {
      free.append((widths[operand], offsets[operand]))
    }
  }
}
