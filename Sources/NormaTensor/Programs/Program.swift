import CNormaLoops
import NormaValues

/// Elementwise work as data: inputs, immediates and instructions on numbered values.
///
/// It can be printed (``Tensor/programDescription``), counted, divided and compiled. All values
/// have the shape of the space; a smaller input is read through a broadcast layout.
struct Program: Sendable {
  enum Loop: Hashable, Sendable {
    case operation(Operation.Code, BlockType)
    /// Between types in memory, by their indices in C.
    case conversion(from: Int32, to: Int32)
    /// Rounding to the values of a narrow type.
    case rounding(DType)
    case spread(BlockType)
  }

  struct Instruction: Hashable, Sendable {
    let loop: Loop
    let operands: Operands
    let result: Int
  }

  struct Input: Sendable {
    /// Nil for a result of a reduction that stays in the thread's scratch memory.
    var storage: Storage?
    var layout: Layout
    let dtype: DType
    let value: Int
    /// The index of such a result.
    var local: Int?

    /// `local` in C and in keys: 1 + the index, and 0 for none.
    var localCode: Int { local.map { 1 + $0 } ?? 0 }

    /// The memory from the first element on.
    var memory: KernelMemory? {
      storage.map { .reads($0, at: layout.offset * dtype.byteCount) }
    }

    /// The address of the first element.
    var base: UnsafeMutablePointer<CChar>? {
      memory?.address.assumingMemoryBound(to: CChar.self)
    }
  }

  struct Immediate: Sendable {
    let bits: UInt64
    let number: Scalar
    let value: Int

    var text: String { number.text }
  }

  private(set) var shape: [Int]
  var inputs: [Input] = []
  private(set) var immediates: [Immediate] = []
  private(set) var instructions: [Instruction] = []
  /// Bytes of an element of each value.
  private(set) var widths: [Int] = []

  init(shape: [Int]) {
    self.shape = shape
    inputs.reserveCapacity(8)
    instructions.reserveCapacity(16)
    widths.reserveCapacity(24)
  }

  /// The same instructions over another shape, on the same memory with these layouts.
  func replacing(shape: [Int], _ layouts: [Layout]) -> Program {
    var program = self
    program.shape = shape
    for (index, layout) in layouts.enumerated() { program.inputs[index].layout = layout }
    return program
  }

  /// The same program with inputs whose memory is given when it runs.
  var withoutMemory: Program {
    var program = self
    for index in inputs.indices where inputs[index].storage != nil {
      program.inputs[index].storage = .placeholder
    }
    return program
  }

  private mutating func newValue(_ width: Int) -> Int {
    widths.append(width)
    return widths.count - 1
  }

  /// Adds stored elements; the result is a value in their block type.
  mutating func input(_ storage: Storage, _ layout: Layout, _ dtype: DType) -> Int {
    let value = newValue(dtype.byteCount)
    inputs.append(Input(storage: storage, layout: layout, dtype: dtype, value: value))
    guard dtype.isNarrow else { return value }
    let type = BlockType(dtype)
    return append(.conversion(from: dtype.stored, to: type.rawValue), [value], type.byteCount)
  }

  /// Adds a result of the reduction that runs before this program, strip by strip.
  mutating func localInput(_ index: Int, _ layout: Layout, _ dtype: DType) -> Int {
    let value = newValue(dtype.byteCount)
    inputs.append(
      Input(storage: nil, layout: layout, dtype: dtype, value: value, local: index))
    return value
  }

  /// Whether an input has no memory.
  var readsMissing: Bool { inputs.contains { $0.storage?.isMissing ?? false } }

  mutating func immediate(_ immediate: Operation.Immediate, _ type: BlockType) -> Int {
    let value = newValue(type.byteCount)
    immediates.append(Immediate(bits: immediate.bits, number: immediate.number, value: value))
    return value
  }

  mutating func append(_ loop: Loop, _ operands: Operands, _ width: Int) -> Int {
    let result = newValue(width)
    instructions.append(Instruction(loop: loop, operands: operands, result: result))
    return result
  }

  /// Adds an instruction on block values of the given types.
  mutating func apply(_ operation: Operation, _ operands: Operands, _ types: [DType]) -> Int {
    if operation.code == .convert {
      return convert(operands[0], from: types[0], to: operation.result)
    }
    var values = operands
    for position in types.indices {
      values[position] = convert(
        operands[position], from: types[position], to: operation.operandType(position))
    }
    return apply(operation, values)
  }

  /// Adds an instruction on block values of the operation's own type.
  mutating func apply(_ operation: Operation, _ values: Operands) -> Int {
    let type = BlockType(operation.operands)
    let result = append(
      .operation(operation.code, type), values, BlockType(operation.result).byteCount)
    return narrowed(result, to: operation.result)
  }

  /// A block value that an instruction computed, rounded to the element type.
  private mutating func narrowed(_ value: Int, to dtype: DType) -> Int {
    guard dtype.isNarrow else { return value }
    return append(.rounding(dtype), [value], BlockType(dtype).byteCount)
  }

  /// A block value converted to another element type.
  private mutating func convert(_ value: Int, from: DType, to: DType) -> Int {
    if from == to { return value }
    let (a, b) = (BlockType(from), BlockType(to))
    if to == .bool {
      return append(.conversion(from: a.rawValue, to: DType.bool.stored), [value], 1)
    }
    var result = value
    if a != b {
      result = append(.conversion(from: a.rawValue, to: b.rawValue), [value], b.byteCount)
    }
    return narrowed(result, to: to)
  }

  /// A block value in the type in which it is stored.
  mutating func stored(_ value: Int, as dtype: DType) -> Int {
    guard dtype.isNarrow else { return value }
    return append(
      .conversion(from: BlockType(dtype).rawValue, to: dtype.stored), [value], dtype.byteCount)
  }

  /// Expands operand `position` of instruction `index` from a single number to a block.
  mutating func spread(operand position: Int, of index: Int, _ type: BlockType) {
    let instruction = instructions[index]
    let result = newValue(type.byteCount)
    var operands = instruction.operands
    instructions.insert(
      Instruction(loop: .spread(type), operands: [operands[position]], result: result), at: index)
    operands[position] = result
    instructions[index + 1] = Instruction(
      loop: instruction.loop, operands: operands, result: instruction.result)
  }
}

extension Program: CustomStringConvertible {
  /// One line per input, immediate and instruction.
  var description: String {
    var lines: [String] = []
    for input in inputs {
      lines.append("%\(input.value) = input \(input.dtype) \(input.layout.shape)")
    }
    for immediate in immediates { lines.append("%\(immediate.value) = \(immediate.text)") }
    for instruction in instructions {
      let operands = instruction.operands.map { "%\($0)" }.joined(separator: ", ")
      lines.append("%\(instruction.result) = \(instruction.loop.name) \(operands)")
    }
    return lines.joined(separator: "\n")
  }
}

extension Program.Loop {
  var name: String {
    switch self {
    case .operation(let code, let type): "\(code.name) \(type)"
    case .conversion(_, let to): "to \(DType.allCases.first { $0.stored == to } ?? .float32)"
    case .rounding(let dtype): "round \(dtype)"
    case .spread: "spread"
    }
  }
}
