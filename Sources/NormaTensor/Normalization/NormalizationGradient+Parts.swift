/// The two steps of the gradient of a normalization whose statistics are those of several parts of
/// a batch: the sums of one part, and its gradient once the sums of all parts are known.
extension Tensor {
  /// Σ(u (x - mean)) and Σ(u) over the axes along which `mean` has size 1, with x this tensor and u
  /// the upstream gradient, in one pass in `float64`.
  package func gradientSums(
    upstream: Tensor, mean: Tensor
  ) -> (centered: Tensor, plain: Tensor) {
    guard count > 0 else {
      let nothing = Center.zeros(mean.shape, .float64)
      return (nothing, nothing)
    }
    let center = mean.cast(to: .float64)
    let group = ReductionGroup(
      source: detached(), companion: upstream,
      center: Tensor(node: center.node, layout: center.layout.broadcast(to: shape)),
      axes: mean.shape.indices.filter { mean.shape[$0] == 1 })
    return (group.tensor(.centeredSum), group.tensor(.companionSum))
  }

  /// The gradient of a normalization from its sums over the n values of each statistic, in one
  /// instruction, in the type of this tensor. With c = x - mean, r the inverse deviation, scale the
  /// factor of u (r, or r weight) and share = -scale / n:
  ///
  ///     dx = scale u + share r² Σ(u c) c + share Σ(u)
  ///
  /// `plain`, Σ(u), is nil if the mean is given rather than computed.
  package func normalizationGradient(
    upstream: Tensor, mean: Tensor, inverse: Tensor, scale: Tensor, share: Tensor,
    centered: Tensor, plain: Tensor?, call: String
  ) throws(TensorError) -> Tensor {
    let slope = share * inverse.squared() * centered
    let shift = plain.map { share * $0 } ?? Center.zeros(mean.shape, .float64)
    return try Tensor.elementwise(
      .normalizeGradient, [detached(), upstream, mean, scale, slope, shift],
      in: upstream.dtype, result: dtype, call: call)
  }
}
