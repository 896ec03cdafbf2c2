/// How oneDNN is to read one matrix: row by row, or as the transpose of one that is stored so.
struct StoredMatrix: Hashable, Sendable {
  /// Whether the stored rows are the columns of the matrix.
  var isTransposed: Bool
  /// Elements from one stored row to the next, at least the length of a stored row.
  var leading: Int

  /// The description of a matrix of `rows` by `columns`; nil where neither rows nor columns are
  /// adjacent, or where they overlap.
  ///
  /// The stride of an axis of length 1 is never used and may be anything.
  init?(rows: Int, columns: Int, rowStride: Int, columnStride: Int) {
    if columnStride == 1 || columns == 1, rows == 1 || rowStride >= columns {
      (isTransposed, leading) = (false, rows == 1 ? columns : rowStride)
    } else if rowStride == 1 || rows == 1, columns == 1 || columnStride >= rows {
      (isTransposed, leading) = (true, columns == 1 ? rows : columnStride)
    } else {
      return nil
    }
  }
}

/// A batch of matrix products, reduced to the fewest axes: the plan of a call, and the key under
/// which its compiled form is kept.
struct MatrixProduct: Hashable, Sendable {
  /// An axis of the batch that is left.
  struct Axis: Hashable, Sendable {
    var length: Int
    /// Elements from one matrix of the first operand to the next, 0 if it is always the same one.
    var a: Int
    /// The same for the second operand.
    var b: Int
  }

  var batch: [Axis]
  var m: Int
  let n: Int
  let k: Int
  let a: StoredMatrix
  let b: StoredMatrix

  /// The number of matrices in the result.
  var count: Int { batch.reduce(1) { $0 * $1.length } }

  /// The plan for operands with these strides: batch axes, then rows, then columns.
  init(
    batch: [Int], m: Int, n: Int, k: Int, aStrides: [Int], bStrides: [Int]
  ) throws(OneDNNError) {
    let rank = batch.count
    guard aStrides.count == rank + 2, bStrides.count == rank + 2 else {
      fatalError(
        "OneDNN.multiply: \(aStrides.count) and \(bStrides.count) strides for \(rank + 2) axes")
    }
    guard
      let a = StoredMatrix(
        rows: m, columns: k, rowStride: aStrides[rank], columnStride: aStrides[rank + 1])
    else { throw OneDNNError.unsupportedStrides(operand: "a", strides: aStrides) }
    guard
      let b = StoredMatrix(
        rows: k, columns: n, rowStride: bStrides[rank], columnStride: bStrides[rank + 1])
    else { throw OneDNNError.unsupportedStrides(operand: "b", strides: bStrides) }
    (self.m, self.n, self.k, self.b) = (m, n, k, b)

    var axes: [Axis] = []
    for axis in 0..<rank where batch[axis] != 1 {
      axes.append(Axis(length: batch[axis], a: aStrides[axis], b: bStrides[axis]))
    }
    self.a = Self.fold(&axes, into: &self.m, a: a, k: k)
    self.batch = Self.merged(axes)
  }

  /// `(x, m, k) (k, n)` is `(x m, k) (k, n)`: batch axes along which `b` stays the same become rows.
  private static func fold(
    _ axes: inout [Axis], into m: inout Int, a: StoredMatrix, k: Int
  ) -> StoredMatrix {
    var a = a
    while let last = axes.last, last.b == 0, last.length > 0 {
      if m == 1, last.a >= k, !a.isTransposed || k == 1 {
        a = StoredMatrix(isTransposed: false, leading: last.a)
      } else if a.isTransposed || last.a != m * a.leading {
        break
      }
      m *= last.length
      axes.removeLast()
    }
    return a
  }

  /// Neighbouring axes that both operands step through as if they were one.
  private static func merged(_ axes: [Axis]) -> [Axis] {
    var result: [Axis] = []
    for axis in axes {
      if let last = result.last, last.a == axis.a * axis.length, last.b == axis.b * axis.length {
        result[result.count - 1] = Axis(length: last.length * axis.length, a: axis.a, b: axis.b)
      } else {
        result.append(axis)
      }
    }
    return result
  }
}

extension StoredMatrix {
  init(isTransposed: Bool, leading: Int) {
    self.isTransposed = isTransposed
    self.leading = leading
  }
}
