/// A set of a program's values.
struct ValueSet {
  private var members: [Bool]

  /// `values` out of `count` values.
  init(_ values: [Int], of count: Int) {
    members = [Bool](repeating: false, count: count)
    for value in values { members[value] = true }
  }

  /// Values that were added to the program later are not members.
  func contains(_ value: Int) -> Bool { value < members.count && members[value] }

  mutating func insert(_ value: Int) {
    while value >= members.count { members.append(false) }
    members[value] = true
  }
}
