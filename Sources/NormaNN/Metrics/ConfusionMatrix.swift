import NormaTensor

/// How often each class was taken for each other, with what follows from it: precision, recall, F1.
///
///     var confusion = ConfusionMatrix(classes: 10)
///     for batch in loader { confusion.update(model(batch[0]), batch[1]) }
///     print(confusion.f1(.macro))
///
/// PyTorch: `torchmetrics.ConfusionMatrix`; scikit-learn: `confusion_matrix`.
public struct ConfusionMatrix: Metric {
  /// The number of classes.
  public let classes: Int
  /// A target that does not count, such as that of padding.
  public let ignoreIndex: Int?
  /// How often class i (row) was taken for class j (column).
  public private(set) var counts: [[Int]]

  /// The counts of more classes take over 128 MiB.
  private static let mostClasses = 1 << 12

  /// No samples yet, for up to 4096 classes.
  public init(
    classes: Int, ignoreIndex: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    if !(1...Self.mostClasses ~= classes) {
      report(
        TensorError(
          "ConfusionMatrix(classes:)",
          "classes must lie in 1 ... \(Self.mostClasses), got \(classes)"),
        file: file, line: line)
    }
    self.classes = min(max(classes, 1), Self.mostClasses)
    self.ignoreIndex = ignoreIndex
    counts = Array(repeating: Array(repeating: 0, count: self.classes), count: self.classes)
  }

  /// Counts a batch. Predictions are scores `[N, C]` or `[N, C, d...]`, whose highest counts, or classes in
  /// the shape of the targets: integers, or Booleans such as `probability .> 0.5`.
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

  /// Adds the counts of another one, which has as many classes.
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

  /// How many samples there were.
  public var count: Int { counts.joined().reduce(0, +) }

  /// The share of right predictions; NaN of no samples.
  public var accuracy: Double { Double(hits.reduce(0, +)) / Double(count) }

  /// Of each class, how many samples were right.
  var hits: [Int] { counts.indices.map { counts[$0][$0] } }

  /// Of each class, how many samples there were.
  public var support: [Int] { counts.map { $0.reduce(0, +) } }

  /// Of each class, how often it was predicted.
  public var predictions: [Int] {
    counts.indices.map { column in counts.reduce(0) { $0 + $1[column] } }
  }
}
