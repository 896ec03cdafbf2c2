import NormaValues
import Synchronization

/// A mistake in a call: shapes, axes, types or options that do not fit together.
///
/// Outside of ``catchingTensorErrors(_:)`` such a mistake stops the program with this text and the
/// caller's file and line.
/// PyTorch: `RuntimeError`, `IndexError`, `TypeError`, `ValueError`.
public struct TensorError: Error, Sendable, Hashable {
  /// The call as the user wrote it: `mean(over:)`.
  public let call: String

  /// What was wrong with which value, and what would be valid.
  public let reason: String

  /// The file of the call that made the mistake, in the form of `#fileID`; nil for operators.
  ///
  /// An operator in Swift takes only its operands, so `a + b` cannot know its call site; the text
  /// contains the operator and both shapes, and ``layer`` the layer. Functions, subscripts and
  /// readers know their caller. If memory runs out while pending work runs, the error is that of
  /// the call that needed the numbers.
  public internal(set) var file: String?

  /// The line of that call.
  public internal(set) var line: Int?

  /// The layer in which the call was made: `layers.3 (Linear)`; nil outside of layers.
  ///
  /// The name is the one under which a network listed the layer, as `eval()` and `namedModules` do;
  /// failing that, its position in a `Sequential`.
  public internal(set) var layer: String?

  /// Whether the task was cancelled after the mistake, and the scope's body threw for that reason.
  public internal(set) var wasCancelled = false

  /// An error of `call`.
  @inline(never)
  public init(_ call: String, _ reason: String) {
    self.call = call
    self.reason = reason
  }

  /// Whether the file and line are still to be set, to those of the public call.
  fileprivate(set) var isOpen = false

  /// Whether memory ran out: then the call named is the public one, whichever part of it needed the
  /// memory.
  fileprivate(set) var isOfMemory = false

  /// The error with a file and line. An error inside the library is updated later to those of its
  /// caller.
  func at(_ file: StaticString, _ line: UInt) -> TensorError {
    var error = self
    let name = "\(file)"
    error.isOpen = TensorError.rooms.contains { name.hasPrefix($0) }
    if !error.isOpen { (error.file, error.line) = (name, Int(line)) }
    return error
  }

  private static let rooms = [
    "NormaTensor/", "NormaNN/", "NormaFiles/", "NormaONNX/", "NormaExplain/",
  ]
}

extension TensorError: CustomStringConvertible {
  /// `mean(over:): axis 4 is out of range for shape [8, 3, 32, 32]; valid axes are -4 ..< 4`, and
  /// the layer.
  public var description: String {
    (call.isEmpty ? reason : "\(call): \(reason)") + (layer.map { "; in \($0)" } ?? "")
  }
}

/// Runs `body` and throws the first mistake that a tensor call in it made, instead of stopping the
/// program.
///
/// Inside, a call with a mistake returns a poisoned tensor, and calls on poisoned tensors return
/// poisoned tensors. Before a result is turned into anything else, ``Tensor/validated()`` throws
/// the mistake; this is the safe pattern for a server, which runs each request in a scope of its
/// task:
///
///     let name = try catchingTensorErrors {
///       let scores = try model(input).validated()
///       return names[scores.argmax().item(as: Int.self)]
///     }
///
/// Without it, reading a poisoned tensor gives zeros, which look like an answer: the scope throws
/// at its end, but what was read may have been passed on by then. ``Tensor/item(file:line:)`` gives
/// 0, ``Tensor/array(of:file:line:)->[T]`` a single 0, and the shape has eight axes of size 1, so
/// that `names[Int(scores.argmax().item())]`, `scores.array(of: Float.self)[0]` and
/// `scores.shape[1]` do not end the process. Swift's own traps, such as `array[9]`, are not caught.
///
/// Running out of memory counts as such a mistake, too.
///
/// - Throws: the first ``TensorError``, with its call site; otherwise what `body` throws. If that
///   is a `CancellationError` and a mistake came before it, the mistake is thrown, with
///   ``TensorError/wasCancelled`` set.
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
  /// This tensor; throws if a mistake produced it. Use it at the end of a computation in
  /// ``catchingTensorErrors(_:)-(()->R)``, before reading the result.
  ///
  /// Nothing is evaluated, so running out of memory later is not detected here.
  public func validated() throws(TensorError) -> Tensor {
    guard isPoisoned else { return self }
    throw ErrorScope.current?.first
      ?? TensorError("validated()", "the tensor is the result of a mistake in another scope")
  }
}

/// Holds the first error of a scope.
final class ErrorScope: Sendable {
  @TaskLocal static var current: ErrorScope?
  private let error = Mutex<TensorError?>(nil)

  var first: TensorError? { error.withLock { $0 } }

  /// Whether any error has lacked its call site since the program began: until then, none needs to
  /// be looked for.
  private static let hasWaited = Atomic(false)

  func record(_ new: TensorError) {
    if new.isOpen { ErrorScope.hasWaited.store(true, ordering: .relaxed) }
    error.withLock { if $0 == nil { $0 = new } }
  }

  /// Sets the call site of the scope's error, if it still lacks one, to that of the public call
  /// that ends here, and its name too if memory ran out.
  static func locate(call: @autoclosure () -> String, _ file: StaticString, _ line: UInt) {
    if hasWaited.load(ordering: .relaxed) { locateWaiting(call: call(), file, line) }
  }

