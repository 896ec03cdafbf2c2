import NormaTensor

/// Local response normalization as a pure function; see ``LocalResponseNorm``.
///
/// PyTorch: `torch.nn.functional.local_response_norm`.
public func localResponseNorm(
  _ x: Tensor, size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard x.rank >= 3 || x.isPoisoned else {
      throw TensorError(
        "localResponseNorm(_:size:)", "expected [N, C, ...] with space, got shape \(x.shape)")
    }
    return try neighbourNorm(
      x, before: size / 2, behind: (max(size, 1) - 1) / 2, size: size, alpha: alpha, beta: beta,
      k: k,
      call: "localResponseNorm(_:size:)")
  }
}

/// x / (k + alpha / size Σ x²)^beta, with the sum over the channels from `before` positions before
/// each one to `behind` positions after it.
private func neighbourNorm(
  _ x: Tensor, before: Int, behind: Int, size: Int, alpha: Double, beta: Double, k: Double,
  call: String
) throws(TensorError) -> Tensor {
  if x.isPoisoned || x.count == 0 { return x }
  let x = x.widened
  try requireReal(x, call: call)
  guard size > 0 else { throw TensorError(call, "size must be positive, got \(size)") }
  // Channels and space as the two axes of an image.
  let width = before + behind + 1
  // Squares of half types can exceed their range.
  let isHalf = x.dtype == .float16 || x.dtype == .bfloat16
  let squares = (isHalf ? x.cast(to: .float32) : x).squared()
    .reshaped(x.shape[0], 1, x.shape[1], -1)
  let means = avgPool2d(
    squares.padded([0, 0, before, behind]), kernelSize: [width, 1], stride: 1)
  let divisor = means.reshaped(x.shape).cast(to: .float64) * (alpha * Double(width) / Double(size))
  return (x.cast(to: .float64) / power(divisor + k, beta)).cast(to: x.dtype)
}

/// xᵖ for positive x; uses square roots for the usual p, which are several times faster.
private func power(_ x: Tensor, _ p: Double) -> Tensor {
  p == 0.75 ? x.sqrt() * x.sqrt().sqrt() : pow(x, p)
}

/// Local response normalization: scales every value by the squares of its neighbors in other
/// channels.
///
/// y = x / (k + alpha / size Σ x²)^beta, with the sum over `size` channels around each one (for
/// even sizes one more before it than after it), and zeros beyond the first and last channel.
///
/// - Shapes: input and output `[N, C, ...]` with at least one spatial axis.
/// - Types: real ones.
/// - Accuracy: means of squares in the input's type, `float32` for half types; the rest in
///   `float64`, rounded once.
/// - Cost: about five passes over memory.
/// - PyTorch: `torch.nn.LocalResponseNorm`. Keras and Caffe2 differ in whether alpha is divided by
///   `size`.
/// - Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional
///   Neural Networks" (2012).
public final class LocalResponseNorm: Module, PlacedLayer {
  /// The number of channels in a sum.
  public let size: Int
  /// The weight of the mean of squares.
  public let alpha: Double
  /// The exponent of the divisor.
  public let beta: Double
  /// Added to the mean of squares.
  public let k: Double

  /// A layer with PyTorch's defaults. PyTorch: `nn.LocalResponseNorm(size)`.
  public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    (self.size, self.alpha, self.beta, self.k) = (size, alpha, beta, k)
  }

  /// Normalizes every value.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    localResponseNorm(x, size: size, alpha: alpha, beta: beta, k: k, file: file, line: line)
      .observed(by: self, of: x, file, line)
  }
}

/// Local response normalization of images as in Torch 7; use ``LocalResponseNorm``.
///
/// The same for odd sizes. For even ones the sum is over the `size - 1` channels around each one,
/// and alpha is still divided by `size`.
///
/// - Shapes: input and output `[N, C, H, W]`.
/// - PyTorch: `torch.nn.CrossMapLRN2d`, which fails to remove the first channel from the sums of
///   later ones; Torch 7 and this layer remove it.
public final class CrossMapLRN2d: Module, PlacedLayer {
  /// The number of channels in a sum; one less for even sizes.
  public let size: Int
  /// The weight of the mean of squares.
  public let alpha: Double
  /// The exponent of the divisor.
  public let beta: Double
  /// Added to the mean of squares.
  public let k: Double

  /// A layer with PyTorch's defaults. PyTorch: `nn.CrossMapLRN2d(size)`.
  public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    (self.size, self.alpha, self.beta, self.k) = (size, alpha, beta, k)
  }

  /// Normalizes every value.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      guard x.rank == 4 || x.isPoisoned else {
        throw TensorError("CrossMapLRN2d(_:)", "expected [N, C, H, W], got shape \(x.shape)")
      }
      let side = (max(size, 1) - 1) / 2
      return try neighbourNorm(
        x, before: side, behind: side, size: size, alpha: alpha, beta: beta, k: k,
        call: "CrossMapLRN2d(_:)")
    }.observed(by: self, of: x, file, line)
  }
}
