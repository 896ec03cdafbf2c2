import NormaTensor

extension Module {
  /// Norma's own modules that `body` calls, in call order.
  package func calls(in body: () throws -> Void) rethrows -> [Module] {
    let recorder = CallRecorder()
    try CallRecorder.$current.withValue(recorder) { try body() }
    return recorder.calls.map(\.module)
  }

  /// Runs `body` with all modules in evaluation mode, and restores their modes afterwards.
  package func withEvaluation<R>(_ body: () throws -> R) rethrows -> R {
    let modes = namedModules.map { ($0.module, $0.module.isTraining) }
    eval()
    defer { for (module, isTraining) in modes { module.setOwnMode(isTraining) } }
    return try body()
  }

  /// Whether another layer runs for this one, or something looks at the results of its calls.
  package var isReplacedOrWatched: Bool {
    standIn != nil || !watchers.isEmpty || CallRecorder.current != nil
  }
}

extension BatchNorm {
  /// Whether a call only maps each channel by the running statistics, and nothing observes it: then
  /// the map may be folded into the layer before.
  package var isFixedMap: Bool {
    standIn == nil && intercept == nil && watchers.isEmpty && !usesBatchStatistics
  }

  /// Whether the calls of layers are recorded in this task.
  package static var areCallsRecorded: Bool { CallRecorder.current != nil }
}
