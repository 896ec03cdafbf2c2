import NormaTensor

/// How much a new batch counts in running statistics, said so that it cannot be misread.
///
/// new = (1 - share) * old + share * batch. PyTorch and MLX call the share of the new batch momentum
/// (0.1); Keras and Flax call the share of the old value so (0.99). A bare number is PyTorch's:
///
///     BatchNorm2d(64, momentum: 0.1)
///     BatchNorm2d(64, momentum: .decay(0.99))  // the same as 0.01
///     BatchNorm2d(64, momentum: .cumulative)  // the mean of all batches; PyTorch's None
public struct Momentum: Sendable, Hashable, Codable {
  /// The share of a new batch; nil where all batches so far count the same.
  public let share: Double?

  /// PyTorch's and MLX's number: the share of the new batch; nil is ``cumulative``.
  public static func pytorch(_ momentum: Double?) -> Momentum { Momentum(share: momentum) }

  /// Keras' and Flax' number: the share of the old value.
  public static func decay(_ decay: Double) -> Momentum { Momentum(share: 1 - decay) }

  /// The plain mean of the statistics of all batches so far.
  public static let cumulative = Momentum(share: nil)

  /// The share of the batch with this number, counted from 1.
  public func share(ofBatch number: Int) -> Double { share ?? 1 / Double(max(number, 1)) }

  /// The share of the batch that follows so many; any count from a file will do.
  package func share(after batches: Int) -> Double {
    share ?? 1 / (Double(max(batches, 0)) + 1)
  }

  /// What is left of the first value after so many batches: 1 after none.
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
  /// Counts a batch: the new count. One that a file set to the largest number stays there.
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
