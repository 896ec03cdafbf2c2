import NormaTensor

/// Ends a training that gets no better, and keeps the best model.
///
///     var stopping = EarlyStopping(patience: 5)
///     for epoch in 0..<100 {
///       train(network)
///       stopping.step(validationLoss(network), network)
///       if stopping.shouldStop { break }
///     }
///     try stopping.restore(network)
///
/// `step` returns whether the model is the best so far, which is the moment to write it to a file, such as a
/// `Checkpoint`. ``state`` is all that a resumed run needs beside the model; it can be a checkpoint's note. PyTorch has
/// none; Keras: `EarlyStopping(restore_best_weights=True)`.
public struct EarlyStopping: Sendable {
  /// What has to be saved.
  public struct State: Sendable, Hashable, Codable {
    /// The best number so far, always finite; nil before there was one.
    public var best: Double?
    /// The number of the report that was best, from 0.
    public var bestStep: Int?
    /// How many reports there were.
    public var stepCount = 0
    /// How many reports in a row were not better.
    public var badCount = 0

    /// The state before the first report.
    public init() {}
  }

  private let patience: Int
  private let minimumDelta: Double
  private let isLowerBetter: Bool
  /// What has to be saved.
  public var state = State()
  /// Parameters and buffers of the best model by name; nil before there was one. Values are shared with the
  /// model until training replaces them. A resumed run sets it from the file of the best model.
  public var bestModel: StateDict?

  /// Stops after `patience` reports in a row that are not better than the best by more than `minimumDelta`.
  public init(
    patience: Int = 10, minimumDelta: Double = 0, isLowerBetter: Bool = true,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var problem = negativeOption(("minimumDelta", minimumDelta))
    if patience < 1 { problem = "patience must be at least 1, got \(patience)" }
    if let problem {
      report(TensorError("EarlyStopping(patience:minimumDelta:)", problem), file: file, line: line)
    }
    self.patience = max(patience, 1)
    self.minimumDelta = minimumDelta
    self.isLowerBetter = isLowerBetter
  }

  /// Whether it is time to stop.
  public var shouldStop: Bool { state.badCount >= patience }

  /// Reports a number, such as the loss or the accuracy of an epoch, and the model that had it.
  ///
  /// NaN and infinite numbers are never better. The first finite one is the best so far.
  /// - Returns: Whether it is the best so far; then the model's state is kept.
  @discardableResult
  public mutating func step(_ number: Double, _ model: Module? = nil) -> Bool {
    let isBeyond = state.best.map {
      isLowerBetter ? number < $0 - minimumDelta : number > $0 + minimumDelta
    }
    let isBetter = number.isFinite && isBeyond ?? true
    if isBetter {
      state.best = number
      state.bestStep = state.stepCount
      state.badCount = 0
      if let model { bestModel = model.stateDict().evaluated() }
    } else {
      state.badCount += 1
    }
    state.stepCount += 1
    return isBetter
  }

  /// Gives a model the state of the best one.
  /// - Throws: ``LoadError`` where it has other parameters. Without a best model, which is so where none was
  ///   handed to ``step(_:_:)`` yet, nothing happens.
  public func restore(_ model: Module) throws {
    if let bestModel { try model.load(bestModel) }
  }
}
