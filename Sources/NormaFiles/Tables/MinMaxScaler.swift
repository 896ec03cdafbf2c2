import NormaTensor

/// Scales each column of a table to a range, and back.
///
///     let scaler = MinMaxScaler(fitting: trainX)        // to 0 ... 1
///     let y = network(scaler(testX))
///
/// - Formula: `lower + (x - min) / (max - min) (upper - lower)`, computed in `float64` and rounded
///   once to the type of `x`; integers become `float32`.
/// - Edge cases: NaN is ignored when fitting and stays NaN. The values of a constant column become
///   `lower`. Values outside those of the fitted table are mapped outside of the range. A column
///   without values, or with infinite ones, is an error.
/// - Cost: a fit takes two passes over the data in `float64`, a call one.
/// - scikit-learn: `MinMaxScaler`.
public struct MinMaxScaler: Sendable, Hashable, Codable {
  /// The smallest value of each column.
  public let min: [Double]
  /// The largest value of each column.
  public let max: [Double]
  /// The image of the smallest values.
  public let lower: Double
  /// The image of the largest values.
  public let upper: Double

  /// A scaler fitted to a table `[rows, columns]`, for a target range.
  public init(
    fitting x: Tensor, to range: ClosedRange<Double> = 0...1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    var found = (min: [] as [Double], max: [] as [Double])
    do throws(TensorError) {
      if !x.isPoisoned {
        let call = "MinMaxScaler(fitting:to:)"
        guard range.upperBound > range.lowerBound, (range.upperBound - range.lowerBound).isFinite
        else { throw TensorError(call, "the range \(range) has no finite length above 0") }
        let table = try fittingTable(x, call: call)
        guard table.shape[0] > 0 else { throw TensorError(call, "the table has no rows") }
        let isNaN = table.isNaN()
        found = (
          Tensor.where(isNaN, Double.infinity, table).min(over: 0).array(),
          Tensor.where(isNaN, -Double.infinity, table).max(over: 0).array()
        )
        try requireFinite(zip(found.max, found.min).map { $0 - $1 }, "range", in: table, call: call)
      }
    } catch {
      report(error, file: file, line: line)
    }
    (min, max) = found
    (lower, upper) = (range.lowerBound, range.upperBound)
  }

  private var map: ColumnMap {
    let scale = zip(min, max).map { ($1 == $0 ? 1 : $1 - $0) / (upper - lower) }
    return ColumnMap(offset: zip(min, scale).map { $0 - lower * $1 }, scale: scale)
  }

  /// Scales rows `[..., columns]`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    map.applied(to: x, call: "MinMaxScaler(_:)", file, line)
  }

  /// The unscaled values: `min + (y - lower) (max - min) / (upper - lower)`.
  public func inverse(
    _ y: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    map.inverted(on: y, call: "MinMaxScaler.inverse(_:)", file, line)
  }

  private enum CodingKeys: String, CodingKey { case min, max, lower, upper }

  /// Decodes a scaler.
  /// - Throws: `DecodingError` if the values are not valid ranges.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    min = try fields.decode([Double].self, forKey: .min)
    max = try fields.decode([Double].self, forKey: .max)
    lower = try fields.decode(Double.self, forKey: .lower)
    upper = try fields.decode(Double.self, forKey: .upper)
    guard min.count == max.count, upper > lower, (upper - lower).isFinite,
      zip(min, max).allSatisfy({ $1 >= $0 && ($1 - $0).isFinite })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .max, in: fields,
        debugDescription: "from \(min) and \(max) to \(lower) and \(upper)")
    }
  }
}
