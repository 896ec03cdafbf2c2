import NormaTensor

/// A call of one of Norma's own modules.
package struct ModuleCall {
  package let module: Module
  package let input: Tensor
  package let output: Tensor
  /// The states that a recurrent layer was given: hidden and, for LSTM, cell.
  package var states: [Tensor] = []
  /// Those after the last step.
  package var lastStates: [Tensor] = []
}

extension CallRecorder {
  /// Adds the states of a recurrent layer to its call, the latest one.
  static func note(states: [Tensor?], last: [Tensor]) {
    guard let recorder = current, let calls = recorder.seen, !calls.isEmpty else { return }
    recorder.seen?[calls.count - 1].states = states.compactMap { $0 }
    recorder.seen?[calls.count - 1].lastStates = last
  }
}

extension Module {
  /// The calls of Norma's own modules in `body`, with operand and result, and the record of its
  /// operations.
  package static func recordingCalls<R>(
    _ body: () throws -> R
  ) rethrows -> (
    result: R, calls: [ModuleCall], record: OperationRecord
  ) {
    let recorder = CallRecorder()
    recorder.seen = []
    let (result, record) = try CallRecorder.$current.withValue(recorder) {
      try OperationRecord.recording(body)
    }
    return (result, recorder.seen ?? [], record)
  }
}

extension RNN {
  /// Whether states go through a ReLU, and not tanh.
  package var isRelu: Bool { recurrence.activations == [.relu] }
}

extension AvgPool {
  /// The number of axes that windows span.
  package var spatialAxes: Int { space }
}
