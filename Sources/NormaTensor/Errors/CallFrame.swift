/// What a call is part of, further out, for the texts of mistakes: an element of a network. The task that made it
/// uses it during one call.
package final class CallFrame: @unchecked Sendable {
  @TaskLocal package static var current: CallFrame?

  private let text: () -> String

  /// A frame that `text` describes when a mistake is made.
  package init(_ text: @escaping () -> String) { self.text = text }

  /// The frame in words: `layers.3 (Linear)`.
  package var description: String { text() }
}
