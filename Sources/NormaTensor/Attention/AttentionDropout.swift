import NormaRandom

/// The weights that an attention drops. They are drawn again wherever they are needed: of each
/// block of queries only the generator's state before its draws is kept, 2.5 KB.
struct AttentionDropout: Sendable {
  /// The probability that a weight is kept.
  private let share: Double
  /// For each attention, for each block of its queries.
  private let states: [Generator]

  /// Takes the draws of all weights, in row-major order, from the default generator.
  init(_ p: Double, _ plan: AttentionPlan) {
    share = 1 - p
    states = withDefaultGenerator { generator in
      (0..<plan.count * plan.queryBlocks).map { task in
        let state = generator
        let rows = plan.queries(ofBlock: task % plan.queryBlocks)
        generator.skip(rows.count * plan.keys, wordsEach: 2)
        return state
      }
    }
  }

  /// What weights that are kept are multiplied by.
  var factor: Double { 1 / share }

  /// Writes a byte for each weight of a block of queries, 0 where it is dropped.
  func draw(
    _ index: Int, _ block: Int, _ plan: AttentionPlan, _ kept: UnsafeMutablePointer<UInt8>
  ) {
    var generator = states[index * plan.queryBlocks + block]
    let rows = plan.queries(ofBlock: block)
    generator.bernoulli(kept, count: rows.count * plan.keys, dtype: .bool, p: share)
  }

  /// What each weight is multiplied by.
  func factors(_ plan: AttentionPlan) -> Tensor {
    let shape = plan.batch + [plan.queries, plan.keys]
    guard var generator = states.first else { return .zeros(shape, dtype: plan.dtype) }
    return withGenerator(&generator) {
      Tensor.bernoulli(shape, p: share, dtype: plan.dtype) * factor
    }
  }
}
