extension ReferenceTensor {
  /// Applies `function` to each element.
  package func map(_ function: (Double) -> Double) -> ReferenceTensor {
    ReferenceTensor(shape: shape, values: values.map(function))
  }

  /// Applies `function` to pairs of elements, after broadcasting.
  package static func combine(
    _ a: ReferenceTensor, _ b: ReferenceTensor, _ function: (Double, Double) -> Double
  ) -> ReferenceTensor {
    let shape = broadcastShape(a.shape, b.shape)
    var result = a.broadcast(to: shape).values
    let other = b.broadcast(to: shape).values
    for i in result.indices { result[i] = function(result[i], other[i]) }
    return ReferenceTensor(shape: shape, values: result)
  }

  package static func + (a: ReferenceTensor, b: ReferenceTensor) -> ReferenceTensor {
    combine(a, b, +)
  }

  package static func - (a: ReferenceTensor, b: ReferenceTensor) -> ReferenceTensor {
    combine(a, b, -)
  }

  package static func * (a: ReferenceTensor, b: ReferenceTensor) -> ReferenceTensor {
    combine(a, b, *)
  }

  package static func / (a: ReferenceTensor, b: ReferenceTensor) -> ReferenceTensor {
    combine(a, b, /)
  }

  package static func + (a: ReferenceTensor, b: Double) -> ReferenceTensor { a.map { $0 + b } }
  package static func - (a: ReferenceTensor, b: Double) -> ReferenceTensor { a.map { $0 - b } }
  package static func * (a: ReferenceTensor, b: Double) -> ReferenceTensor { a.map { $0 * b } }
  package static func / (a: ReferenceTensor, b: Double) -> ReferenceTensor { a.map { $0 / b } }

  /// The larger of each pair; NaN if either is NaN.
  package static func maximum(_ a: ReferenceTensor, _ b: ReferenceTensor) -> ReferenceTensor {
    combine(a, b, larger)
  }

  /// The smaller of each pair; NaN if either is NaN.
  package static func minimum(_ a: ReferenceTensor, _ b: ReferenceTensor) -> ReferenceTensor {
    combine(a, b, smaller)
  }

  /// `a` where `condition` is not zero, `b` elsewhere.
  package static func choose(
    _ condition: ReferenceTensor, _ a: ReferenceTensor, _ b: ReferenceTensor
  ) -> ReferenceTensor {
    let shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape))
    let (condition, a, b) = (
      condition.broadcast(to: shape), a.broadcast(to: shape), b.broadcast(to: shape)
    )
    return ReferenceTensor(
      shape: shape,
      values: b.values.indices.map { i in
        condition.values[i] != 0 ? a.values[i] : b.values[i]
      })
  }
}

/// The larger of two numbers; NaN if either is NaN.
func larger(_ a: Double, _ b: Double) -> Double { a.isNaN || a > b ? a : b }

/// The smaller of two numbers; NaN if either is NaN.
func smaller(_ a: Double, _ b: Double) -> Double { a.isNaN || a < b ? a : b }
