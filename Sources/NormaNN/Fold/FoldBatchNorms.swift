import NormaTensor

/// A copy of the network with its batch norm layers folded into their neighbors, for evaluation.
///
///     let (fast, report) = foldBatchNorms(in: network, verifying: batch)
///     print(report)
///
/// Each norm becomes part of the convolution, transposed convolution or linear layer before it, or
/// of the one after it if that is exact. An ``Identity`` replaces the norm, so that names do not
/// change. Nested sequences are folded, too. The network itself is not changed; the folded one has
/// its modes, and shares the layers that had nothing to fold.
///
/// Folded layers behave as in evaluation, whatever the mode. A norm after a linear layer is folded
/// for inputs `[N, inputs]`; with further axes the norm's channels are another axis, which
/// verification detects.
///
/// Norms that cannot be folded stay, and the report says why: no such neighbor, a padded
/// convolution after the norm, or no running statistics. Norms inside modules other than
/// ``Sequential`` stay as well: ``foldBatchNorms(inside:on:file:line:)`` folds these in place.
///
/// - Parameters:
///   - model: The network, which does not change.
///   - x: Data on which both networks are compared in evaluation.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Returns: The folded network, and what was done.
/// - Accuracy: see ``BatchNorm/folded(intoPrevious:)-(Conv)``; results differ by rounding, in
///   `float32` by a few ulp of the largest sum in each layer.
/// - Cost: without data one pass over the weights. PyTorch:
///   `torch.fx.experimental.optimization.fuse`, which folds norms after convolutions and does not
///   verify.
public func foldBatchNorms(
  in model: Sequential, verifying x: Tensor? = nil, file: StaticString = #fileID,
  line: UInt = #line
) -> (model: Sequential, report: FoldingReport) {
  var report = FoldingReport()
  let folded = folding(model, name: "", &report)
  if let x {
    let (expected, found) = withoutGradients {
      model.withEvaluation {
        folded.withEvaluation {
          (model(x, file: file, line: line), folded(x, file: file, line: line))
        }
      }
    }
    report.compare(expected, found)
  }
  return (folded, report)
}

/// The sequence with its norms folded, starting with nested sequences.
private func folding(_ model: Sequential, name: String, _ report: inout FoldingReport) -> Sequential
{
  func place(_ index: Int) -> String { name.isEmpty ? "\(index)" : "\(name).\(index)" }
  var layers = model.layers.map { $0.current as? any Layer ?? $0 }
  for (index, layer) in layers.enumerated() {
    if let inner = layer as? Sequential {
      layers[index] = folding(inner, name: place(index), &report)
    } else {
      report.rest += layer.normsInside.map {
        .init(norm: "\(place(index)).\($0)", reason: "\(type(of: layer)) is not a Sequential")
      }
    }
  }
  for index in layers.indices {
    let before = layers[..<index].lastIndex { !($0 is Identity) }
    let after = layers[(index + 1)...].firstIndex { !($0 is Identity) }
    do throws(TensorError) {
      guard let map = try ChannelMap(anyOf: layers[index], call: call) else { continue }
      let (target, isBefore, folded) = try neighbour(of: map, layers, before, after)
      layers[target] = folded
      layers[index] = Identity()
      report.folds.append(.init(norm: place(index), layer: place(target), isBefore: isBefore))
    } catch {
      report.rest.append(.init(norm: place(index), reason: error.reason))
    }
  }
  let folded = Sequential(layers)
  folded.setOwnMode(model.isTraining)
  return folded
}

private let call = "foldBatchNorms(in:)"

/// The layer to fold a map into: the one before it, or else the one after it.
private func neighbour(
  of map: ChannelMap, _ layers: [any Layer], _ before: Int?, _ after: Int?
) throws(TensorError) -> (index: Int, isBefore: Bool, layer: any Layer) {
  if let before, let target = layers[before] as? any FoldableLayer {
    return (before, false, try target.followed(by: map, call: call))
  }
  if let after, let target = layers[after] as? any FoldableLayer {
    return (after, true, try target.preceded(by: map, call: call))
  }
  throw TensorError(call, "there is no convolution and no linear layer next to it")
}

extension Layer {
  /// The names of the batch norm layers inside this layer, not including the layer itself.
  var normsInside: [String] {
    if self is BatchNorm { return [] }
    return namedModules.filter {
      !$0.name.isEmpty && ($0.module is BatchNorm || $0.module is FrozenBatchNorm2d)
    }
    .map(\.name)
  }
}

extension FoldingReport {
  /// Records the differences between results.
  mutating func compare(_ expected: Tensor, _ found: Tensor) {
    let expected = expected.array(of: Double.self)
    let found = found.array(of: Double.self)
    var (distance, largest, strange) = (0.0, 0.0, 0)
    for (a, b) in zip(expected, found) {
      if a.isFinite { largest = max(largest, a.magnitude) }
      if a == b || a.isNaN && b.isNaN { continue }
      if a.isFinite && b.isFinite { distance = max(distance, abs(a - b)) } else { strange += 1 }
    }
    (largestDifference, largestResult, incomparable) = (distance, largest, strange)
  }
}
