import NormaNN
import NormaTensor

/// A product with weights, and the maps of its output channels that are folded into it.
///
/// With the map y * scale + shift of each channel, weight' = weight * scale and
/// bias' = bias * scale + shift, computed in `float64` and rounded once.
struct ChannelFold {
  /// A map of channels.
  enum Map {
    case norm(BatchNorm)
    /// The product and the value of a slot, in this order unless the slot comes first.
    case operand(ChannelArithmetic, Int, isFirst: Bool)
  }

  let step: GraphPlan.Step
  let index: Int
  let product: WeightedProduct
  private let channels: Int
  private(set) var maps: [Map] = []

  /// The slot of the bias.
  var bias: Int? { step.inputs.count > 2 ? step.inputs[2] : nil }

  /// A product whose weights and bias are known; nil for other steps.
  init?(_ step: GraphPlan.Step, at index: Int, _ known: [Value?]) {
    guard case .product(let product) = step.role, step.inputs.count > 1, step.inputs.count <= 3,
      let slot = step.inputs[1], case .tensor(let weight)? = known[slot],
      weight.dtype.isFloatingPoint, product.outputAxis < weight.rank,
      product.rank == nil || !product.takesBias || weight.rank == product.rank
    else { return nil }
    (self.step, self.index, self.product) = (step, index, product)
    channels = weight.shape[product.outputAxis]
    if let bias {
      guard case .tensor(let value)? = known[bias], value.count == channels, value.rank == 1
      else { return nil }
    }
  }

  /// The input of a step that maps channels by known values, and the map; nil for other steps.
  static func map(_ step: GraphPlan.Step, _ known: [Value?]) -> (input: Int, map: Map)? {
    switch step.role {
    case .norm(let layer):
      return step.inputs.first.flatMap(\.self).map { ($0, .norm(layer)) }
    case .arithmetic(let operation):
      guard step.inputs.count == 2, let a = step.inputs[0], let b = step.inputs[1] else {
        return nil
      }
      if known[a] == nil, known[b] != nil { return (a, .operand(operation, b, isFirst: false)) }
      guard known[a] != nil, known[b] == nil, operation != .divide else { return nil }
      return (b, .operand(operation, a, isFirst: true))
    default: return nil
    }
  }

  /// The product followed by one more map; nil if the map is not one of channels.
  func adding(_ map: Map, _ known: [Value?]) -> ChannelFold? {
    switch map {
    case .norm(let layer):
      guard product.takesBias, product.rank != nil, layer.features == channels else { return nil }
    case .operand(let operation, let slot, _):
      let shifts = operation == .add || operation == .subtract
      guard product.takesBias || !shifts, let value = known[slot], value.dtype.isFloatingPoint,
        isOfChannels(value.shape)
      else { return nil }
    }
    var result = self
    result.maps.append(map)
    return result
  }

  /// Whether a value has one number for each channel, or one in all, and stretches no result.
  private func isOfChannels(_ shape: [Int]) -> Bool {
    if shape.count > product.rank ?? 1 { return false }
    let axis = shape.count + product.channelAxis
    return shape.indices.allSatisfy {
      shape[$0] == 1 || $0 == axis && shape[$0] == channels
    }
  }

  /// The operands of ``run(_:)``.
  var operands: [Int?] {
    [step.inputs[1], bias]
      + maps.compactMap { map -> Int? in
        if case .operand(_, let slot, _) = map { return slot }
        return nil
      }
  }

  /// The weights and the bias with all maps; throws if a map is not finite.
  func run(_ operands: Operands) throws -> [Value] {
    let weight = try operands.tensor(0)
    var scale = Tensor.ones([channels], dtype: .float64)
    var shift =
      operands.optional(1)?.cast(to: .float64) ?? Tensor.zeros([channels], dtype: .float64)
    var next = 2
    for map in maps {
      switch map {
      case .norm(let layer):
        let own = try ChannelMap(layer, call: step.title)
        (scale, shift) = (scale * own.scale, shift * own.scale + own.shift)
      case .operand(let operation, _, let isFirst):
        let value = try operands.tensor(next).cast(to: .float64).reshaped([-1])
        next += 1
        switch operation {
        case .add: shift = shift + value
        case .subtract where isFirst: (scale, shift) = (-scale, value - shift)
        case .subtract: shift = shift - value
        case .multiply: (scale, shift) = (scale * value, shift * value)
        case .divide: (scale, shift) = (scale / value, shift / value)
        }
      }
    }
    guard (scale + shift).isFinite().all().item() else {
      throw operands.failure("has channels whose map is not finite")
    }
    var axes = [Int](repeating: 1, count: weight.rank)
    axes[product.outputAxis] = channels
    let folded = (weight.cast(to: .float64) * scale.reshaped(axes)).cast(to: weight.dtype)
    return [.tensor(folded), .tensor(shift.cast(to: weight.dtype))]
  }
}
