extension TensorError {
  /// An error in a text passed to a call: quotes the text, with a caret under the faulty part.
  ///
  ///     rearranged(_:): 'w' is only on the left; reduced(_:by:) removes it
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
