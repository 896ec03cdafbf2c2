import NormaTensor

/// The fraction of samples whose class is among the `topK` highest scores.
///
/// A sample counts as correct if fewer than `topK` classes have a higher score, or an equal one and
/// a lower index. With `topK` 1, this is the class that
/// ``NormaTensor/Tensor/argmax(over:keepDims:file:line:)`` returns. NaN counts as the highest
/// score, as in sorting. PyTorch: `torchmetrics.Accuracy(top_k=topK, average="micro")`.
public struct Accuracy: Metric {
  /// The number of highest scores that count.
  public let topK: Int
  /// A target that is ignored, such as that of padding.
  public let ignoreIndex: Int?
  /// The number of correct samples.
  public private(set) var correct = 0
  /// The number of samples.
  public private(set) var count = 0

  /// No samples yet.
  public init(
    topK: Int = 1, ignoreIndex: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    if topK < 1 {
      report(
        TensorError("Accuracy(topK:)", "topK must be at least 1, got \(topK)"), file: file,
        line: line)
    }
    self.topK = topK
    self.ignoreIndex = ignoreIndex
  }

  /// The fraction of correct samples; NaN without samples.
  public var value: Double { Double(correct) / Double(count) }

  /// Adds scores `[N, C]`, or `[N, C, d...]`, and classes without the axis C. A class that does not
  /// exist is an error.
  public mutating func update(
    _ x: Tensor, _ target: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    let (topK, ignored) = (topK, ignoreIndex)
    change([x, target], file, line) { metric throws(TensorError) in
      let call = "Accuracy.update(_:_:)"
      let axis = try classAxis(x, target, call)
      let classes = x.shape[axis]
      let counts = ignored.map { target .!= $0 } ?? Tensor.ones(target.shape, dtype: .bool)
      let isWrong = ((target .< 0) + (target .>= classes)) * counts
      guard target.count == 0 || isWrong.any().item() == 0 else {
        throw TensorError(call, "a target is not among the \(classes) classes")
      }
      if target.count == 0 { return }
      let known = Tensor.where(counts, target, 0).cast(to: .int64).unsqueezed(axis)
      let own = x.detached().gathered(known, over: axis)
      var shape = [Int](repeating: 1, count: x.rank)
      shape[axis] = classes
      let numbers = Tensor.arange(classes).reshaped(shape)
      let scores = x.detached()
      let (isNaN, ownIsNaN) = (scores.isNaN(), own.isNaN())
      let higher = (scores .> own) + isNaN * ownIsNaN.logicalNot()
      let ties = ((scores .== own) + isNaN * ownIsNaN) * (numbers .< known)
      let better = (higher + ties).sum(over: axis)
      metric.correct += ((better .< topK) * counts).sum().item(as: Int.self)
      metric.count += counts.sum().item(as: Int.self)
    }
  }

  /// Adds the samples of another metric.
  public mutating func merge(_ other: Accuracy) {
    correct += other.correct
    count += other.count
  }
}
