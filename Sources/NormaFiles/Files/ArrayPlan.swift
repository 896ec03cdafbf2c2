/// The contents of a header: the shape of an array, its elements and their order in the file.
struct ArrayPlan: CustomStringConvertible {
  /// The largest number of axes in a header. It is larger than the 64 axes of a tensor that can be
  /// read, so that files with such a tensor among others can be listed.
  static let maximumRank = 1024

  let shape: [Int]
  let element: ElementFormat
  /// Whether the first axis varies fastest, as in Fortran.
  let isColumnMajor: Bool
  /// The number of bytes of all elements in the file.
  let byteCount: Int

  init(
    shape: [Int], element: ElementFormat, isColumnMajor: Bool = false, context: FileContext
  ) throws {
    self.shape = shape
    self.element = element
    // The order only matters if two axes are longer than one.
    self.isColumnMajor = isColumnMajor && shape.count(where: { $0 > 1 }) > 1
    byteCount = try Self.byteCount(
      shape, bits: 8 * element.byteCount, dtype: element.name, context: context)
  }

  var description: String { "shape \(shape) of \(element.name) (\(byteCount) bytes)" }

  /// The number of bytes of an array with elements of `bits` bits; throws if that is
  /// unreasonable.
  ///
  /// The product of the nonzero lengths must not overflow, even if one axis is empty: strides
  /// are computed from them.
  static func byteCount(
    _ shape: [Int], bits: Int, dtype: String, context: FileContext
  ) throws -> Int {
    if shape.count > maximumRank {
      throw context.malformed(
        "has an absurd shape", "\(shape.count) axes, and at most \(maximumRank) are allowed")
    }
    var product = 1
    var isEmpty = false
    for length in shape {
      if length < 0 {
        throw context.malformed("has an absurd shape", "length \(length) in \(shape)")
      }
      if length == 0 {
        isEmpty = true
        continue
      }
      let (next, overflow) = product.multipliedReportingOverflow(by: length)
      // A bit count below this limit leaves room for all later sums of offsets.
      if overflow || next > Int.max / 64 {
        throw context.malformed(
          "has an absurd shape", "\(shape) of \(dtype) is larger than any memory")
      }
      product = next
    }
    if isEmpty { return 0 }
    if product * bits % 8 != 0 {
      throw context.malformed(
        "has a damaged header", "shape \(shape) of \(dtype) does not fill whole bytes")
    }
    return product * bits / 8
  }
}
