import NormaValues

/// The kind of matrix norm: `.frobenius`, or a number or `.infinity` as PyTorch's `ord`.
public enum MatrixNormOrder: Sendable, Hashable, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral
{
  /// √Σ x².
  case frobenius
  /// The sum of singular values; not supported yet.
  case nuclear
  /// 1 and -1: the largest and smallest sum of |x| down a column; ∞ and -∞: along a row. 2 and -2,
  /// the largest and smallest singular value, are not supported yet.
  case number(Double)

  /// The largest sum of |x| along a row.
  public static let infinity = MatrixNormOrder.number(.infinity)

  /// The order that PyTorch writes as an integer.
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  /// The order that PyTorch writes as a number.
  public init(floatLiteral value: Double) { self = .number(value) }
}

extension Tensor {
  /// The norm of a numeric order, as in `MatrixNormOrder.number`: 1, -1, ∞ or -∞.
  public func matrixNorm(
    _ order: some TensorElement, over axes: (Int, Int) = (-2, -1), keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    matrixNorm(.number(order.asDouble), over: axes, keepDims: keepDims, file: file, line: line)
  }

  /// The norm of the matrices in two axes: rows `axes.0`, columns `axes.1`.
  ///
  /// Real types. The gradient of a largest or smallest sum is shared evenly by equal sums; the
  /// gradient of |x| is 0 at 0. Empty matrices: 0 where that is an empty sum; an error where it is
  /// the largest of no sums. The nuclear norm and orders 2 and -2 need singular values, which are
  /// not supported yet. Accuracy: sums in `float64`, rounded once. Cost: one pass.
  /// PyTorch: `torch.linalg.matrix_norm`.
  public func matrixNorm(
    _ order: MatrixNormOrder = .frobenius, over axes: (Int, Int) = (-2, -1),
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "matrixNorm(_:over:)"
      try demand(rank >= 2, call, "shape \(shape) has no matrices; norm(_:over:) is for vectors")
      guard dtype.isFloatingPoint else {
        throw TensorError(call, "\(dtype) has no norm of its own type; cast(to: .float32) first")
      }
      let rows = try Shape.axis(axes.0, of: shape, call: call)
      let columns = try Shape.axis(axes.1, of: shape, call: call)
      try demand(rows != columns, call, "axis \(axes.0) and axis \(axes.1) are the same")
      func extreme(over axis: Int, ofSumsOver summed: Int, isLargest: Bool) -> Tensor {
        let sums = abs().sum(over: summed, keepDims: true)
        let result =
          isLargest ? sums.max(over: axis, keepDims: true) : sums.min(over: axis, keepDims: true)
        return result.reshaped(Shape.reduced(shape, over: [rows, columns], keepDims: keepDims))
      }
      switch order {
      case .frobenius: return norm(2, over: [rows, columns], keepDims: keepDims)
      case .number(1): return extreme(over: columns, ofSumsOver: rows, isLargest: true)
      case .number(-1): return extreme(over: columns, ofSumsOver: rows, isLargest: false)
      case .number(.infinity): return extreme(over: rows, ofSumsOver: columns, isLargest: true)
      case .number(-.infinity): return extreme(over: rows, ofSumsOver: columns, isLargest: false)
      case .nuclear, .number(2), .number(-2):
        throw TensorError(
          call,
          "order \(order.text) needs singular values, which are not supported yet; use .frobenius, "
            + "1, -1, .infinity or -.infinity")
      case .number(let number):
        throw TensorError(
          call,
          "\(number) is not an order of a matrix norm; valid are .frobenius, 1, -1, .infinity and "
            + "-.infinity")
      }
    }
  }
}

extension MatrixNormOrder {
  fileprivate var text: String {
    switch self {
    case .frobenius: ".frobenius"
    case .nuclear: ".nuclear"
    case .number(let number): number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
  }
}
