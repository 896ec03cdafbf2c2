import NormaTensor

/// The NaN and infinite values of an explanation's tensors, sources before what follows from them.
struct NonFiniteSurvey {
  let explainer: Explainer
  private let frame: Frame
  /// In the order of presentation.
  let scans: [NonFiniteScan]

  private var layer: LayerNumbers { explainer.layer }

  /// - Returns: nil if all values are finite.
  init?(_ explainer: Explainer) {
    self.explainer = explainer
    let (layer, frame) = (explainer.layer, explainer.layer.frame(explainer.input.shape))
    self.frame = frame
    let hasChannels = if case .axes = layer.reach { false } else { true }
    let axis = hasChannels ? frame.channelAxis : nil
    var scans = [
      NonFiniteScan(explainer.input, named: "input", channelAxis: axis),
      explainer.origin.flatMap { NonFiniteScan($0, named: "from", channelAxis: axis) },
      NonFiniteScan(layer.weight, named: "weight", hasChannels: hasChannels),
      NonFiniteScan(layer.bias, named: "bias", hasChannels: hasChannels),
      NonFiniteScan(layer.runningMean, named: "running_mean", hasChannels: hasChannels),
      NonFiniteScan(layer.runningVariance, named: "running_var", hasChannels: hasChannels),
    ].compactMap { $0 }
    scans += explainer.history.compactMap {
      NonFiniteScan($0, named: "history", channelAxis: axis)
    }
    let isClean = scans.isEmpty
    if let expected = explainer.expected {
      scans += [NonFiniteScan(expected, named: "expected", channelAxis: axis)].compactMap { $0 }
    }
    // The layer's results for such values need no mention.
    if isClean {
      scans += [NonFiniteScan(explainer.output, named: "output", channelAxis: axis)]
        .compactMap { $0 }
    }
    if scans.isEmpty { return nil }
    self.scans = scans
  }

  /// The findings, with reasons.
  var found: [NonFinite] { scans.map { $0.found.because(why($0)) } }

  // MARK: Reasons

  private func why(_ scan: NonFiniteScan) -> NonFinite.Why? {
    switch scan.found.tensor {
    case "input": whyInput(scan)
    case "from": overflow(scan, explainer.origin?.dtype)
    case "weight", "bias", "running_mean", "running_var": whyState(scan)
    case "expected": whyResult(scan, explainer.expected)
    case "output": whyResult(scan, explainer.output)
    default: nil
    }
  }

  private func overflow(_ scan: NonFiniteScan, _ type: DType?) -> NonFinite.Why? {
    guard scan.found.infiniteCount > 0, let type, let limit = type.limit, type != .float32 else {
      return nil
    }
    return .init(
      overflow: "\(type)",
      reason: "\(type) ends at \(limit.words): what made the tensor has overflowed.")
  }

  private func whyInput(_ scan: NonFiniteScan) -> NonFinite.Why? {
    let known = overflow(scan, explainer.input.dtype)
    guard layer.usesBatch else { return known }
    let spread =
      "Mean and variance take it in, so every result of that \(layer.unit(frame)) becomes NaN."
    return .init(
      overflow: known?.overflow, reason: known.map { "\($0.reason) \(spread)" } ?? spread)
  }

  private func whyState(_ scan: NonFiniteScan) -> NonFinite.Why? {
    guard scan.found.infiniteCount > 0 else { return nil }
    let general = "A buffer or parameter of float16 ends at 65,504."
    guard scan.found.tensor == "running_var", let channel = scan.found.channel,
      let variance = batchVariance(channel)
    else { return .init(reason: general) }
    let own = "The input's variance there is \(number(variance))"
    return variance > 65504
      ? .init(
        overflow: "float16", valueBefore: variance,
        reason: "\(own), and float16 ends at 65,504: it has overflowed where it was stored.")
      : .init(reason: "\(own). \(general)")
  }

  /// The input's variance in a channel.
  private func batchVariance(_ channel: Int) -> Double? {
    let axis = frame.channelAxis
    guard !frame.isGrouped, channel < explainer.input.shape[axis] else { return nil }
    let part = sliced(explainer.input, axis: axis, channel..<channel + 1).cast(to: .float64)
    let variance = part.variance(over: Array(0..<part.rank), correction: 0).item()
    return variance.isFinite ? variance : nil
  }

  private func whyResult(_ scan: NonFiniteScan, _ tensor: Tensor?) -> NonFinite.Why? {
    guard let tensor, let first = scan.offsets.first else { return nil }
    if follows(scan) { return .init(reason: "That follows from the values above.") }
    let index = NonFiniteScan.index(first, of: scan.shape)
    if scan.found.tensor == "output", let channel = scan.found.channel,
      let variance = layer.usesBatch ? nil : layer.runningVariance?[channel],
      variance + layer.epsilon < 0
    {
      return .init(reason: "running_var is \(number(variance)) there, which has no square root.")
    }
    let evidence = Evidence(
      input: explainer.input, target: explainer.input, layer: layer, sampleLimit: 1)
    let exact = evidence.output(layer.recipe(frame)).reshaped(explainer.input.shape)
    let value = values(of: exact, at: [first])[0]
    if let limit = tensor.dtype.limit, abs(value) > limit.value, value.isFinite {
      let whose = scan.found.tensor == "expected" ? "the layer's formula gives" : "the value is"
      return .init(
        overflow: "\(tensor.dtype)", valueBefore: value,
        reason: "\(whose.prefix(1).uppercased() + whose.dropFirst()) \(number(value)) there, and "
          + "\(tensor.dtype) ends at \(limit.words): it has overflowed. Keep the result in float32."
      )
    }
    return scan.found.tensor == "expected" ? whyOnTheWay(evidence, index) : nil
  }

  /// Whether a result's values are not finite only where the layer's own are not either.
  private func follows(_ scan: NonFiniteScan) -> Bool {
    guard scans.contains(where: { $0.found.tensor != scan.found.tensor }) else { return false }
    let own = values(of: explainer.output, at: scan.offsets)
    return own.allSatisfy { !$0.isFinite }
  }

  /// Possible reasons for a result that is not finite although the input is.
  private func whyOnTheWay(_ evidence: Evidence, _ index: [Int]) -> NonFinite.Why? {
    let axes = frame.isGrouped ? [] : frame.axes
    if axes.isEmpty { return nil }
    var part = explainer.input
    for axis in part.shape.indices where !axes.contains(axis) {
      part = sliced(part, axis: axis, index[axis]..<index[axis] + 1)
    }
    let wide = part.cast(to: .float64)
    let unit = layer.unit(frame)
    let largest = wide.abs().max().item()
    if wide.max().item() == wide.min().item(), layer.subtractsMean || largest == 0 {
      return .init(
        reason:
          "The input is constant in that \(unit), so its variance is 0: without epsilon that is "
          + "0 / 0.")
    }
    let square = largest * largest
    guard square > 65504, largest <= 65504 else { return nil }
    return .init(
      overflow: "float16", valueBefore: square,
      reason: "The input is finite there and reaches \(number(largest)): its square, "
        + "\(number(square)), is beyond float16, which ends at 65,504. Take statistics in float32.")
  }
}
