extension TensorError {
  /// A mistake in a text that describes a call: the text again, and a caret under what is wrong.
  ///
  ///     rearranged(_:): 'w' is on the left alone
  ///       h w -> h
  ///         ^
  init(_ call: String, _ reason: String, in text: String, at range: Range<Int>) {
    let marks = String(repeating: "^", count: Swift.max(range.count, 1))
    let line = text.map { $0.isNewline || $0 == "\t" ? " " : $0 }
    self.init(
      call,
      "\(reason)\n  \(String(line))\n  \(String(repeating: " ", count: range.lowerBound))\(marks)")
  }
}
