import NormaTensor

/// Stops training that no longer improves, and keeps the best model.
///
///     var stopping = EarlyStopping(patience: 5)
///     for epoch in 0..<100 {
///       train(network)
///       stopping.step(validationLoss(network), network)
///       if stopping.shouldStop { break }
///     }
///     try stopping.restore(network)
///
/// `step` returns whether the model is the best so far, which is the time to write it to a file,
/// such as a `Checkpoint`. Besides the model, ``state`` is all that a resumed run needs; it can be
/// stored in a checkpoint's notes. PyTorch has none; Keras:
/// `EarlyStopping(restore_best_weights=True)`.
public struct EarlyStopping: Sendable {
  /// The state to save.
  public struct State: Sendable, Hashable, Codable {
    /// The best value so far, always finite; nil before the first.
    public var best: Double?
    /// The index of the best report, from 0.
    public var bestStep: Int?
    /// The number of reports.
    public var stepCount = 0
    /// The number of consecutive reports without improvement.
    public var badCount = 0

    /// The state before the first report.
    public init() {}
  }

  private let patience: Int
  private let minimumDelta: Double
  private let isLowerBetter: Bool
  /// The state to save.
  public var state = State()
  /// Parameters and buffers of the best model by name; nil before the first. Values share memory
  /// with the model until training replaces them. A resumed run sets this from the file of the best
  /// model.
  public var bestModel: StateDict?

  /// Stops after `patience` consecutive reports that do not improve on the best by more than
  /// `minimumDelta`.
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

  /// Whether training should stop.
  public var shouldStop: Bool { state.badCount >= patience }

  /// Reports a value, such as the loss or the accuracy of an epoch, and the model that reached it.
  ///
  /// NaN and infinite values are never better. The first finite value is the best so far.
  /// - Returns: Whether the value is the best so far; then the model's state is kept.
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

  /// Restores the best model's state.
  /// - Throws: ``LoadError`` if the parameters do not match. Does nothing if ``step(_:_:)`` has
  ///   not been given a model yet.
  public func restore(_ model: Module) throws {
    if let bestModel { try model.load(bestModel) }
  }
}
