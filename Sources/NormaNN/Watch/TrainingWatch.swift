import NormaTensor

extension Module {
  /// Looks at every `interval`-th call of each layer in training: moments, extremes and histograms of its
  /// results and of the gradients that come back to them, and of the gradients with which an
  /// optimizer moves each parameter. No tensor is kept, and no number of the training changes.
  ///
  ///     let watch = network.watch(every: 100)
  ///     for batch in batches { step(batch) }
  ///     print(watch.report())
  ///     watch.stop()
  ///
  /// Layers of Norma's own are watched, where this module is in training mode when they are called;
  /// calls in evaluation do not count. The first call is looked at. Several watches may watch one
  /// network.
  ///
  /// - Cost: nothing to speak of between samples. A sample evaluates the layer's result, which may
  ///   otherwise have been part of a program, and takes two trips over it and two over its gradient;
  ///   memory of a few kilobytes a layer, however long training is.
  /// - PyTorch has hooks to build this from; `wandb.watch` is a service's.
  /// - Returns: What stops the watch and has its report; it stops by itself when it is let go of.
  public func watch(
    every interval: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> TrainingWatch {
    if interval < 1 {
      let error = TensorError("watch(every:)", "an interval is at least 1 call, got \(interval)")
      report(error, file: file, line: line)
    }
    return TrainingWatch(self, every: max(interval, 1))
  }
}

/// A running look at a network in training; see ``Module/watch(every:file:line:)``.
public final class TrainingWatch {
  /// One call of so many is looked at.
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

  /// What was seen so far. Layers that were never called, and parameters that never moved, are left
  /// out.
  public func report() -> WatchReport {
    WatchReport(
      interval: interval, layers: layers.map(\.watcher.record).filter { $0.calls > 0 },
      parameters: parameters.map(\.watcher.record).filter { $0.steps > 0 })
  }

  /// Forgets what was seen, as for a new epoch; the next call of each layer is looked at.
  public func restart() {
    for (_, watcher) in layers {
      watcher.record = .init(name: watcher.record.name, kind: watcher.record.kind)
    }
    for (_, watcher) in parameters { watcher.record = .init(name: watcher.record.name) }
  }

  /// Ends the watch; the report stays.
  public func stop() {
    for (module, watcher) in layers { module.watchers.removeAll { $0 === watcher } }
    for (parameter, watcher) in parameters { parameter.watchers.removeAll { $0 === watcher } }
  }

  deinit { stop() }
}

/// Looks at one layer's calls.
final class LayerWatcher {
  var record: WatchReport.Layer
  private weak var root: Module?
  private let interval: Int

  init(_ record: WatchReport.Layer, root: Module, interval: Int) {
    self.record = record
    self.root = root
    self.interval = interval
  }

  /// The result of a call, which may now tell its gradient.
  func look(at result: Tensor) -> Tensor {
    guard root?.isTraining == true, !result.isPoisoned else { return result }
    // A checkpoint's second run is the same call; its gradient is the one that comes back.
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

/// Looks at the gradients with which one parameter moves.
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
