/// How oneDNN reads a matrix: row by row, or as the transpose of one that is stored so.
package struct StoredMatrix: Hashable, Sendable {
  /// Whether the stored rows are the columns of the matrix.
  package var isTransposed: Bool
  /// The distance between stored rows in elements, at least the length of a stored row.
  package var leading: Int

  /// The description of a matrix of `rows` by `columns`; nil if neither rows nor columns are
  /// contiguous, or if they overlap.
  ///
  /// The stride of an axis of length 1 is never used and may have any value.
  package init?(rows: Int, columns: Int, rowStride: Int, columnStride: Int) {
    if columnStride == 1 || columns == 1, rows == 1 || rowStride >= columns {
      (isTransposed, leading) = (false, rows == 1 ? columns : rowStride)
    } else if rowStride == 1 || rows == 1, columns == 1 || columnStride >= rows {
      (isTransposed, leading) = (true, columns == 1 ? rows : columnStride)
    } else {
      return nil
    }
  }
}

/// A batch of matrix products, reduced to the fewest axes: the plan of a call, and the key of its
/// compiled form.
package struct MatrixProduct: Hashable, Sendable {
  /// A remaining axis of the batch.
  package struct Axis: Hashable, Sendable {
    /// The number of matrices along it.
    package var length: Int
    /// The distance between matrices of the first operand, 0 if it is always the same one.
    package var a: Int
    /// The same for the second operand.
    package var b: Int

    /// An axis with these properties.
    package init(length: Int, a: Int, b: Int) {
      (self.length, self.a, self.b) = (length, a, b)
    }
  }

  /// The axes of the batch, outermost first.
  package let batch: [Axis]
  /// Rows of a result, including those of folded axes.
  package let m: Int
  /// Columns of a result.
  package let n: Int
  /// Terms of a sum.
  package let k: Int
  /// How the first operand is read.
  package let a: StoredMatrix
  /// How the second operand is read.
  package let b: StoredMatrix

  /// The elements of both operands and of the result.
  package let type: OperandType

  /// The number of threads it is compiled for and runs on.
  let threads: Int

  /// The number of matrices in the result.
  package let count: Int

  /// The plan for operands with these strides: batch axes, then rows, then columns.
  package init(
    batch: [Int], m: Int, n: Int, k: Int, aStrides: [Int], bStrides: [Int], threads: Int = 1,
    type: OperandType = .float32
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
    (self.n, self.k, self.b) = (n, k, b)
    (self.type, self.threads) = (type, threads)

    var axes: [Axis] = []
    for axis in 0..<rank where batch[axis] != 1 {
      axes.append(Axis(length: batch[axis], a: aStrides[axis], b: bStrides[axis]))
    }
    (self.m, self.a) = Self.fold(&axes, m: m, k: k, a: a)
    self.batch = Self.merged(axes)
    var count = 1
    for axis in self.batch { count *= axis.length }
    self.count = count
  }

  /// `(x, m, k) (k, n)` is `(x m, k) (k, n)`: batch axes along which `b` stays the same become
  /// rows.
  private static func fold(
    _ axes: inout [Axis], m: Int, k: Int, a: StoredMatrix
  ) -> (m: Int, a: StoredMatrix) {
    var (m, a) = (m, a)
    while let last = axes.last, last.b == 0, !a.isTransposed {
      if m == 1, last.a >= k {
        a.leading = last.a
      } else if last.a != m * a.leading {
        break
      }
      m *= last.length
      axes.removeLast()
    }
    return (m, a)
  }

  /// Merges adjacent axes that both operands traverse as if they were one.
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
  /// The description with these properties.
  package init(isTransposed: Bool, leading: Int) {
    self.isTransposed = isTransposed
    self.leading = leading
  }
}
