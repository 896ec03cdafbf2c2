/// The number of values between neighboring powers of two, on both sides of zero: 81 counts for any
/// values, so that histograms can be added.
///
/// Bin 40 is for zero and magnitudes below 2⁻²⁴; bin 41 + k for 2^(k - 24) ..< 2^(k - 23), and bin
/// 39 - k for the same range of negative values. The outermost bins also count everything beyond
/// them.
public struct MagnitudeHistogram: Sendable, Hashable, Codable {
  /// The number of bins.
  public static let binCount = 81
  private static let center = 40
  private static let lowest = -24

  /// The number of values in each bin, from the most negative to the most positive.
  public private(set) var counts: [Int]

  /// An empty histogram.
  public init() { counts = Array(repeating: 0, count: Self.binCount) }

  /// Decodes a histogram.
  /// - Throws: `DecodingError` if there are not 81 counts.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    counts = try fields.decode([Int].self, forKey: .counts)
    guard counts.count == Self.binCount, counts.allSatisfy({ $0 >= 0 }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .counts, in: fields, debugDescription: "\(counts.count) counts, or negative ones")
    }
  }

  /// The bin of a value; NaN has none.
  public static func bin(of value: Float) -> Int? {
    if value.isNaN { return nil }
    // The exponent from the bits: in debug builds this is much faster than `exponent`.
    let exponent = Int(value.bitPattern >> 23 & 0xff) - 127
    if exponent < lowest { return center }
    let distance = min(exponent - lowest, center - 1) + 1
    return value < 0 ? center - distance : center + distance
  }

  /// The smallest and largest values of a bin; the outermost bins extend to infinity.
  public static func bounds(of bin: Int) -> (low: Double, high: Double) {
    let bin = min(max(bin, 0), 2 * center)
    let distance = abs(bin - center)
    if distance == 0 { return (-power(0), power(0)) }
    let (near, far) = (power(distance - 1), distance == center ? .infinity : power(distance))
    return bin < center ? (-far, -near) : (near, far)
  }

  private static func power(_ step: Int) -> Double {
    Double(sign: .plus, exponent: lowest + step, significand: 1)
  }

  /// The number of values.
  public var total: Int { counts.reduce(0, +) }

  mutating func add(_ value: Float) {
    if let bin = Self.bin(of: value) { counts[bin] += 1 }
  }

  mutating func merge(_ other: MagnitudeHistogram) {
    for bin in counts.indices { counts[bin] += other.counts[bin] }
  }
}
