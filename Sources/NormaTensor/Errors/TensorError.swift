import NormaValues
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

  /// The file of the call that made the mistake, as `#fileID` names it; nil for operators.
  ///
  /// In Swift an operator takes its operands and nothing else, so that `a + b` cannot know its caller; the text
  /// has the operator and both shapes, and ``layer`` the layer. Functions, subscripts and readers know their caller.
  /// Memory that is missing when pending work runs is a mistake of the call that wanted the numbers.
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
  @inline(never)
  public init(_ call: String, _ reason: String) {
    self.call = call
    self.reason = reason
  }

  /// Whether the place is still to come, from the call that the library was asked for.
  fileprivate(set) var isOpen = false

  /// Whether memory was missing: then the call is the one that the library was asked for, whichever part of it
  /// wanted the memory.
  fileprivate(set) var isOfMemory = false

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
/// ``Tensor/array(of:file:line:)->[T]`` one 0, and the shape has eight axes of size 1, so that
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

  /// Whether some error has waited for its place since the program began: until then nobody looks for one.
  private static let hasWaited = Atomic(false)

  func record(_ new: TensorError) {
    if new.isOpen { ErrorScope.hasWaited.store(true, ordering: .relaxed) }
    error.withLock { if $0 == nil { $0 = new } }
  }

  /// Gives an error of the scope that waits for its place that of the public call that ends here, and
  /// its name where memory was missing.
  static func place(call: @autoclosure () -> String, _ file: StaticString, _ line: UInt) {
    if hasWaited.load(ordering: .relaxed) { placeWaiting(call: call(), file, line) }
  }

  // What runs only after a mistake is not inlined: the compiler would copy it into every public call.
  @inline(never)
  private static func placeWaiting(
    call: @autoclosure () -> String, _ file: StaticString, _ line: UInt
  ) {
    current?.error.withLock { error in
      guard let found = error, found.isOpen else { return }
      error = (found.isOfMemory ? found.named(call()) : found).at(file, line)
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
    return memory(call, "shape \(shape) of \(dtype) takes \(bytes) bytes")
  }

  /// Work on elements of a shape for which there is no memory.
  static func scratch(_ shape: [Int], bytes: Int) -> TensorError {
    memory("", "shape \(shape) takes \(bytes) bytes of scratch")
  }

  private static func memory(_ call: String, _ need: String) -> TensorError {
    var error = TensorError(call, "\(need), and there is no such memory")
    (error.isOpen, error.isOfMemory) = (true, true)
    return error
  }

  /// The same mistake of another call.
  @inline(never)
  fileprivate func named(_ call: String) -> TensorError {
    var error = TensorError(call, reason)
    (error.file, error.line, error.layer) = (file, line, layer)
    (error.isOpen, error.isOfMemory) = (isOpen, isOfMemory)
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
///
/// - Parameter call: the call's name where `function` is not it.
package func checked(
  file: StaticString, line: UInt, isCaller: Bool = true, call: String? = nil,
  function: StaticString = #function, _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  do {
    let result = try rule()
    // Memory may have been missing where no caller was known.
    ErrorScope.place(call: call ?? "\(function)".asCall, file, line)
    return result
  } catch {
    refuse(
      error, call: call ?? "\(function)".asCall, file: file, line: line, isCaller: isCaller)
    return .poisoned
  }
}

/// Reports a mistake of a public call, or of one inside of it.
@inline(never)
func refuse(
  _ error: TensorError, call: @autoclosure () -> String, file: StaticString, line: UInt,
  isCaller: Bool = true
) {
  report(
    error.isOfMemory ? error.named(call()) : error, file: file, line: line, isCaller: isCaller)
  ErrorScope.place(call: call(), file, line)
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
