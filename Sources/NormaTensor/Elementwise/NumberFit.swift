import NormaValues

// Whether a number is valid for an element type. Arithmetic, creation, filling, clamping and
// assignment share one rule: an integer type accepts numbers within its range, truncating
// fractions; a real type accepts numbers that round to a finite one, NaN and the infinities.

extension Scalar {
  /// Whether the type can hold the number, after rounding.
  func fits(_ dtype: DType) -> Bool {
    switch dtype {
    case .bool: true
    case .float16: !asDouble.isFinite || Swift.abs(Float(asDouble)) < 65520
    case .bfloat16: !asDouble.isFinite || Float(BFloat16(Float(asDouble))).isFinite
    case .float32: !asDouble.isFinite || Float(asDouble).isFinite
    case .float64: true
    default: dtype.integerBounds.map { isWithin(low: $0.low, high: $0.high) } ?? false
    }
  }

  private func isWithin(low: Int64, high: UInt64) -> Bool {
    guard let whole else { return large.map { $0 <= high } ?? false }
    return whole >= low && (whole < 0 || UInt64(whole) <= high)
  }

  /// Whether the number can be an operand of an instruction in a type.
  ///
  /// Sums, products and bits of integers wrap, so unsigned types accept negative numbers as well.
  /// Half types are computed in `float32`, so the number need only fit that.
  func fits(_ dtype: DType, of code: Operation.Code) -> Bool {
    switch code {
    case .add, .subtract, .multiply, .and, .or, .xor:
      if dtype.isInteger, !dtype.isSigned, let bounds = dtype.integerBounds {
        let low = Int64(exactly: bounds.high).map { -$0 } ?? .min
        return isWithin(low: low, high: bounds.high)
      }
      return fits(dtype.isHalf ? .float32 : dtype)
    case .divide, .power, .lerp: return fits(dtype.isHalf ? .float32 : dtype)
    default: return fits(dtype)
    }
  }

  /// The error for a number that a type cannot hold.
  func misfit(_ dtype: DType, _ call: String, _ way: String = "cast the tensor first")
    -> TensorError
  {
    TensorError(call, "\(text) does not fit \(dtype); \(way)")
  }

  /// Throws unless the type can hold the number, after rounding.
  func require(
    _ dtype: DType, _ call: String, _ way: String = "cast the tensor first"
  ) throws(TensorError) {
    if !fits(dtype) { throw misfit(dtype, call, way) }
  }

  /// The number rounded to a real type; unchanged for integer types.
  func rounded(to dtype: DType) -> Scalar {
    switch dtype {
    case .bfloat16: return Scalar(Double(Float(BFloat16(Float(asDouble)))))
    // Small whole numbers are exact already.
    case .float16 where Swift.abs(asDouble) > 2048 || asDouble != asDouble.rounded():
      return Scalar(Tensor.nearestHalf(asDouble))
    default: return self
    }
  }
}

extension Tensor {
  /// The nearest `float16` number, through `float32` as everywhere.
  fileprivate static func nearestHalf(_ value: Double) -> Double {
    Tensor(value).cast(to: .float16).item()
  }

  /// Throws if an element type cannot hold a value of the array that this tensor was made from.
  func requireFit<T: TensorElement>(
    _ array: [T], in dtype: DType, _ call: String
  ) throws(TensorError) {
    // The elements of large arrays are checked one by one only if their bounds do not fit.
    if array.count > 16, areBoundsWithin(dtype) { return }
    if let wrong = array.first(where: { !Scalar($0).fits(dtype) }) {
      throw Scalar(wrong).misfit(dtype, call, "leave dtype out, pass a wider one, or cast(to:)")
    }
  }

  private func areBoundsWithin(_ dtype: DType) -> Bool {
    if dtype == .bool || self.dtype == .bool { return true }
    if dtype.isFloatingPoint {
      let finite = Tensor.where(isFinite(), self, Tensor(0, dtype: self.dtype))
      return Scalar(finite.min().item()).fits(dtype) && Scalar(finite.max().item()).fits(dtype)
    }
    if self.dtype.isFloatingPoint {
      return Scalar(min().item()).fits(dtype) && Scalar(max().item()).fits(dtype)
    }
    return min().integer.fits(dtype) && max().integer.fits(dtype)
  }

  /// The one integer in this tensor.
  var integer: Scalar {
    dtype == .uint64 ? Scalar(item(as: UInt64.self)) : Scalar(item(as: Int64.self))
  }
}

// MARK: - Comparisons

extension Operation.Code {
  /// The comparison with its sides exchanged.
  var mirrored: Operation.Code {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    default: self
    }
  }

  /// A comparison of integers with a real number, as an equivalent one with an integer.
  ///
  /// Nothing is rounded: x < 2.5 is x <= 2, and no integer equals 2.5.
  func amongIntegers(_ number: Double) -> (Operation.Code, Scalar) {
    let lowest = Scalar(Int64.min)
    let (always, never) = ((Operation.Code.greaterOrEqual, lowest), (Operation.Code.less, lowest))
    if number.isNaN { return self == .notEqual ? always : never }
    let floor = number.rounded(.down)
    let large = UInt64(exactly: floor).map { Scalar($0) }
    guard let below = Int64(exactly: floor).map({ Scalar($0) }) ?? large else {
      // Beyond all integers, on one side.
      switch self {
      case .notEqual: return always
      case .less, .lessOrEqual: return number > 0 ? always : never
      case .greater, .greaterOrEqual: return number < 0 ? always : never
      default: return never
      }
    }
    if floor == number { return (self, below) }
    switch self {
    case .equal: return never
    case .notEqual: return always
    case .less, .lessOrEqual: return (.lessOrEqual, below)
    default: return (.greater, below)
    }
  }

  /// A comparison of integers with one below or above the range of their type, as an equivalent one
  /// with the type's smallest number.
  func beyondIntegers(of dtype: DType, isBelow: Bool) -> (Operation.Code, Scalar) {
    let lowest = Scalar(dtype.integerBounds?.low ?? 0)
    let isTrue =
      switch self {
      case .notEqual: true
      case .less, .lessOrEqual: !isBelow
      case .greater, .greaterOrEqual: isBelow
      default: false
      }
    return (isTrue ? .greaterOrEqual : .less, lowest)
  }

  /// A comparison of real elements with a finite number beyond the largest of their type, which
  /// would be rounded to infinity: only infinite elements are beyond it.
  func beyondRange(_ number: Double) -> (Operation.Code, Scalar) {
    let infinity = number > 0 ? Double.infinity : -.infinity
    switch self {
    // Nothing equals NaN.
    case .equal, .notEqual: return (self, Scalar(Double.nan))
    case .less, .lessOrEqual:
      return (number > 0 ? .less : .lessOrEqual, Scalar(infinity))
    default: return (number > 0 ? .greaterOrEqual : .greater, Scalar(infinity))
    }
  }
}
