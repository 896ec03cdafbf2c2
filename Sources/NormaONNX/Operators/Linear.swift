import NormaTensor

extension OperatorTable {
  static var linear: Entries {
    [
      "MatMul": { node in
        if node.constant(1)?.shape.count == 2 {
          node.role = .product(
            WeightedProduct(outputAxis: 1, rank: nil, channelAxis: -1, takesBias: false))
        }
        return { [.tensor(try $0.tensor(0).matmul(try $0.tensor(1)))] }
      },
      "Gemm": { node in
        let (alpha, beta) = try (node.float("alpha", 1), node.float("beta", 1))
        let (turnsA, turnsB) = try (node.flag("transA"), node.flag("transB"))
        if node.opset < 7 { _ = try node.int("broadcast") }
        if beta == 1 {
          node.role = .product(
            WeightedProduct(outputAxis: turnsB ? 0 : 1, rank: 2, channelAxis: -1, takesBias: true))
        }
        return { operands in
          let (a, b) = try (operands.tensor(0), operands.tensor(1))
          var product = (turnsA ? a.transposed() : a).matmul(turnsB ? b.transposed() : b)
          if alpha != 1 { product = (product * alpha).cast(to: a.dtype) }
          guard let c = operands.optional(2), beta != 0 else { return [.tensor(product)] }
          return [.tensor(product + (beta == 1 ? c : (c * beta).cast(to: a.dtype)))]
        }
      },
      "Einsum": { node in
        let equation = try node.string("equation", "")
        return { operands in
          [.tensor(einsum(equation, try operands.values.indices.map { try operands.tensor($0) }))]
        }
      },
      "Det": { _ in
        { operands in
          let x = try operands.tensor(0)
          guard x.rank >= 2, x.shape[x.rank - 1] == x.shape[x.rank - 2] else {
            throw operands.failure("shape \(x.shape) is not square")
          }
          let size = x.shape[x.rank - 1]
          let all = x.array(of: Double.self)
          let count = x.shape.dropLast(2).reduce(1, *)
          let results = (0..<count).map {
            determinant(Array(all[$0 * size * size..<($0 + 1) * size * size]), size)
          }
          return [.tensor(Tensor(results, shape: Array(x.shape.dropLast(2))).cast(to: x.dtype))]
        }
      },
    ]
  }

  /// By elimination with the largest pivots.
  private static func determinant(_ values: [Double], _ size: Int) -> Double {
    var rows = (0..<size).map { Array(values[$0 * size..<($0 + 1) * size]) }
    var result = 1.0
    for column in 0..<size {
      let pivot = (column..<size).max { rows[$0][column].magnitude < rows[$1][column].magnitude }
      guard let pivot, rows[pivot][column] != 0 else { return 0 }
      if pivot != column {
        rows.swapAt(pivot, column)
        result = -result
      }
      result *= rows[column][column]
      for row in column + 1..<max(size, column + 1) {
        let factor = rows[row][column] / rows[column][column]
        for index in column..<size { rows[row][index] -= factor * rows[column][index] }
      }
    }
    return result
  }
}
