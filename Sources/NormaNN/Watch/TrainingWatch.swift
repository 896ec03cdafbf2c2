import NormaTensor

extension Module {
  /// Samples every `interval`-th call of each layer in training: moments, extremes and histograms
  /// of its results, of the gradients with respect to them, and of the gradients that an optimizer
  /// uses for each parameter. No tensor is kept, and training is not affected.
  ///
  ///     let watch = network.watch(every: 100)
  ///     for batch in batches { step(batch) }
  ///     print(watch.report())
  ///     watch.stop()
  ///
  /// Norma's own layers are watched while this module is in training mode; calls in evaluation do
  /// not count. The first call is sampled. Several watches may watch the same network.
  ///
  /// - Cost: negligible between samples. A sample evaluates the layer's result, which may otherwise
  ///   have been fused into a program, and takes two passes over it and two over its gradient;
  ///   memory is a few kilobytes per layer, however long training takes.
  /// - PyTorch has hooks for building this; `wandb.watch` belongs to a hosted service.
  /// - Returns: An object that stops the watch and has its report; the watch ends when the object
  ///   is released.
  public func watch(
    every interval: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> TrainingWatch {
    if interval < 1 {
      let error = TensorError(
        "watch(every:)",
        "the interval must be at least 1 call, got \(interval)")
      report(error, file: file, line: line)
    }
    return TrainingWatch(self, every: max(interval, 1))
  }
}

/// An active watch of a network in training; see ``Module/watch(every:file:line:)``.
public final class TrainingWatch {
  /// One in this many calls is sampled.
  public let interval: Int
  private var layers: [(module: Module, watcher: LayerWatcher)] = []
  private var parameters: [(parameter: Parameter, watcher: ParameterWatcher)] = []

  init(_ model: Module, every interval: Int) {
    self.interval = interval
    var seen: Set<ObjectIdentifier> = []
    for (name, module) in model.namedModules where seen.insert(ObjectIdentifier(module)).inserted {
      let watcher = LayerWatcher(
        .init(name: name, kind: "\(type(of: module))"), root: model, interval: interval)
      module.watchers.append(watcher)
      layers.append((module, watcher))
    }
    for (name, parameter) in model.namedParameters {
      let watcher = ParameterWatcher(.init(name: name), interval: interval)
      parameter.watchers.append(watcher)
      parameters.append((parameter, watcher))
    }
  }

  /// The report so far. It leaves out layers that were not called and parameters that were not
  /// updated.
  public func report() -> WatchReport {
    WatchReport(
      interval: interval, layers: layers.map(\.watcher.record).filter { $0.calls > 0 },
      parameters: parameters.map(\.watcher.record).filter { $0.steps > 0 })
  }

  /// Clears the report, as for a new epoch; the next call of each layer is sampled.
  public func restart() {
    for (_, watcher) in layers {
      watcher.record = .init(name: watcher.record.name, kind: watcher.record.kind)
    }
    for (_, watcher) in parameters { watcher.record = .init(name: watcher.record.name) }
  }

  /// Ends the watch; the report remains available.
  public func stop() {
    for (module, watcher) in layers { module.watchers.removeAll { $0 === watcher } }
    for (parameter, watcher) in parameters { parameter.watchers.removeAll { $0 === watcher } }
  }

  deinit { stop() }
}

/// Observes one layer's calls.
final class LayerWatcher {
  var record: WatchReport.Layer
  private weak var root: Module?
  private let interval: Int

  init(_ record: WatchReport.Layer, root: Module, interval: Int) {
    self.record = record
    self.root = root
    self.interval = interval
  }

  /// Returns the result of a call, made to report its gradient if the call is sampled.
  func look(at result: Tensor) -> Tensor {
    guard root?.isTraining == true, !result.isPoisoned else { return result }
    // When a checkpoint recomputes, it is the same call, and the recomputed result gets the
    // gradient.
    if !GradientMode.isRecomputing {
      record.calls += 1
      if isSample { record.activations.add(result.evaluated()) }
    }
    guard isSample, result.hasHistory else { return result }
    return result.onGradient { [self] gradient in
      record.gradients.add(gradient)
      return nil
    }
  }

  private var isSample: Bool { (record.calls - 1) % interval == 0 }
}

/// Observes the gradients that update one parameter.
final class ParameterWatcher {
  var record: WatchReport.ParameterGradients
  private let interval: Int

  init(_ record: WatchReport.ParameterGradients, interval: Int) {
    self.record = record
    self.interval = interval
  }

  func look(at gradient: Tensor) {
    if record.steps % interval == 0 { record.gradients.add(gradient) }
    record.steps += 1
  }
}
