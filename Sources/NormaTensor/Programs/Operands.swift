/// The numbers of a few values, stored inline: programs are built for every evaluation, and an
/// array per instruction costs more than running it on a small tensor.
struct Operands: Hashable, Sendable {
  private var values = SIMD8<Int32>()
  private(set) var count = 0

  init() {}

  init(_ values: some Sequence<Int>) {
    for value in values { append(value) }
  }

  mutating func append(_ value: Int) {
    values[count] = Int32(truncatingIfNeeded: value)
    count += 1
  }

  mutating func insert(_ value: Int, at position: Int) {
    var index = count
    while index > position {
      values[index] = values[index - 1]
      index -= 1
    }
    values[position] = Int32(truncatingIfNeeded: value)
    count += 1
  }
}

extension Operands: RandomAccessCollection, MutableCollection, ExpressibleByArrayLiteral {
  init(arrayLiteral values: Int...) { self.init(values) }

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(index: Int) -> Int {
    get { Int(values[index]) }
    set { values[index] = Int32(truncatingIfNeeded: newValue) }
  }
}
