import NormaTensor

/// Where two captures of the same network first diverge, and why: for a port, a conversion, or two
/// versions.
///
///     let mine = try NetworkCapture(contentsOf: "mine.safetensors")
///     let port = try NetworkCapture(contentsOf: "port.safetensors")
///     print(compareCaptures(mine, port))
///
/// Layers are matched by name; those without an equal name by call order, kind and size. The first
/// layer whose inputs agree but whose outputs do not is the origin. Later layers get different
/// inputs, so they are judged by what they compute from equal ones. For this, a layer's formula
/// with its own options, parameters and buffers must reproduce its captured output; the formula is
/// then applied to the other layer's input, and the difference is divided among options as in
/// ``compareLayers(_:_:on:names:file:line:)``. A layer that its formula does not reproduce is
/// explained as by `explain`.
///
/// - Parameters:
///   - first: A capture: the correct one, if one of them is.
///   - second: A capture of the same network with the same batch.
///   - names: Names for the captures; by default their models and frameworks.
/// - Returns: A comparison that prints as text and encodes to JSON.
/// - Accuracy: formulas in `float64`. With u the unit roundoff of the coarsest type so far, inputs
///   and outputs agree if their root mean square distance is at most √u of their standard deviation
///   (half of the digits: every layer adds its rounding). A layer's outputs for the same input
///   agree if each value is within 64 u (half types: 16 u) of |y| + |bias| + slope (|x| + |mean|).
/// - Cost: a few passes over the samples of a layer; 2ⁿ if n options of a layer differ.
public func compareCaptures(
  _ first: NetworkCapture, _ second: NetworkCapture, names: (first: String, second: String)? = nil
) -> CaptureComparison {
  CaptureSearch(first, second, names ?? (title(first), title(second))).comparison()
}

private func title(_ capture: NetworkCapture) -> String {
  let model = capture.model.isEmpty ? "a network" : capture.model
  return capture.framework.isEmpty ? model : "\(model) (\(capture.framework))"
}

/// Processes the matched layers in the order of their calls.
private struct CaptureSearch {
  let first: NetworkCapture
  let second: NetworkCapture
  let names: (first: String, second: String)
  let pairing: LayerPairing

  init(_ first: NetworkCapture, _ second: NetworkCapture, _ names: (String, String)) {
    (self.first, self.second, self.names) = (first, second, names)
    pairing = LayerPairing(first.layers, second.layers)
  }

  func comparison() -> CaptureComparison {
    let autocast = [first.autocast, second.autocast].compactMap { $0 }
    let pairs = pairing.pairs.map { one, other in
      PairSearch(
        first: first.layers[one], second: second.layers[other], autocast: autocast,
        others: first.layers
      ).pair()
    }
    let result = resultGap(autocast)
    var notes: [String] = []
    let (verdict, origin) = verdict(pairs, result, &notes)
    addNotes(pairs, isSame: verdict == .same, &notes)
    return CaptureComparison(
      first: names.first, second: names.second, matching: pairing.matching,
      isReordered: pairing.isReordered, layers: pairs,
      onlyFirst: pairing.onlyFirst.map { first.layers[$0].title },
      onlySecond: pairing.onlySecond.map { second.layers[$0].title }, result: result,
      verdict: verdict, origin: origin, notes: notes)
  }

  private func resultGap(_ autocast: [String]) -> SampleGap? {
    guard let a = first.result, let b = second.result, a.count == b.count, !a.isEmpty else {
      return nil
    }
    let types = first.layers.map(\.dtype) + second.layers.map(\.dtype) + autocast
    let unit = types.map(Self.unit).max() ?? 0x1p-24
    return SampleGap(Tensor(a), Tensor(b), unit: max(unit, 0x1p-24))
  }

  private static func unit(_ type: String) -> Double {
    switch type {
    case "float16": unitRoundoff(.float16)
    case "bfloat16": unitRoundoff(.bfloat16)
    default: unitRoundoff(.float32)
    }
  }

