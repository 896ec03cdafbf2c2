import NormaNN
import NormaTensor

/// A call of `explain` on a layer: the checks and steps that all layers share.
struct ExplainCall {
  let layer: LayerNumbers
  let input: Tensor
  var expected: Tensor?
  var origin: Tensor?
  var history: [Tensor] = []
  var mask: Tensor?
  var name = "explain(_:expecting:from:)"
  let file: StaticString
  let line: UInt

  /// The explanation; an empty one if the arguments are invalid, which is reported.
  ///
  /// - Parameter output: The layer's own result, computed only when it is needed.
  func explanation(output: () -> Tensor) -> Explanation {
    guard isExplicable() else { return .nothing(layer, input) }
    return Explainer(
      layer: layer, input: input, output: output(), expected: expected, origin: origin,
      history: history, mask: mask
    ).explanation()
  }

  /// The explanation of a running statistic after one call in training.
  func explanation(of statistic: RunningStatistic, expecting target: Tensor) -> Explanation {
    guard isExplicable() else { return .nothing(layer, input) }
    if layer.runningMean == nil {
      report(TensorError(name, "the layer keeps no running statistics"), file: file, line: line)
      return .nothing(layer, input)
    }
    if target.count != layer.features {
      let mistake = "\(target.count) values are expected for \(layer.features) channels"
      report(TensorError(name, mistake), file: file, line: line)
      return .nothing(layer, input)
    }
    return Explainer(layer: layer, input: input, output: input)
      .explanation(of: statistic, expecting: target.array(of: Double.self))
  }

  /// Reports invalid arguments.
  private func isExplicable() -> Bool {
    if [input, expected, origin, mask].contains(where: { $0?.isPoisoned ?? false }) {
      return false
    }
    guard let mistake = mistake() else { return true }
    report(TensorError(name, mistake), file: file, line: line)
    return false
  }

  private func mistake() -> String? {
    if !input.dtype.isFloatingPoint {
      return "\(input.dtype) cannot be normalized; cast(to: .float32) first"
    }
    if let mistake = layer.mistake(in: input.shape) { return mistake }
    for (label, tensor) in [("expecting", expected), ("from", origin)] {
      guard let tensor, tensor.shape != input.shape else { continue }
      return "\(label): has shape \(tensor.shape), the input \(input.shape)"
    }
    if expected == nil {
      // Unused arguments would be mistaken for evidence.
      let unused = [
        (origin != nil, "from"), (!history.isEmpty, "history"), (mask != nil, "mask"),
      ].first { $0.0 }
      if let unused {
        return "\(unused.1): helps to explain a difference, but expecting: is "
          + "missing"
      }
    }
    if !history.isEmpty && layer.runningMean == nil {
      return "history: leads to running statistics, and the layer keeps none"
    }
    for (index, batch) in history.enumerated() {
      guard let mistake = layer.mistake(in: batch.shape) else { continue }
      return "history: batch \(index): \(mistake)"
    }
    if let mask, !broadcasts(mask.shape) {
      return "mask: has shape \(mask.shape), which does not broadcast to \(input.shape)"
    }
    return nil
  }

  private func broadcasts(_ shape: [Int]) -> Bool {
    shape.count <= input.rank
      && zip(shape.reversed(), input.shape.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
  }
}

extension LayerNumbers {
  /// Why the layer cannot take an input of this shape; nil if it can.
  func mistake(in shape: [Int]) -> String? {
    let rank = shape.count
    switch reach {
    case .batch, .groups:
      if rank < 2 || shape[1] != features {
        return "the layer has \(features) channels in axis 1, the input has shape \(shape)"
      }
      if case .groups(let groups) = reach, groups < 1 || features % groups != 0 {
        return "\(features) channels do not divide into \(groups) groups of equal size"
      }
    case .instance(let axes):
      if rank != axes + 1 && rank != axes + 2 {
        return "the layer takes \(axes + 1) or \(axes + 2) axes, the input has shape \(shape)"
      }
      let axis = rank - axes - 1
      // Without parameters and running statistics any number of channels is accepted.
      if shape[axis] != features && (weight != nil || runningMean != nil) {
        return "the layer has \(features) channels in axis \(axis), the input has shape \(shape)"
      }
    case .axes(let axes, let sizes):
      let places = axes?.map { $0 < 0 ? $0 + rank : $0 } ?? Array(rank - sizes.count..<rank)
      let found = places.compactMap { shape.indices.contains($0) ? shape[$0] : nil }
      if sizes.isEmpty || found != sizes || places.sorted() != places {
        let place = axes.map { "at axes \($0)" } ?? "in its last axes"
        return "shape \(shape) does not have the normalized shape \(sizes) \(place)"
      }
    }
    if shape.contains(0) { return "shape \(shape) has no values" }
    let unit = unit(frame(shape))
    switch reach {
    case .batch, .instance:
      if !usesBatch || frame(shape).count > 1 { return nil }
      return "shape \(shape) has less than 2 values for each \(unit); a variance needs 2"
    case .groups(let groups):
      if shape.reduce(1, *) > groups { return nil }
      return "shape \(shape) has a single value for each \(unit), which has no variance"
    case .axes: return nil
    }
  }
}
