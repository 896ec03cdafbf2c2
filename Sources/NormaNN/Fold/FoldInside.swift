import NormaTensor

/// Folds the batch norm layers of any network into their neighbors, for evaluation, in place.
///
///     let report = foldBatchNorms(inside: network, on: batch)
///     print(report)
///
/// The network is run on the data to find the layer whose result is a norm's input, or whose input
/// is a norm's result, with no other use. A norm is folded into a convolution, transposed
/// convolution or linear layer before it, or into one after it if that is exact. Then the
/// network is run again. Where the result differs, for example because the tensor between both
/// layers has another use, the fold is undone and the report says so.
///
/// Properties keep their layers, and each layer forwards its calls to a new one, which also
/// replaces it in ``Module/children``; an ``Identity`` replaces a norm. Names do not change. The
/// state is that of the folded network, and does not fit an unfolded one.
///
/// - Parameters:
///   - model: The network, which is changed.
///   - x: Typical input data; zeros would reveal nothing.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Returns: What was done, with the largest difference on the data.
/// - Accuracy: see ``BatchNorm/folded(intoPrevious:)-(Conv)``. A fold is undone if results
///   differ by more than 1e-3 of the largest (64 roundings of a half type).
/// - Cost: two calls of the network, and one for each norm if a fold is wrong; during the first,
///   the results of all layers concerned are kept. PyTorch:
///   `torch.fx.experimental.optimization.fuse`.
@discardableResult
public func foldBatchNorms<Model: Layer>(
  inside model: Model, on x: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> FoldingReport {
  foldBatchNorms(inside: model) { model(x, file: file, line: line) }
}

/// ``foldBatchNorms(inside:on:file:line:)`` for models of any kind: `forward` calls the model, with
/// the same data every time.
@discardableResult
public func foldBatchNorms(inside model: Module, forward: () -> Tensor) -> FoldingReport {
  model.withEvaluation { withoutGradients { Folding(model).run(forward) } }
}

/// A model whose convolutions are no layers, and which folds norms into them by itself.
package protocol FoldsNormsItself {
  /// When, for a report.
  var foldingRule: String { get }
}

/// The search for neighbors, and their folds.
private final class Folding {
  private let norms: [(name: String, layer: any Layer)]
  private let targets: [(name: String, layer: any FoldableLayer)]
  private let reasonWithoutNeighbor: String

  init(_ model: Module) {
    reasonWithoutNeighbor =
      (model as? any FoldsNormsItself)?.foldingRule
      ?? "there is no convolution and no linear layer next to it"
    var seen: Set<ObjectIdentifier> = []
    var (norms, targets) = ([(String, any Layer)](), [(String, any FoldableLayer)]())
    for (name, module) in model.namedModules where !name.isEmpty {
      guard seen.insert(ObjectIdentifier(module)).inserted else { continue }
      if let layer = module as? any FoldableLayer { targets.append((name, layer)) }
      if let norm = module as? any Layer, norm is BatchNorm || norm is FrozenBatchNorm2d {
        norms.append((name, norm))
      }
    }
    (self.norms, self.targets) = (norms, targets)
  }

  /// A norm and the layer that it is folded into.
  private struct Pair {
    let norm: (name: String, layer: any Layer)
    let target: (name: String, layer: any FoldableLayer)
    let isBefore: Bool
  }

  func run(_ forward: () -> Tensor) -> FoldingReport {
    var report = FoldingReport()
    let probes = (norms.map(\.layer) + targets.map { $0.layer as any Layer }).map(CallProbe.init)
    for probe in probes { probe.begin() }
    let expected = forward().evaluated()
    for probe in probes { probe.end() }
    if expected.isPoisoned { return report }
    let calls = Dictionary(
      probes.map { (ObjectIdentifier($0.original), $0.calls) }
    ) { first, _ in first }
    var pairs: [Pair] = []
    // The result of a folded norm is then the result of the layer that it was folded into.
    var results = targets.map { calls[ObjectIdentifier($0.layer)]?.map(\.output) ?? [] }
    for norm in norms {
      let own = calls[ObjectIdentifier(norm.layer)] ?? []
      let (inputs, outputs) = (own.map(\.input), own.map(\.output))
      if own.isEmpty {
        report.rest.append(.init(norm: norm.name, reason: "it is not called"))
      } else if let k = results.firstIndex(where: { areSame($0, inputs) }),
        fits(targets[k].layer, inputs)
      {
        pairs.append(Pair(norm: norm, target: targets[k], isBefore: false))
        results[k] = outputs
      } else if let target = targets.first(where: {
        areSame(calls[ObjectIdentifier($0.layer)]?.map(\.input) ?? [], outputs)
      }), fits(target.layer, inputs) {
        pairs.append(Pair(norm: norm, target: target, isBefore: true))
      } else {
        report.rest.append(.init(norm: norm.name, reason: reasonWithoutNeighbor))
      }
    }
    fold(pairs, expected, forward, &report)
    return report
  }

  private func areSame(_ some: [Tensor], _ others: [Tensor]) -> Bool {
    !others.isEmpty && some.count == others.count
      && zip(some, others).allSatisfy { $0.isSame(as: $1) }
  }

  /// With further axes, a linear layer's outputs are the last axis and a norm's channels axis 1.
  private func fits(_ target: any FoldableLayer, _ inputs: [Tensor]) -> Bool {
    !(target is Linear) || inputs.allSatisfy { $0.rank == 2 }
  }

  /// Makes all folds together, or one by one if the combined result differs.
  private func fold(
    _ pairs: [Pair], _ expected: Tensor, _ forward: () -> Tensor, _ report: inout FoldingReport
  ) {
    var all = report
    let undo = pairs.compactMap { self.fold($0, &all) }
    all.compare(expected, forward().evaluated())
    if all.isClose(expected) {
      report = all
      return
    }
    for change in undo.reversed() { change() }
    for pair in pairs {
      var one = report
      guard let undo = self.fold(pair, &one) else {
        report = one
        continue
      }
      one.compare(expected, forward().evaluated())
      if one.isClose(expected) {
        report = one
      } else {
        undo()
        report.rest.append(
          .init(
            norm: pair.norm.name,
            reason: "folding into \(pair.target.name) changes the result; something else uses "
              + "the tensor between them"))
      }
    }
    report.compare(expected, forward().evaluated())
  }

  /// Folds the norm into the target; returns a function that undoes it.
  private func fold(_ pair: Pair, _ report: inout FoldingReport) -> (() -> Void)? {
    let call = "foldBatchNorms(inside:on:)"
    do throws(TensorError) {
      guard let target = pair.target.layer.current as? any FoldableLayer,
        let map = try ChannelMap(anyOf: pair.norm.layer, call: call)
      else { return nil }
      target.standIn =
        pair.isBefore
        ? try target.preceded(by: map, call: call) : try target.followed(by: map, call: call)
      let norm = pair.norm.layer
      norm.standIn = Identity()
      report.folds.append(
        .init(norm: pair.norm.name, layer: pair.target.name, isBefore: pair.isBefore))
      return {
        target.standIn = nil
        norm.standIn = nil
      }
    } catch {
      report.rest.append(.init(norm: pair.norm.name, reason: error.reason))
      return nil
    }
  }
}

/// Replaces a layer, forwards its calls and records their inputs and outputs.
private final class CallProbe: Module, PlacedLayer {
  let original: any Layer
  private(set) var calls: [(input: Tensor, output: Tensor)] = []

  init(_ original: any Layer) { self.original = original }

  override var children: [(name: String, module: Module)] { [] }

  func begin() { original.standIn = self }
  func end() { original.standIn = nil }

  func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor {
    end()
    defer { begin() }
    let y = original(x, file: file, line: line)
    calls.append((x, y))
    return y
  }
}

extension FoldingReport {
  /// Whether both results are equal up to rounding.
  fileprivate func isClose(_ expected: Tensor) -> Bool {
    let isHalf = expected.dtype == .float16 || expected.dtype == .bfloat16
    let unit = expected.dtype == .bfloat16 ? 0x1p-8 : 0x1p-11
    let bound = (isHalf ? 64 * unit : 1e-3) * (largestResult ?? 0)
    return incomparable == 0 && (largestDifference ?? 0) <= bound
  }
}
