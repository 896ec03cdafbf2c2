import Synchronization

/// A mistake in a call: shapes, axes, types or options that do not go together.
///
/// Outside of ``catchingTensorErrors(_:)`` such a mistake stops the program with this text and the
/// caller's file and line. PyTorch: `RuntimeError`, `IndexError`, `TypeError`, `ValueError`.
public struct TensorError: Error, Sendable, Hashable {
  /// The call as the user wrote it: `mean(over:)`.
  public let call: String

  /// What was wrong with which value, and what would be right.
  public let reason: String

  /// An error of `call`.
  public init(_ call: String, _ reason: String) {
    self.call = call
    self.reason = reason
  }
}

extension TensorError: CustomStringConvertible {
  /// `mean(over:): axis 4 is out of range for shape [8, 3, 32, 32]; valid axes are -4 ..< 4`
  public var description: String { "\(call): \(reason)" }
}

/// Runs `body` and throws the first mistake that a tensor call in it made, instead of stopping.
///
/// Inside, a call that makes a mistake returns a poisoned tensor. Calls on a poisoned tensor give
/// poisoned tensors; reading one gives NaN or nothing. The scope belongs to the task, so a server
/// can run each request in one. Swift's own traps, such as `shape[9]`, are not caught.
///
///     let answer = try catchingTensorErrors { model(input).array(of: Float.self) }
///
/// - Throws: the first ``TensorError``, or what `body` throws.
public func catchingTensorErrors<R>(_ body: () throws -> R) throws -> R {
  let scope = ErrorScope()
  let result = try ErrorScope.$current.withValue(scope) { try body() }
  if let error = scope.first { throw error }
  return result
}

/// The asynchronous form of ``catchingTensorErrors(_:)-(()->R)``.
public func catchingTensorErrors<R: Sendable>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
) async throws -> R {
  let scope = ErrorScope()
  let result = try await ErrorScope.$current.withValue(scope) { try await body() }
  if let error = scope.first { throw error }
  return result
}

/// Where the first error of a scope is kept.
final class ErrorScope: Sendable {
  @TaskLocal static var current: ErrorScope?
  private let error = Mutex<TensorError?>(nil)

  var first: TensorError? { error.withLock { $0 } }

  func record(_ new: TensorError) { error.withLock { if $0 == nil { $0 = new } } }
}

/// Reports a mistake: recorded inside a catching scope, the end of the program outside.
package func report(_ error: TensorError, file: StaticString, line: UInt) {
  guard let scope = ErrorScope.current else {
    fatalError(error.description, file: file, line: line)
  }
  scope.record(error)
}

/// Runs the rule of a public call; a mistake gives a poisoned tensor or ends the program.
package func checked(
  file: StaticString, line: UInt, _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  do {
    return try rule()
  } catch {
    report(error, file: file, line: line)
    return .poisoned
  }
}

/// Stops with `message`, in release builds too, when Norma itself is at fault.
func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}
