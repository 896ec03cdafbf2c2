import NormaTensor

/// The axes of a layer norm or root mean square norm, and the shape that broadcasts its parameters
/// to the input.
struct NormalizedAxes {
  let axes: [Int]
  let parameterShape: [Int]

  /// - Parameters:
  ///   - sizes: the sizes of the normalized axes, which are also the shape of weight and bias.
  ///   - axes: the axes with these sizes, from first to last; nil for the last ones.
  init(
    _ sizes: [Int], axes: [Int]?, of x: Tensor, weight: Tensor?, bias: Tensor? = nil, call: String
  ) throws(TensorError) {
    guard !sizes.isEmpty else {
      throw TensorError(call, "normalizedShape is empty; name the sizes of the normalized axes")
    }
    if let axes {
      self.axes = try Shape.axes(axes, of: x.shape, call: call)
      let rank = x.rank
      guard axes.count == sizes.count, axes.map({ $0 < 0 ? $0 + rank : $0 }) == self.axes,
        self.axes.map({ x.shape[$0] }) == sizes
      else {
        throw TensorError(
          call,
          "axes \(axes) of shape \(x.shape), from first to last, do not have the sizes \(sizes)")
      }
    } else {
      guard x.shape.suffix(sizes.count) == sizes[...] else {
        throw TensorError(
          call, "shape \(x.shape) does not end in the normalized shape \(sizes)")
      }
      self.axes = Array(x.shape.indices.suffix(sizes.count))
    }
    try requireReal(x, call: call)
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
      if let tensor, tensor.shape != sizes {
        throw TensorError(
          call, "\(name) has shape \(tensor.shape); the normalized shape is \(sizes)")
      }
    }
    let normalized = self.axes
    parameterShape = x.shape.indices.map { normalized.contains($0) ? x.shape[$0] : 1 }
  }
}

/// Reports integers and Booleans, which cannot represent normalized values.
func requireReal(_ x: Tensor, call: String) throws(TensorError) {
  guard x.dtype.isFloatingPoint else {
    throw TensorError(call, "\(x.dtype) cannot be normalized; cast(to: .float32) first")
  }
}

/// Reports an epsilon that is negative or NaN.
func requireEpsilon(_ eps: Double, call: String) throws(TensorError) {
  if let problem = negativeOption(("eps", eps)) { throw TensorError(call, problem) }
}

/// Reports parameters and statistics that do not have one number per channel.
func requireChannels(
  _ channels: Int, _ named: KeyValuePairs<String, Tensor?>, call: String
) throws(TensorError) {
  for (name, tensor) in named {
    if let tensor, tensor.shape != [channels] {
      throw TensorError(
        call, "\(name) has shape \(tensor.shape); the input has \(channels) channels")
    }
  }
}