  /// The verdict, and the index of its pair.
  private func verdict(
    _ pairs: [CapturedPair], _ result: SampleGap?, _ notes: inout [String]
  ) -> (CaptureComparison.Verdict, Int?) {
    // The distance between the outputs of the layers so far, in spreads.
    var before = 0.0
    for (place, pair) in pairs.enumerated() {
      let inputs = pair.input
      if let inputs, !inputs.agrees {
        // Rounding that grew from layer to layer is not a separate difference.
        let isGrown = inputs.incomparable == 0 && before > 0 && inputs.relative <= 4 * before
        if !isGrown {
          // A layer whose outputs are unknown, and whose state differs, may be where they diverge.
          let suspect = pairs[..<place].firstIndex { pair in
            pair.behaviour == .unknown && pair.differences.contains(where: \.movesResults)
          }
          if let suspect { return (.state, suspect) }
          addOrder(place, pairs, &notes)
          return (place == 0 ? .inputs : .between, place)
        }
      }
      if pair.behaviour == .different { return (.layer, place) }
      before = max(before, pair.output?.relative ?? 0)
    }
    if let result, !result.agrees, result.relative > 4 * before || result.incomparable > 0 {
      if pairs.contains(where: { $0.output != nil }) { return (.result, nil) }
    }
    if let place = pairs.firstIndex(where: { !$0.differences.isEmpty }) { return (.state, place) }
    if !pairing.onlyFirst.isEmpty || !pairing.onlySecond.isEmpty { return (.layers, nil) }
    if let result, !result.agrees { return (.undecided, nil) }
    return pairs.contains { $0.behaviour != .unknown } ? (.same, nil) : (.undecided, nil)
  }

  /// Adds a note if the input of a layer is another layer's in the second capture.
  private func addOrder(_ place: Int, _ pairs: [CapturedPair], _ notes: inout [String]) {
    let (one, other) = pairing.pairs[place]
    let layer = first.layers[one]
    guard let x = layer.x else { return }
    for (index, candidate) in second.layers.enumerated() where index != other {
      guard let y = candidate.x, y.shape == x.shape else { continue }
      let unit = max(unitRoundoff(x.dtype), unitRoundoff(y.dtype))
      if SampleGap(x, y, unit: unit).agrees {
        notes.append(
          "The input of \(layer.title) in \(names.first) is that of \(candidate.title) in "
            + "\(names.second): the layers are called in another order, or were given each other's "
            + "names.")
        return
      }
    }
  }

  private func addNotes(_ pairs: [CapturedPair], isSame: Bool, _ notes: inout [String]) {
    if first.samples != second.samples {
      notes.append(
        "The batches have \(first.samples) and \(second.samples) samples: capture both with the "
          + "same batch.")
    }
    let isOther = { (pair: CapturedPair) in
      pair.differences.contains { $0.name == "weight" && $0.relation.isEmpty }
    }
    if pairs.count > 2, pairs.allSatisfy(isOther) {
      notes.append(
        "Every layer has other weights, with no relation between them: these may be two training "
          + "runs rather than one network.")
    }
    let all = Dictionary(grouping: pairs.filter { $0.obstacle != nil }) { $0.obstacle ?? "" }
    for (obstacle, pairs) in all.sorted(by: { $0.key < $1.key }).prefix(3) {
      let more = pairs.count > 1 ? " and \(pairs.count - 1) more" : ""
      notes.append("\(pairs[0].title)\(more): \(obstacle).")
    }
    let silent = pairs.filter { $0.behaviour == .unknown && $0.obstacle == nil }
    if !silent.isEmpty {
      notes.append(
        "What these compute from equal inputs is unknown, as their inputs differ and no formula "
          + "reproduces their outputs: \(PairGroup.names(silent[...])).")
    }
    if !pairs.isEmpty, pairs.allSatisfy({ $0.behaviour == .unknown }) {
      notes.append("Capture both networks with norma_capture.py and the same batch.")
    }
    let grown = isSame ? pairs.last { $0.output?.agrees == false } : nil
    if let grown, let output = grown.output {
      notes.append(
        "Rounding grows from layer to layer, to \(short(output.relative)) standard deviations at "
          + "\(grown.title).")
    }
  }
}
