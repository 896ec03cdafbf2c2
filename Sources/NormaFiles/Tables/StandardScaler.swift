import NormaTensor

/// Scales each column of a table to mean 0 and standard deviation 1, and back.
///
///     let scaler = StandardScaler(fitting: trainX)      // float32 [rows, columns]
/// let y = network(scaler(testX)) // with the statistics of the training rows
///     let price = priceScaler.inverse(y)
///     try checkpoint.encode(scaler, as: "scaler")       // kept with the model
///
/// - Formula: `(x - mean) / std`, computed in `float64` and rounded once to the type of `x`;
///   integers become `float32`.
/// - Edge cases: NaN is ignored when fitting and stays NaN. A constant column has standard
///   deviation 0 and is divided by 1, so it becomes 0. A column without values, or with infinite
///   ones, is an error.
/// - Accuracy: that of ``NormaValues/Moments``, also for columns far from 0. Cost: fitting takes
///   three passes over the data in `float64`, a call one.
/// - scikit-learn: `StandardScaler`, which also treats columns as constant if their variance is
///   below its own rounding error. PyTorch has none.
public struct StandardScaler: Sendable, Hashable, Codable {
  /// The mean of each column.
  public let mean: [Double]
  /// The standard deviation of each column; 0 for a constant one.
  public let std: [Double]

  /// A scaler fitted to a table `[rows, columns]`.
  ///
  /// - Parameters:
  ///   - x: the table, of any type.
  ///   - correction: subtracted from n: 0 as in scikit-learn, 1 as in `Tensor.std`.
  ///   - file: the caller's file, for error messages.
  ///   - line: the caller's line.
  public init(
    fitting x: Tensor, correction: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    var found = (mean: [] as [Double], std: [] as [Double])
    do throws(TensorError) {
      if !x.isPoisoned {
        let call = "StandardScaler(fitting:)"
        let table = try fittingTable(x, call: call)
        let moments = table.moments(over: [0], mask: table .== table)
        found = (moments.mean, Self.deviations(moments, correction))
        try requireFinite(found.mean, "mean", in: table, call: call)
      }
    } catch {
      report(error, file: file, line: line)
    }
    (mean, std) = found
  }

  /// A scaler from known statistics, such as merged ones of several files.
  ///
  /// - Parameters:
  ///   - moments: the moments of each column: `x.moments(over: 0)`.
  ///   - correction: subtracted from n.
  public init(_ moments: Moments, correction: Double = 0) {
    mean = moments.mean
    std = Self.deviations(moments, correction)
  }

  /// Standard deviations; 0 if n - correction is 0 or less.
  private static func deviations(_ moments: Moments, _ correction: Double) -> [Double] {
    zip(moments.std(correction: correction), moments.m2).map { $1 == 0 ? 0 : $0 }
  }

  private var map: ColumnMap {
    ColumnMap(offset: mean, scale: std.map { $0 == 0 ? 1 : $0 })
  }

  /// Scales rows `[..., columns]`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    map.applied(to: x, call: "StandardScaler(_:)", file, line)
  }

  /// The unscaled values: `y std + mean`.
  public func inverse(
    _ y: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    map.inverted(on: y, call: "StandardScaler.inverse(_:)", file, line)
  }

  private enum CodingKeys: String, CodingKey { case mean, std }

  /// Decodes a scaler.
  /// - Throws: `DecodingError` unless there is a finite mean and deviation for each column.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    mean = try fields.decode([Double].self, forKey: .mean)
    std = try fields.decode([Double].self, forKey: .std)
    guard mean.count == std.count, mean.allSatisfy(\.isFinite),
      std.allSatisfy({ $0.isFinite && $0 >= 0 })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .std, in: fields, debugDescription: "means \(mean) and deviations \(std)")
    }
  }
}
