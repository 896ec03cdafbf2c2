import CNormaLoops
import NormaValues
import Synchronization

/// Records every execution path, if a listener is present.
package enum ExecutionLog {
  /// Reading a task-local value costs more than a small operation, so it is skipped while no one
  /// records.
  private static let listeners = Atomic(0)
  @TaskLocal private static var recorder: Recorder?

  private final class Recorder: Sendable {
    let steps = Mutex<[ExecutionPlan.Step]>([])
  }

  /// Whether this task is being recorded.
  static var isOpen: Bool { listeners.load(ordering: .relaxed) > 0 && recorder != nil }

  /// Adds a step if the task is being recorded.
  @inline(__always)
  static func add(_ step: @autoclosure () -> ExecutionPlan.Step) {
    if listeners.load(ordering: .relaxed) > 0 { keep(step()) }
  }

  /// Adds a stand-alone loop that reads `operands` and writes elements of `shape`.
  @inline(__always)
  static func add(
    _ path: ExecutionPlan.Path, _ operation: @autoclosure () -> String,
    _ operands: @autoclosure () -> [Tensor], into shape: @autoclosure () -> [Int], _ dtype: DType,
    _ traits: @autoclosure () -> Set<ExecutionPlan.Trait> = []
  ) {
    add(
      ExecutionPlan.Step(
        path, [operation()], over: shape(), reads: operands().reduce(0) { $0 + $1.touchedBytes },
        writes: shape().reduce(dtype.byteCount, *), traits()))
  }

  @inline(never)
  private static func keep(_ step: @autoclosure () -> ExecutionPlan.Step) {
    guard let recorder else { return }
    let step = step()
    recorder.steps.withLock { $0.append(step) }
  }

  /// The steps that ran in this task during `body`, with its result.
  package static func recording<R>(
    _ body: () throws -> R
  ) rethrows -> (result: R, steps: [ExecutionPlan.Step]) {
    let own = Recorder()
    listeners.add(1, ordering: .relaxed)
    defer { listeners.subtract(1, ordering: .relaxed) }
    let result = try $recorder.withValue(own, operation: body)
    return (result, own.steps.withLock { $0 })
  }
}

extension Tensor {
  /// The bytes of the elements, each counted once however often it is repeated.
  var touchedBytes: Int { layout.touchedCount * dtype.byteCount }
}

extension Layout {
  /// The number of elements in memory: axes that repeat one element count once.
  var touchedCount: Int {
    if count == 0 { return 0 }
    return zip(shape, strides).reduce(1) { $1.1 == 0 ? $0 : $0 * $1.0 }
  }
}

extension [Program.Instruction] {
  /// The operations by name, in order.
  var operationNames: [String] {
    compactMap { instruction in
      switch instruction.loop {
      case .operation(let code, _): code.name
      case .conversion: "convert"
      case .rounding(let dtype): "round to \(dtype)"
      case .spread: nil
      }
    }
  }
}

extension Plan {
  /// The traits of running it.
  var traits: Set<ExecutionPlan.Trait> {
    var traits: Set<ExecutionPlan.Trait> = []
    if isByRow { traits.insert(.byRow) }
    if isStreamed { traits.insert(.streamed) }
    return traits
  }
}

extension Program {
  /// Bytes of the inputs in memory, by their addresses.
  func readBytes(except known: Set<ObjectIdentifier> = []) -> Int {
    var bytes: [ObjectIdentifier: Int] = [:]
    for input in inputs {
      guard let storage = input.storage else { continue }
      let key = ObjectIdentifier(storage)
      if known.contains(key) { continue }
      let count = min(input.layout.touchedCount * input.dtype.byteCount, storage.byteCount)
      bytes[key] = max(bytes[key] ?? 0, count)
    }
    return bytes.values.reduce(0, +)
  }
}

extension CompiledProgram.Sink {
  /// The name of the reduction.
  var operationName: String {
    switch kind {
    case NORMA_SUM: "sum"
    case NORMA_MOMENTS: "moments"
    case NORMA_REDUCE_MINIMUM: "minimum"
    case NORMA_REDUCE_MAXIMUM: "maximum"
    case NORMA_PRODUCT: "product"
    case NORMA_WEIGHTED_MOMENTS: "weighted moments"
    default: "sum of products"
    }
  }
}
