import NormaTensor

/// Counts how often each class was predicted as each other class, and derives precision, recall and
/// F1.
///
///     var confusion = ConfusionMatrix(classes: 10)
///     for batch in loader { confusion.update(model(batch[0]), batch[1]) }
///     print(confusion.f1(.macro))
///
/// PyTorch: `torchmetrics.ConfusionMatrix`; scikit-learn: `confusion_matrix`.
public struct ConfusionMatrix: Metric {
  /// The number of classes.
  public let classes: Int
  /// A target that is ignored, such as that of padding.
  public let ignoreIndex: Int?
  /// The number of samples of class i (row) that were predicted as class j (column).
  public private(set) var counts: [[Int]]

  /// For more classes the counts would take over 128 MiB.
  private static let mostClasses = 1 << 12

  /// An empty matrix for up to 4096 classes.
  public init(
    classes: Int, ignoreIndex: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    if !(1...Self.mostClasses ~= classes) {
      report(
        TensorError(
          "ConfusionMatrix(classes:)",
          "classes must be in 1 ... \(Self.mostClasses), got \(classes)"),
        file: file, line: line)
    }
    self.classes = min(max(classes, 1), Self.mostClasses)
    self.ignoreIndex = ignoreIndex
    counts = Array(repeating: Array(repeating: 0, count: self.classes), count: self.classes)
  }

  /// Adds a batch. Predictions are scores `[N, C]` or `[N, C, d...]`, where the highest counts, or
  /// classes in the shape of the targets: integers, or Booleans such as `probability .> 0.5`.
  public mutating func update(
    _ x: Tensor, _ target: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    let (classes, ignored) = (classes, ignoreIndex)
    change([x, target], file, line) { metric throws(TensorError) in
      let call = "ConfusionMatrix.update(_:_:)"
      var predicted = x
      if x.dtype.isFloatingPoint {
        let axis = try classAxis(x, target, call)
        guard x.shape[axis] == classes else {
          throw TensorError(call, "scores \(x.shape) are not those of \(classes) classes")
        }
        predicted = x.detached().argmax(over: axis)
      }
      guard predicted.shape == target.shape, !target.dtype.isFloatingPoint else {
        throw TensorError(
          call,
          "predictions \(x.dtype) \(x.shape) do not fit targets \(target.dtype) \(target.shape)")
      }
      let pairs = zip(target.array(of: Int.self), predicted.array(of: Int.self))
      for (right, guess) in pairs where right != ignored {
        guard metric.counts.indices.contains(right), metric.counts.indices.contains(guess) else {
          throw TensorError(
            call, "class \(guess) instead of \(right) is not among the \(classes) classes")
        }
        metric.counts[right][guess] += 1
      }
    }
  }

  /// Adds the counts of another matrix for the same number of classes.
  public mutating func merge(_ other: ConfusionMatrix) {
    guard other.classes == classes else {
      report(
        TensorError(
          "ConfusionMatrix.merge(_:)", "\(other.classes) classes do not fit \(classes)"),
        file: #fileID, line: #line)
      return
    }
    for row in counts.indices {
      for column in counts.indices { counts[row][column] += other.counts[row][column] }
    }
  }

  /// The number of samples.
  public var count: Int { counts.joined().reduce(0, +) }

  /// The fraction of right predictions; NaN without samples.
  public var accuracy: Double { Double(hits.reduce(0, +)) / Double(count) }

  /// The number of right predictions of each class.
  var hits: [Int] { counts.indices.map { counts[$0][$0] } }

  /// The number of samples of each class.
  public var support: [Int] { counts.map { $0.reduce(0, +) } }

  /// The number of predictions of each class.
  public var predictions: [Int] {
    counts.indices.map { column in counts.reduce(0) { $0 + $1[column] } }
  }
}
