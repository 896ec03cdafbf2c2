import NormaTensor

/// The network with its batch norm layers folded into their neighbours, for evaluation.
///
///     let (fast, report) = foldBatchNorms(in: network, verifying: batch)
///     print(report)
///
/// Each norm becomes part of the convolution, transposed convolution or linear layer in front of it,
/// or else of the one behind it where that is exact; an ``Identity`` takes its place, so that names
/// stay. Sequences inside of the sequence are folded, too. The network itself is not changed; the
/// folded one has its modes, and shares with it the layers that had nothing to fold.
///
/// What was folded behaves as in evaluation, whatever the mode. A norm behind a linear layer is folded
/// for inputs `[N, inputs]`; with further axes it has other channels, and verification shows it.
///
/// Norms that cannot be folded stay, and the report says why: without such a neighbour, in front of
/// a convolution with padding, without running statistics. So do those inside of modules other than
/// ``Sequential``, which only their authors can take apart.
///
/// - Parameters:
///   - model: The network, which does not change.
///   - x: Data on which both networks are compared in evaluation.
///   - file: The caller's file, for the text of a mistake.
///   - line: The caller's line.
/// - Returns: The folded network, and what was done.
/// - Accuracy: see ``folded(_:_:)-(Conv,BatchNorm)``; rounding differs, in `float32` by some ulp of
///   the largest sum in each layer.
/// - Cost: without data a trip over the weights. PyTorch: `torch.fx.experimental.optimization.fuse`,
///   which folds what lies behind convolutions and verifies nothing.
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

/// The sequence with its norms folded, those of sequences inside first.
private func folding(_ model: Sequential, name: String, _ report: inout FoldingReport) -> Sequential
{
  func place(_ index: Int) -> String { name.isEmpty ? "\(index)" : "\(name).\(index)" }
  var layers = model.layers
  for (index, layer) in layers.enumerated() {
    if let inner = layer as? Sequential {
      layers[index] = folding(inner, name: place(index), &report)
      continue
    }
    for (inside, module) in layer.namedModules where module is BatchNorm && !inside.isEmpty {
      report.rest.append(
        .init(
          norm: "\(place(index)).\(inside)",
          reason: "it is inside of \(type(of: layer)), which is not a Sequential"))
    }
  }
  for (index, layer) in layers.enumerated() {
    guard let norm = layer as? BatchNorm else { continue }
    let before = layers[..<index].lastIndex { !($0 is Identity) }
    let after = layers[(index + 1)...].firstIndex { !($0 is Identity) }
    var reason = "there is no convolution and no linear layer next to it"
    for (neighbour, isBefore) in [(before, false), (after, true)] {
      guard let neighbour, let target = layers[neighbour] as? any FoldableLayer else { continue }
      do throws(TensorError) {
        let map = try ChannelMap(norm, call: "foldBatchNorms(in:)")
        layers[neighbour] =
          isBefore
          ? try target.preceded(by: map, call: "foldBatchNorms(in:)")
          : try target.followed(by: map, call: "foldBatchNorms(in:)")
        layers[index] = Identity()
        report.folds.append(
          .init(norm: place(index), layer: place(neighbour), isBefore: isBefore))
        reason = ""
        break
      } catch {
        reason = error.reason
      }
    }
    if !reason.isEmpty { report.rest.append(.init(norm: place(index), reason: reason)) }
  }
  let folded = Sequential(layers)
  folded.setOwnMode(model.isTraining)
  return folded
}

extension FoldingReport {
  /// Notes how far results are apart.
  mutating func compare(_ expected: Tensor, _ found: Tensor) {
    let expected = expected.array(of: Double.self)
    let found = found.array(of: Double.self)
    largestResult = expected.reduce(0) { max($0, $1.magnitude) }
    largestDifference = zip(expected, found).reduce(0) { worst, pair in
      if pair.0 == pair.1 || pair.0.isNaN && pair.1.isNaN { return worst }
      let distance = abs(pair.0 - pair.1)
      return worst.isNaN || distance.isNaN ? .nan : max(worst, distance)
    }
  }
}
