import NormaKernels
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

  /// The file of the call that made the mistake, as `#fileID` names it; nil for operators and subscripts,
  /// which do not know their caller.
  public internal(set) var file: String?

  /// The line of that call.
  public internal(set) var line: Int?

  /// The layer that the call was part of: `layers.3 (Linear)`; nil outside of layers.
  ///
  /// The name is the one under which a network listed the layer, as `eval()` and `namedModules` do; without that,
  /// its position in a `Sequential`.
  public internal(set) var layer: String?

  /// Whether the task was cancelled after the mistake, and the body of the scope threw for that.
  public internal(set) var wasCancelled = false

  /// An error of `call`.
  public init(_ call: String, _ reason: String) {
    self.call = call
    self.reason = reason
  }

  /// Whether the place is still to come, from the call that the library was asked for.
  private(set) var isOpen = false

  /// The error of a call at a place. One inside of the library waits for that of its caller.
  func at(_ file: StaticString, _ line: UInt) -> TensorError {
    var error = self
    let name = "\(file)"
    error.isOpen = TensorError.rooms.contains { name.hasPrefix($0) }
    if !error.isOpen { (error.file, error.line) = (name, Int(line)) }
    return error
  }

  private static let rooms = ["NormaTensor/", "NormaNN/", "NormaFiles/", "NormaExplain/"]
}

extension TensorError: CustomStringConvertible {
  /// `mean(over:): axis 4 is out of range for shape [8, 3, 32, 32]; valid axes are -4 ..< 4`, and the layer.
  public var description: String {
    (call.isEmpty ? reason : "\(call): \(reason)") + (layer.map { "; in \($0)" } ?? "")
  }
}

/// Runs `body` and throws the first mistake that a tensor call in it made, instead of stopping.
///
/// Inside, a call that makes a mistake returns a poisoned tensor. Calls on a poisoned tensor give poisoned
/// tensors. Wherever one becomes something else, ``Tensor/validated()`` stops the request; that is the safe
/// pattern of a server, which runs each request in a scope of its task:
///
///     let name = try catchingTensorErrors {
///       let scores = try model(input).validated()
///       return names[scores.argmax().item(as: Int.self)]
///     }
///
/// Without it, reading a poisoned tensor gives zeros, which are no answer: the scope throws at its end, but
/// what was read may have gone elsewhere before. ``Tensor/item(file:line:)`` gives 0,
/// ``Tensor/array(of:)`` one 0, and the shape has eight axes of size 1, so that
/// `names[Int(scores.argmax().item())]`, `scores.array(of: Float.self)[0]` and `scores.shape[1]` do not end
/// the process. Swift's own traps, such as `array[9]`, are not caught.
///
/// Memory that the system does not have is such a mistake, too.
///
/// - Throws: the first ``TensorError``, with the place of the call; or what `body` throws. Where that is
///   `CancellationError`, a mistake before it is thrown, and ``TensorError/wasCancelled`` set.
public func catchingTensorErrors<R>(_ body: () throws -> R) throws -> R {
  let scope = ErrorScope()
  do {
    let result = try ErrorScope.$current.withValue(scope) { try body() }
    if let error = scope.first { throw error }
    return result
  } catch {
    throw scope.outcome(of: error)
  }
}

/// The asynchronous form of ``catchingTensorErrors(_:)-(()->R)``.
public func catchingTensorErrors<R: Sendable>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
) async throws -> R {
  let scope = ErrorScope()
  do {
    let result = try await ErrorScope.$current.withValue(scope) { try await body() }
    if let error = scope.first { throw error }
    return result
  } catch {
    throw scope.outcome(of: error)
  }
}

extension Tensor {
  /// This tensor, unless a mistake made it: then the mistake is thrown. For the end of a computation in
  /// ``catchingTensorErrors(_:)-(()->R)``, before its result is read.
  ///
  /// Nothing is evaluated, so memory that is missing later is not seen yet.
  public func validated() throws(TensorError) -> Tensor {
    guard isPoisoned else { return self }
    throw ErrorScope.current?.first
      ?? TensorError("validated()", "the tensor comes from a mistake in another scope")
  }
}

/// Where the first error of a scope is kept.
final class ErrorScope: Sendable {
  @TaskLocal static var current: ErrorScope?
  private let error = Mutex<TensorError?>(nil)

  var first: TensorError? { error.withLock { $0 } }

  func record(_ new: TensorError) { error.withLock { if $0 == nil { $0 = new } } }

  /// Gives an error that was made inside of the library the place of the outer call, and the call itself
  /// where that is not known yet.
  func place(call: @autoclosure () -> String, _ file: StaticString, _ line: UInt) {
    error.withLock { error in
      guard let found = error, found.isOpen else { return }
      let name = found.call.isEmpty || found.call == Node.lossCall ? call() : found.call
      var placed = TensorError(name, found.reason).at(file, line)
      placed.layer = found.layer
      error = placed
    }
  }

  /// Names the layer of a mistake that a call at this place made.
  func name(layer: String, _ file: StaticString, _ line: UInt) {
    error.withLock { error in
      guard let found = error, found.layer == nil, found.line == Int(line), found.file == "\(file)"
      else { return }
      error?.layer = layer
    }
  }

  /// What the scope throws where its body has thrown.
  fileprivate func outcome(of thrown: any Error) -> any Error {
    guard thrown is CancellationError, var error = first else { return thrown }
    error.wasCancelled = true
    return error
  }
}

extension TensorError {
  /// Elements for which there is no memory.
  static func memory(_ shape: [Int], _ dtype: DType, _ call: String = "") -> TensorError {
    let bytes = shape.reduce(dtype.byteCount, *)
    var error = TensorError(
      call, "shape \(shape) of \(dtype) takes \(bytes) bytes, and there is no such memory")
    error.isOpen = true
    return error
  }
}

/// Reports a mistake: recorded inside a catching scope, the end of the program outside.
///
/// - Parameter isCaller: whether `file` and `line` are those of the caller.
package func report(
  _ error: TensorError, file: StaticString, line: UInt, isCaller: Bool = true
) {
  var error = error
  if error.layer == nil { error.layer = CallFrame.current?.description }
  guard let scope = ErrorScope.current else {
    fatalError(error.description, file: file, line: line)
  }
  scope.record(isCaller ? error.at(file, line) : error)
}

/// Runs the rule of a public call; a mistake gives a poisoned tensor or ends the program.
package func checked(
  file: StaticString, line: UInt, isCaller: Bool = true, function: StaticString = #function,
  _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  do {
    let result = try rule()
    // Memory may have been missing where no caller was known.
    if result.isPoisoned { ErrorScope.current?.place(call: "\(function)".asCall, file, line) }
    return result
  } catch {
    report(error, file: file, line: line, isCaller: isCaller)
    ErrorScope.current?.place(call: "\(function)".asCall, file, line)
    return .poisoned
  }
}

extension String {
  /// A function's name without the parameters that tell the caller's place.
  fileprivate var asCall: String {
    let text = replacing("file:line:", with: "")
    return text.hasSuffix("(_:_:)") && !(text.first?.isLetter ?? false)
      ? String(text.dropLast(6)) : text
  }
}

extension TensorError {
  /// Says of the mistake that a call at this place made, if it made one, in which layer it was.
  package static func name(layer: String, file: StaticString, line: UInt) {
    ErrorScope.current?.name(layer: layer, file, line)
  }
}

/// Stops with `message`, in release builds too, when Norma itself is at fault.
func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}
