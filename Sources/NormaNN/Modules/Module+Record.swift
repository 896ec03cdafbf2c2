import NormaTensor

extension Module {
  /// The calls of Norma's own modules in `body`, with operand and result, and the record of its
  /// operations.
  package static func recordingCalls<R>(
    _ body: () throws -> R
  ) rethrows -> (
    result: R, calls: [(module: Module, input: Tensor, output: Tensor)], record: OperationRecord
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
