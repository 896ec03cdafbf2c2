/// Runs a pickle on data alone: a function call creates a node, or the file is rejected.
///
/// Protocols 2 to 5, and the text opcodes that Python 2 uses as well. Memory is proportional to the
/// size of the pickle. Source: Python's `pickletools`.
struct PickleMachine {
  /// The largest number of operations for all pickles of a file, including copied items. A tensor
  /// needs about 25.
  static let operationLimit = 1 << 23

  var heap: PickleHeap
  var source: PickleSource
  /// Whether this is a file inside another: a storage in a plain pickle is one.
  let isNested: Bool
  /// The storages inside the pickle, by the node of their bytes.
  var storagesInPickle: [Int: PickleValue] = [:]
  var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var globalPlaces: [String: Int] = [:]

  /// The number of operations that are still allowed.
  var budget: Int

  init(
    _ source: PickleSource, heap: PickleHeap = PickleHeap(), isNested: Bool = false,
    budget: Int = PickleMachine.operationLimit
  ) {
    (self.source, self.heap, self.isNested, self.budget) = (source, heap, isNested, budget)
  }

  var context: FileContext { source.context }

  func damaged(_ detail: String) -> FileError {
    context.malformed("has a damaged pickle", detail)
  }

  /// Runs until the end mark and returns the remaining value.
  mutating func run() throws -> PickleValue {
    (stack, marks, memo) = ([], [], [:])
    while true {
      let start = source.position
      let code = try source.byte()
      if code == UInt8(ascii: ".") {
        guard stack.count == 1 else { throw damaged("\(stack.count) values are left at its end") }
        return stack.removeLast()
      }
      try spend(1)
      if try load(code) { continue }
      if try assemble(code) { continue }
      if try look(code) { continue }
      switch code {
      case 0x80:
        let version = try source.byte()
        if version > 5 { throw context.unsupported("has an unknown pickle", "protocol \(version)") }
      case 0x95: _ = try source.unsigned(8)  // Frames only help with reading ahead.
      default:
        throw damaged("byte \(start) is not an operation: 0x\(String(code, radix: 16))")
      }
    }
  }

  /// Counts work that a few bytes of a pickle can request repeatedly.
  mutating func spend(_ count: Int) throws {
    budget -= count
    if budget < 0 {
      throw context.unsupported("has a huge pickle", "more than \(Self.operationLimit) operations")
    }
  }

  // MARK: - The stack

  mutating func pop() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw damaged("a value is missing before byte \(source.position)")
    }
    return value
  }

  mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else {
      throw damaged("a mark is missing before byte \(source.position)")
    }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func top() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.last else {
      throw damaged("a value is missing before byte \(source.position)")
    }
    return value
  }

  mutating func push(_ kind: PickleNode.Kind, _ items: [PickleValue] = []) {
    stack.append(heap.make(kind, items))
  }

  // MARK: - Operations

  /// Tuples, lists, sets and dictionaries, calls, and names.
  private mutating func assemble(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"):
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "t"): push(.tuple, try popToMark())
    case UInt8(ascii: ")"): push(.tuple)
    case 0x85, 0x86, 0x87:
      var items: [PickleValue] = []
      for _ in 0..<Int(code) - 0x84 { items.append(try pop()) }
      push(.tuple, items.reversed())
    case UInt8(ascii: "]"): push(.list)
    case UInt8(ascii: "l"): push(.list, try popToMark())
    case UInt8(ascii: "a"):
      let item = try pop()
      try append([item], to: try top())
    case UInt8(ascii: "e"), 0x90:
      let items = try popToMark()
      try append(items, to: try top())
    case UInt8(ascii: "}"): push(.dictionary)
    case UInt8(ascii: "d"):
      push(.dictionary)
      let dictionary = try pop()
      try set(try popToMark(), in: dictionary)
      stack.append(dictionary)
    case UInt8(ascii: "s"):
      let value = try pop()
      let key = try pop()
      try set([key, value], in: try top())
    case UInt8(ascii: "u"):
      let items = try popToMark()
      try set(items, in: try top())
    case 0x8f: push(.set)
    case 0x91: push(.set, try popToMark())
    case UInt8(ascii: "c"):
      let module = try source.line()
      stack.append(try global(module, try source.line()))
    case 0x93:
      let (name, module) = (try pop(), try pop())
      guard let name = heap.string(name), let module = heap.string(module) else {
        throw damaged("a global before byte \(source.position) has no name")
      }
      stack.append(try global(module, name))
    case UInt8(ascii: "R"), 0x81:
      let (arguments, function) = (try pop(), try pop())
      stack.append(try call(function, arguments))
    case 0x92:
      let (_, arguments, function) = (try pop(), try pop(), try pop())
      stack.append(try call(function, arguments))
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(try top(), state)
    case UInt8(ascii: "Q"): stack.append(try persistent(try pop()))
    case UInt8(ascii: "i"):
      // Rejects unknown names; known ones would still create an object, which is not supported.
      let module = try source.line()
      _ = try global(module, try source.line())
      throw damaged("INST before byte \(source.position) is not supported")
    default: return false
    }
    return true
  }

  /// The memo, which holds the values that a pickle uses again.
  private mutating func look(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "q"): memo[Int(try source.byte())] = try top()
    case UInt8(ascii: "r"): memo[Int(try source.unsigned(4))] = try top()
    case UInt8(ascii: "p"): memo[try number(try source.line())] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try recalled(Int(try source.byte())))
    case UInt8(ascii: "j"): stack.append(try recalled(Int(try source.unsigned(4))))
    case UInt8(ascii: "g"): stack.append(try recalled(try number(try source.line())))
    default: return false
    }
    return true
  }

  private func recalled(_ place: Int) throws -> PickleValue {
    guard let value = memo[place] else { throw damaged("nothing was memoized as \(place)") }
    return value
  }

  func number(_ text: String) throws -> Int {
    guard let number = Int(text) else { throw damaged("\(quoted(text)) is not a number") }
    return number
  }

  private mutating func global(_ module: String, _ name: String) throws -> PickleValue {
    let key = "\(module)\n\(name)"
    if let place = globalPlaces[key] { return .global(place) }
    heap.globals.append(try PickleGlobal(module: module, name: name, context: context))
    globalPlaces[key] = heap.globals.count - 1
    return .global(heap.globals.count - 1)
  }

  private mutating func append(_ items: [PickleValue], to target: PickleValue) throws {
    guard case .node(let index) = target else {
      throw damaged("items are added to a value that is not a list before byte \(source.position)")
    }
    switch heap.nodes[index].kind {
    case .list, .set: heap.nodes[index].items += items
    case .object: break
    default:
      throw damaged(
        "items are added to a value that is not a list before byte \(source.position)")
    }
  }

  mutating func set(_ items: [PickleValue], in target: PickleValue) throws {
    guard case .node(let index) = target, items.count % 2 == 0 else {
      throw damaged(
        "keys are added to a value that is not a dictionary before byte \(source.position)")
    }
    switch heap.nodes[index].kind {
    case .dictionary: heap.nodes[index].items += items
    case .object: break
    default:
      throw damaged(
        "keys are added to a value that is not a dictionary before byte \(source.position)")
    }
  }
}
