import NormaTensor

extension Explainer {
  /// The explanation for the units with finite values only, in addition to the positions of the
  /// others.
  func explanation(besides survey: NonFiniteSurvey) -> Explanation {
    let found = survey.found
    let frame = layer.frame(input.shape)
    guard expected != nil, let axis = frame.sliceAxis, layer.extra == nil, layer.blocks.isEmpty,
      blocks.isEmpty, let kept = cleanPlaces(survey, along: axis, frame)
    else { return located(found, gap: finiteGap()) }
    let part = taken(kept, along: axis, frame).explanation()
    let unit = axis == frame.channelAxis && !frame.isGrouped ? "channels" : "samples"
    let left = input.shape[axis] - kept.count
    return Explanation(
      layer: part.layer, isTraining: part.isTraining, statistics: statistics(), gap: part.gap,
      causes: part.causes, steps: part.steps, unexplained: part.unexplained,
      unexplainedIsRounding: part.unexplainedIsRounding,
      notes: [
        "Differences are those of the \(unit) without NaN and infinite values: "
          + "\(grouped(kept.count)) of \(grouped(kept.count + left))."
      ] + part.notes, nonFinite: found, differences: part.differences)
  }

  /// The positions of the values, without causes.
  func located(_ found: [NonFinite], gap: Explanation.Gap?) -> Explanation {
    Explanation(
      layer: layer.name, isTraining: layer.isTraining, statistics: statistics(), gap: gap,
      causes: [],
      steps: [], unexplained: gap == nil ? 0 : 1, unexplainedIsRounding: false, notes: [],
      nonFinite: found)
  }

  /// The indices along an axis where all tensors are finite; nil if there are none.
  private func cleanPlaces(_ survey: NonFiniteSurvey, along axis: Int, _ frame: Frame) -> [Int]? {
    var bad: Set<Int> = []
    for scan in survey.scans {
      switch scan.found.tensor {
      case "input", "from", "expected", "output": bad.formUnion(scan.places(along: axis))
      default:
        // A parameter or a batch affects one channel, but all samples.
        guard axis == frame.channelAxis, !frame.isGrouped, frame.parameterAxes == [axis] else {
          return nil
        }
        bad.formUnion(scan.found.channels)
      }
    }
    let kept = (0..<input.shape[axis]).filter { !bad.contains($0) }
    return kept.isEmpty ? nil : kept
  }

  /// The same explainer for some indices along an axis.
  private func taken(_ kept: [Int], along axis: Int, _ frame: Frame) -> Explainer {
    let places = Tensor(kept.map { Int64($0) })
    func part(_ tensor: Tensor) -> Tensor {
      let own = axis - (input.rank - tensor.rank)
      guard own >= 0, tensor.shape[own] == input.shape[axis] else { return tensor }
      return tensor.indexSelected(places, over: own).evaluated()
    }
    let hasChannels = frame.parameterAxes == [axis]
    var layer = layer
    if hasChannels {
      func part(_ values: [Double]?) -> [Double]? { values.map { all in kept.map { all[$0] } } }
      layer.features = kept.count
      layer.weight = part(layer.weight)
      layer.bias = part(layer.bias)
      layer.runningMean = part(layer.runningMean)
      layer.runningVariance = part(layer.runningVariance)
    }
    return Explainer(
      layer: layer, input: part(input), output: part(output), expected: expected.map(part),
      origin: origin.map(part), history: hasChannels ? history.map(part) : history,
      repetitions: repetitions, mask: mask.map(part))
  }

  /// The difference where both results are finite.
  private func finiteGap() -> Explanation.Gap? {
    guard let expected else { return nil }
    let (a, b) = (output.array(of: Double.self), expected.array(of: Double.self))
    var (largest, energy, count) = (0.0, 0.0, 0)
    for (mine, other) in zip(a, b) where mine.isFinite && other.isFinite {
      largest = max(largest, abs(mine - other))
      energy += (mine - other) * (mine - other)
      count += 1
    }
    return Explanation.Gap(
      maximum: largest, rootMeanSquare: (energy / Double(max(count, 1))).squareRoot())
  }
}
