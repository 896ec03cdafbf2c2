import NormaKernels
import NormaValues
import Synchronization

/// One operation as it was called, for those who write a call in another form, such as a graph of a
/// file. Views are not operations: a tensor with the node of a result and another layout is one.
package struct RecordedOperation: Sendable {
  /// What an operation computes.
  package enum Kind: Sendable {
    /// An instruction on operands that broadcast, in their common type `type`; a number may stand
    /// at the position of an operand.
    case elementwise(String, type: DType, number: (position: Int, value: Double)?)
    /// The operand in another order in memory.
    case copy
    case matmul
    /// `sum`, `squares` (the sum of squared distances from the mean), `minimum`, `maximum` or
    /// `product` over axes, divided by a number, and its root if wanted.
    case reduction(String, axes: [Int], keepsAxes: Bool, divisor: Double, isRoot: Bool)
    case softmax(axis: Int, isLog: Bool)
    case logSumExp(axes: [Int], keepsAxes: Bool)
    case concatenation(axis: Int)
    /// The elements of the first operand, `[outer, size, inner]`, at the indices of the second.
    case gather
    /// The operand within a larger shape, at `start`.
    case padding(start: [Int], shape: [Int], value: Double)
    case convolution(
      stride: [Int], dilation: [Int], before: [Int], after: [Int], groups: Int)
    /// A convolution's gradient with respect to its source, as a function of its upstream.
    case transposedConvolution(
      stride: [Int], dilation: [Int], before: [Int], groups: Int, space: [Int])
    /// Maxima over windows of `[N, C, space...]`.
    case maxPooling([WindowAxis])
    /// A weighted sum along an axis.
    case axisMap(AxisMap, axis: Int)
    /// (x - mean) / √(variance + eps) * weight + bias over `axes`, with the operand's own
    /// statistics; the operands are x and, if there are any, weight and bias.
    case normalization(
      axes: [Int], isCentered: Bool, eps: Double, hasWeight: Bool, hasBias: Bool)
    /// The same with given statistics: x, mean, variance, weight, bias.
    case givenNormalization(eps: Double, hasWeight: Bool, hasBias: Bool)
    /// softmax(q kᵀ scale + mask) v.
    case attention(isCausal: Bool, scale: Double, isGrouped: Bool)
    /// An operation that has no entry here, by the caller's name.
    case other(String)
  }

  package let kind: Kind
  package let operands: [Tensor]
  package let result: Tensor
}

/// Records the operations of a call. Whoever records holds all results meanwhile.
package final class OperationRecord: Sendable {
  /// Reading a task-local value costs more than a small operation, so it is skipped while no one
  /// records.
  private static let listeners = Atomic(0)
  @TaskLocal private static var current: OperationRecord?

  private struct State {
    var operations: [ObjectIdentifier: RecordedOperation] = [:]
    /// Keeps what was replaced, so that no address is used again.
    var replaced: [RecordedOperation] = []
  }
  private let state = Mutex(State())

  /// A record of the operations in this task during `body`, and its result.
  package static func recording<R>(
    _ body: () throws -> R
  ) rethrows -> (result: R, record: OperationRecord) {
    let record = OperationRecord()
    listeners.add(1, ordering: .relaxed)
    defer { listeners.subtract(1, ordering: .relaxed) }
    let result = try $current.withValue(record, operation: body)
    return (result, record)
  }

  /// The operation that made the values of a tensor, of which this may be a view.
  package func operation(of tensor: Tensor) -> RecordedOperation? {
    state.withLock { $0.operations[ObjectIdentifier(tensor.node)] }
  }

  @inline(__always)
  fileprivate static var isOpen: Bool { listeners.load(ordering: .relaxed) > 0 }

  /// Adds an operation; a later one with the same result, of which earlier ones are steps, replaces
  /// them, and `isFallback` replaces none.
  @inline(never)
  fileprivate static func keep(
    _ kind: RecordedOperation.Kind, _ operands: [Tensor], _ result: Tensor, isFallback: Bool
  ) {
    guard let current, !operands.contains(where: { $0.node === result.node }) else { return }
    let operation = RecordedOperation(
      kind: kind, operands: operands.map { $0.detached() }, result: result.detached())
    let id = ObjectIdentifier(result.node)
    current.state.withLock { state in
      if let old = state.operations[id] {
        if isFallback { return }
        state.replaced.append(old)
      }
      state.operations[id] = operation
    }
  }
}

extension Tensor {
  /// This result of an operation, after adding it to the record of the task, if there is one.
  @inline(__always)
  package func noted(
    _ kind: @autoclosure () -> RecordedOperation.Kind, _ operands: @autoclosure () -> [Tensor],
    isFallback: Bool = false
  ) -> Tensor {
    if OperationRecord.isOpen {
      OperationRecord.keep(kind(), operands(), self, isFallback: isFallback)
    }
    return self
  }

  /// The identity of the values, which views share.
  package var source: ObjectIdentifier { ObjectIdentifier(node) }
}
