/// The context of a call, for error messages: a member of a network. Used only during one call, by
/// the task that made it.
package final class CallFrame: @unchecked Sendable {
  @TaskLocal package static var current: CallFrame?

  private let text: () -> String

  /// A frame whose description is computed when an error is reported.
  package init(_ text: @escaping () -> String) { self.text = text }

  /// The context as text: `layers.3 (Linear)`.
  package var description: String { text() }
}
