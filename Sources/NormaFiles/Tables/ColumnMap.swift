import NormaTensor

/// `(x - offset) / scale` for each column of a table, and its inverse, in `float64`.
struct ColumnMap: Sendable {
  let offset: [Double]
  let scale: [Double]

  func applied(
    to x: Tensor, call: String, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    mapped(x, call, file, line) { ($0 - Tensor(offset)) / Tensor(scale) }
  }

  func inverted(
    on y: Tensor, call: String, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    mapped(y, call, file, line) { $0 * Tensor(scale) + Tensor(offset) }
  }

  private func mapped(
    _ x: Tensor, _ call: String, _ file: StaticString, _ line: UInt, _ map: (Tensor) -> Tensor
  ) -> Tensor {
    checked(file: file, line: line, call: call) { () throws(TensorError) in
      if x.isPoisoned { return x }
      try requireColumns(x, offset.count, call: call)
      return map(x.cast(to: .float64)).cast(to: resultType(of: x))
    }
  }
}

/// Real types stay the same, others become `float32`.
func resultType(of x: Tensor) -> DType { x.dtype.isFloatingPoint ? x.dtype : .float32 }

/// Throws unless the last axis has as many columns as the fitted table.
func requireColumns(_ x: Tensor, _ count: Int, call: String) throws(TensorError) {
  guard let last = x.shape.last, last == count else {
    throw TensorError(call, "the last axis has \(count) columns, got shape \(x.shape)")
  }
}

/// A table to fit, in `float64`.
func fittingTable(_ x: Tensor, call: String) throws(TensorError) -> Tensor {
  guard x.rank == 2 else {
    throw TensorError(
      call,
      "a table has shape [rows, columns], got \(x.shape)"
        + (x.rank == 1 ? "; unsqueezed(1) makes one column" : ""))
  }
  return x.detached().cast(to: .float64)
}

/// Throws unless the fitted value of each column is finite.
func requireFinite(
  _ found: [Double], _ what: String, in table: Tensor, call: String
) throws(TensorError) {
  guard let column = found.firstIndex(where: { !$0.isFinite }) else { return }
  let values = table[0..., column]
  let isEmpty = values.isNaN().all().item(as: Bool.self)
  throw TensorError(
    call,
    "column \(column) of \(found.count) has no finite \(what): "
      + (isEmpty ? "all its values are missing" : "it has infinite values"))
}
