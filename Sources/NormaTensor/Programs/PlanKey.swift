/// Everything that a plan depends on, as integers: shapes, strides, types, instructions, and the
/// rule by which the space is divided; not the memory, and not the immediates.
struct PlanKey: Hashable {
  private(set) var words: ContiguousArray<Int> = []
  private(set) var hash = 0

  init() { words.reserveCapacity(96) }

  /// A key from words and a hash that were computed elsewhere.
  init(_ words: UnsafeBufferPointer<Int>, _ hash: Int) {
    self.words = ContiguousArray(words)
    self.hash = hash
  }

  mutating func append(_ word: Int) {
    words.append(word)
    hash = PlanKey.hash(hash, word)
  }

  /// Combines a hash with the next word.
  static func hash(_ hash: Int, _ word: Int) -> Int {
    let product = (hash ^ word) &* -0x61c8_8646_80b5_83eb
    return product ^ product >> 32
  }

  func isEqual(to others: UnsafeBufferPointer<Int>) -> Bool {
    guard words.count == others.count else { return false }
    return words.withUnsafeBufferPointer { words in
      for index in 0..<words.count where words[index] != others[index] { return false }
      return true
    }
  }

  /// Appends a layout of the program's shape, without its offset.
  mutating func append(_ layout: Layout, in shape: [Int]) {
    let isWhole = layout.shape == shape
    if isWhole && layout.isContiguous && layout.strides.last != 0 {
      append(-1)
      return
    }
    append(layout.isContiguous ? -2 : -3)
    if !isWhole {
      append(-4)
      append(layout.shape.count)
      for size in layout.shape { append(size) }
    }
    for stride in layout.strides { append(stride) }
  }

  mutating func append(_ program: Program) {
    append(program.shape.count)
    for size in program.shape { append(size) }
    append(program.inputs.count)
    for input in program.inputs {
      append(Int(input.dtype.stored) | input.value << 8 | input.localCode << 32)
      append(input.layout, in: program.shape)
    }
    append(program.immediates.count)
    for immediate in program.immediates {
      append(immediate.value | program.widths[immediate.value] << 16)
    }
    append(program.instructions.count)
    for instruction in program.instructions {
      append(instruction.loop.number)
      // Six values of ten bits fit in a word.
      var values = instruction.result
      for (position, operand) in instruction.operands.enumerated() {
        if position == 5 {
          append(values)
          values = 1
        }
        values = values << 10 | operand
      }
      append(values)
    }
  }
}

/// The words of a key on the stack: most keys are looked up and never stored.
struct KeyWords {
  /// This many words fill 1 KiB.
  static let most = 128

  private let base: UnsafeMutablePointer<Int>
  private var count = 0
  private(set) var hash = 0

  init(_ base: UnsafeMutablePointer<Int>) { self.base = base }

  func hasRoom(_ more: Int) -> Bool { count + more <= KeyWords.most }

  mutating func append(_ word: Int) {
    base[count] = word
    count += 1
    hash = PlanKey.hash(hash, word)
  }

  /// Appends a layout by itself; false if there is no space left.
  mutating func append(_ layout: Layout) -> Bool {
    guard hasRoom(2 * layout.shape.count + 2) else { return false }
    append(layout.isContiguous ? -1 : -2)
    append(layout.shape.count)
    for size in layout.shape { append(size) }
    if !layout.isContiguous { for stride in layout.strides { append(stride) } }
    return true
  }

  /// The cached plan for these words.
  var plan: Plan? {
    PlanCache.shared.plan(UnsafeBufferPointer(start: base, count: count), hash)
  }

  /// The same words as a key to be stored.
  var key: PlanKey { PlanKey(UnsafeBufferPointer(start: base, count: count), hash) }
}

extension Program.Loop {
  /// Distinguishes different loops.
  fileprivate var number: Int {
    switch self {
    case .operation(let code, let type): Int(code.rawValue) << 8 | Int(type.rawValue) << 4
    case .conversion(let from, let to): Int(from) << 8 | Int(to) << 4 | 1
    case .rounding(let dtype): Int(dtype.stored) << 4 | 2
    case .spread(let type): Int(type.rawValue) << 4 | 3
    }
  }
}

/// How the space of a program is divided, given the layouts of its inputs and outputs.
enum PlanRule {
  /// In the memory order of the result.
  case elementwise(Layout)
  /// For the reductions of a group; in the fixed order that sums depend on, or in any order.
  case reduction(ReductionGroup, dependsOnOrder: Bool)
  /// Slice by slice after the reductions of a group.
  case slices(ReductionGroup)

  func append(to key: inout PlanKey, in shape: [Int]) {
    func append(_ group: ReductionGroup, _ number: Int) {
      key.append(number)
      key.append(group.source.layout, in: shape)
      for axis in group.axes { key.append(axis) }
    }
    switch self {
    case .elementwise(let layout):
      key.append(0)
      key.append(layout, in: shape)
    case .reduction(let group, let dependsOnOrder): append(group, dependsOnOrder ? 1 : 2)
    case .slices(let group): append(group, 3)
    }
  }
}
