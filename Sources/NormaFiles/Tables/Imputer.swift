import NormaTensor

/// Replaces missing values (NaN) in the columns of a table.
///
///     let imputer = Imputer(fitting: trainX, with: .median, addsFlags: true)
///     let x = imputer(testX)                            // with the medians of the training rows
///     try checkpoint.encode(imputer, as: "imputer")     // kept with the model
///
/// - Edge cases: infinite values are not missing. A column without values has neither mean nor
///   median, which is an error; a constant works for it.
/// - scikit-learn: `SimpleImputer`; the flags correspond to its `add_indicator`, for the same
///   columns.
public struct Imputer: Sendable, Hashable, Codable {
  /// The replacement of missing values.
  public struct Strategy: Sendable, Hashable {
    fileprivate enum Kind: Hashable { case mean, median, constant(Double) }
    fileprivate let kind: Kind

    /// The mean of the column's values.
    public static let mean = Strategy(kind: .mean)
    /// The median of the column's values; for an even number, the mean of the two in the middle, as
    /// in NumPy.
    public static let median = Strategy(kind: .median)
    /// A number, the same for all columns.
    public static func constant(_ value: Double) -> Strategy { Strategy(kind: .constant(value)) }
  }

  /// The replacement for each column.
  public let values: [Double]
  /// The columns with a flag, which is 1 where a value was missing and 0 elsewhere; flags come
  /// after all columns.
  public let flagged: [Int]

  /// An imputer fitted to a table `[rows, columns]`.
  ///
  /// - Parameters:
  ///   - x: the table, of a real type.
  ///   - strategy: the mean, the median or a constant.
  ///   - addsFlags: whether columns with missing values in this table get a flag, here and in every
  ///     later table, so that all results have the same columns.
  ///   - file: the caller's file, for error messages.
  ///   - line: the caller's line.
  public init(
    fitting x: Tensor, with strategy: Strategy = .mean, addsFlags: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var found = (values: [] as [Double], flagged: [] as [Int])
    do throws(TensorError) {
      if !x.isPoisoned {
        let call = "Imputer(fitting:with:)"
        let table = try fittingTable(x, call: call)
        found.values = try Self.values(strategy, of: table, call: call)
        if addsFlags {
          let isMissing = table.isNaN().any(over: 0).array(of: Bool.self)
          found.flagged = isMissing.indices.filter { isMissing[$0] }
        }
      }
    } catch {
      report(error, file: file, line: line)
    }
    (values, flagged) = found
  }

  private static func values(
    _ strategy: Strategy, of table: Tensor, call: String
  ) throws(TensorError) -> [Double] {
    if case .constant(let value) = strategy.kind {
      return Array(repeating: value, count: table.shape[1])
    }
    guard table.shape[0] > 0 else { throw TensorError(call, "the table has no rows") }
    if strategy.kind == .mean {
      let means = table.moments(over: [0], mask: table .== table).mean
      try requireFinite(means, "mean", in: table, call: call)
      return means
    }
    let medians = table.nanQuantile(0.5, over: 0).array(of: Double.self)
    try requireFinite(medians, "median", in: table, call: call)
    return medians
  }

  /// Fills in rows `[..., columns]` and appends flags as further columns. The type stays the same,
  /// except that integers become `float32`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      try requireColumns(x, values.count, call: "Imputer(_:)")
      let dtype = resultType(of: x)
      let isMissing = x.isNaN()
      let filled = Tensor.where(
        isMissing, Tensor(values).cast(to: dtype), x.cast(to: dtype))
      if flagged.isEmpty { return filled }
      let flags = isMissing.indexSelected(Tensor(flagged.map { Int64($0) }), over: -1)
      return .concatenated([filled, flags.cast(to: dtype)], over: -1)
    }
  }

  private enum CodingKeys: String, CodingKey { case values, flagged }

  /// Decodes an imputer.
  /// - Throws: `DecodingError` if a flag belongs to no column.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    values = try fields.decode([Double].self, forKey: .values)
    flagged = try fields.decode([Int].self, forKey: .flagged)
    guard flagged.allSatisfy(values.indices.contains) else {
      throw DecodingError.dataCorruptedError(
        forKey: .flagged, in: fields,
        debugDescription: "flags of \(flagged) and \(values.count) columns")
    }
  }
}
