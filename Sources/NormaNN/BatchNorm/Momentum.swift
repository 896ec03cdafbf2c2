import NormaTensor

/// The weight of a new batch in running statistics, without ambiguity.
///
/// new = (1 - share) * old + share * batch. PyTorch and MLX call the new batch's share momentum
/// (0.1); Keras and Flax use the word for the old value's share (0.99). A plain number has
/// PyTorch's meaning:
///
///     BatchNorm2d(64, momentum: 0.1)
///     BatchNorm2d(64, momentum: .decay(0.99))  // the same as 0.01
///     BatchNorm2d(64, momentum: .cumulative)  // the mean of all batches; PyTorch's None
public struct Momentum: Sendable, Hashable, Codable {
  /// The share of a new batch; nil if all batches so far have the same weight.
  public let share: Double?

  /// PyTorch's and MLX's meaning: the share of the new batch; nil is ``cumulative``.
  public static func pytorch(_ momentum: Double?) -> Momentum { Momentum(share: momentum) }

  /// Keras' and Flax' meaning: the share of the old value.
  public static func decay(_ decay: Double) -> Momentum { Momentum(share: 1 - decay) }

  /// The plain mean of the statistics of all batches so far.
  public static let cumulative = Momentum(share: nil)

  /// The share of the batch with this number, starting at 1.
  public func share(ofBatch number: Int) -> Double { share ?? 1 / Double(max(number, 1)) }

  /// The share of the batch after `batches` earlier ones; accepts any count that a file may hold.
  package func share(after batches: Int) -> Double {
    share ?? 1 / (Double(max(batches, 0)) + 1)
  }

  /// The weight that the initial value still has after `batches` batches: 1 after none.
  public func rest(after batches: Int) -> Double {
    guard let share else { return batches > 0 ? 0 : 1 }
    var (rest, factor, left) = (1.0, 1 - share, max(batches, 0))
    while left > 0 {
      if left & 1 == 1 { rest *= factor }
      factor *= factor
      left >>= 1
    }
    return rest
  }
}

extension Buffer {
  /// Increments the batch count and returns it; a count at the largest integer does not change.
  func countBatch() -> Int {
    let number = min(value.item(as: Int64.self), .max - 1) + 1
    value = Tensor(number)
    return Int(number)
  }
}

extension Momentum: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByNilLiteral
{
  /// PyTorch's number.
  public init(floatLiteral value: Double) { self.init(share: value) }
  /// PyTorch's number.
  public init(integerLiteral value: Int) { self.init(share: Double(value)) }
  /// ``cumulative``, as PyTorch's `None`.
  public init(nilLiteral: ()) { self.init(share: nil) }
}

extension Momentum: CustomStringConvertible {
  /// `0.1 of each new batch`
  public var description: String {
    share.map { "\($0) of each new batch" } ?? "the mean of all batches"
  }
}