  // What runs only after a mistake is not inlined: it would be copied into every public call.
  @inline(never)
  private static func locateWaiting(
    call: @autoclosure () -> String, _ file: StaticString, _ line: UInt
  ) {
    current?.error.withLock { error in
      guard let found = error, found.isOpen else { return }
      error = (found.isOfMemory ? found.named(call()) : found).at(file, line)
    }
  }

  /// Names the layer of a mistake that a call at this file and line made.
  func name(layer: String, _ file: StaticString, _ line: UInt) {
    error.withLock { error in
      guard let found = error, found.layer == nil, found.line == Int(line), found.file == "\(file)"
      else { return }
      error?.layer = layer
    }
  }

  /// The error that the scope throws when its body has thrown.
  fileprivate func outcome(of thrown: any Error) -> any Error {
    guard thrown is CancellationError, var error = first else { return thrown }
    error.wasCancelled = true
    return error
  }
}

extension TensorError {
  /// There is not enough memory for these elements.
  static func memory(_ shape: [Int], _ dtype: DType, _ call: String = "") -> TensorError {
    let bytes = shape.reduce(dtype.byteCount, *)
    return memory(call, "shape \(shape) of \(dtype) takes \(bytes) bytes")
  }

  /// There is not enough scratch memory for work on elements of a shape.
  static func scratch(_ shape: [Int], bytes: Int) -> TensorError {
    memory("", "shape \(shape) takes \(bytes) bytes of scratch")
  }

  private static func memory(_ call: String, _ need: String) -> TensorError {
    var error = TensorError(call, "\(need), more than the available memory")
    (error.isOpen, error.isOfMemory) = (true, true)
    return error
  }

  /// The same error for another call.
  @inline(never)
  fileprivate func named(_ call: String) -> TensorError {
    var error = TensorError(call, reason)
    (error.file, error.line, error.layer) = (file, line, layer)
    (error.isOpen, error.isOfMemory) = (isOpen, isOfMemory)
    return error
  }
}

/// Reports a mistake: recorded inside a catching scope; outside, it ends the program.
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

/// Runs the rule of a public call; a mistake returns a poisoned tensor or ends the program.
///
/// - Parameter call: the call's name, if it differs from `function`.
package func checked(
  file: StaticString, line: UInt, isCaller: Bool = true, call: String? = nil,
  function: StaticString = #function, _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  do {
    let result = try rule()
    // Memory may have run out where the caller was unknown.
    ErrorScope.locate(call: call ?? "\(function)".asCall, file, line)
    return result
  } catch {
    refuse(
      error, call: call ?? "\(function)".asCall, file: file, line: line, isCaller: isCaller)
    return .poisoned
  }
}

/// The same for a rule on `x`, which is the result if an earlier mistake produced it.
package func checked(
  _ x: Tensor, file: StaticString, line: UInt, call: String? = nil,
  function: StaticString = #function, _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  x.isPoisoned ? x : checked(file: file, line: line, call: call, function: function, rule)
}

/// The same for a rule on two tensors.
package func checked(
  _ x: Tensor, _ y: Tensor, file: StaticString, line: UInt, call: String? = nil,
  function: StaticString = #function, _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  x.isPoisoned || y.isPoisoned
    ? .poisoned : checked(file: file, line: line, call: call, function: function, rule)
}

/// The same for a call that does not return one tensor; after a mistake it returns `fallback`.
func checked<Result>(
  file: StaticString, line: UInt, call: String, else fallback: @autoclosure () -> Result,
  _ rule: () throws(TensorError) -> Result
) -> Result {
  do {
    let result = try rule()
    ErrorScope.locate(call: call, file, line)
    return result
  } catch {
    refuse(error, call: call, file: file, line: line)
    return fallback()
  }
}

extension TaskLocal {
  /// `withValue` for a body that makes mistakes.
  func with<R>(_ value: Value, _ body: () throws(TensorError) -> R) throws(TensorError) -> R {
    try withValue(value) { Result(catching: body) }.get()
  }
}

/// Reports a mistake of a public call, or of a call inside it.
@inline(never)
func refuse(
  _ error: TensorError, call: @autoclosure () -> String, file: StaticString, line: UInt,
  isCaller: Bool = true
) {
  report(
    error.isOfMemory ? error.named(call()) : error, file: file, line: line, isCaller: isCaller)
  ErrorScope.locate(call: call(), file, line)
}

extension String {
  /// A function's name without the parameters for the call site.
  fileprivate var asCall: String {
    let text = replacing("file:line:", with: "")
    return text.hasSuffix("(_:_:)") && !(text.first?.isLetter ?? false)
      ? String(text.dropLast(6)) : text
  }
}

extension TensorError {
  /// Names the layer in the scope's error, if a call at this file and line made it.
  package static func name(layer: String, file: StaticString, line: UInt) {
    ErrorScope.current?.name(layer: layer, file, line)
  }
}

/// Throws a mistake of `call` unless `condition` holds.
@inline(__always)
func demand(
  _ condition: Bool, _ call: String, _ reason: @autoclosure () -> String
) throws(TensorError) {
  if !condition { throw TensorError(call, reason()) }
}

/// Stops with `message`, in release builds too, when Norma itself is at fault.
func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}
