import NormaKernels
import NormaNN
import NormaTensor

/// A call of `explain` on a layer: what all layers check, and what they do then.
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

  /// The explanation; that of nothing where the arguments have a mistake, which is reported.
  ///
  /// - Parameter output: The layer's own result, made only when it is needed.
  func explanation(output: () -> Tensor) -> Explanation {
    guard isExplicable() else { return .nothing(layer, input) }
    return Explainer(
      layer: layer, input: input, output: output(), expected: expected, origin: origin,
      history: history, mask: mask
    ).explanation()
  }

  /// Reports what the arguments have wrong.
  func isExplicable() -> Bool {
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
  /// What keeps the layer from taking an input of a shape; nil when nothing does.
  func mistake(in shape: [Int]) -> String? {
    let rank = shape.count
    switch reach {
    case .batch, .groups:
      if rank < 2 || shape[1] != features {
        return "the layer has \(features) channels in axis 1, the input has shape \(shape)"
      }
    case .instance(let axes):
      if rank != axes + 1 && rank != axes + 2 {
        return "the layer takes \(axes + 1) or \(axes + 2) axes, the input has shape \(shape)"
      }
      if shape[rank - axes - 1] != features {
        let axis = rank - axes - 1
        return "the layer has \(features) channels in axis \(axis), the input has shape \(shape)"
      }
    case .last(let sizes):
      if shape.suffix(sizes.count) != sizes[...] {
        return "shape \(shape) does not end in the normalized shape \(sizes)"
      }
    }
    if shape.contains(0) { return "shape \(shape) has no values" }
    let needsSpread = [.batch].contains(reach) || isInstance
    if needsSpread, usesBatch, frame(shape).count < 2 {
      let unit = unit(frame(shape))
      return "shape \(shape) has less than 2 values for each \(unit); a variance needs 2"
    }
    return nil
  }

  private var isInstance: Bool {
    if case .instance = reach { true } else { false }
  }
}
