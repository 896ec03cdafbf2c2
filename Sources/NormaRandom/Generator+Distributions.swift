import CNormaLoops
import NormaValues

// Numbers of other distributions: each is a function of a uniform number in Double (two words of
// the stream) or of a normal number, rounded to the element type last.

extension Generator {
  /// Fills `out` with exponential numbers: `-1 / rate * log1p(-u)`.
  ///
  /// `dtype` is a real type. PyTorch: `exponential_(rate)`.
  package mutating func exponential(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, rate: Double = 1
  ) {
    guard dtype.isFloatingPoint else { unsupported("exponential", dtype) }
    fill(out, count, dtype) { norma_random_exponential($0, $1, rate) }
  }

  /// Fills `out` with the number of trials up to the first success: `ceil(log(u) / log1p(-p))`.
  ///
  /// Any type but `bool`, with `0 < p < 1`; values beyond an integer type wrap.
  /// PyTorch: `geometric_(p)`.
  package mutating func geometric(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, p: Double
  ) {
    guard dtype != .bool else { unsupported("geometric", dtype) }
    fill(out, count, dtype) { norma_random_geometric($0, $1, p) }
  }

  /// Fills `out` with Cauchy numbers: `median + sigma * tan(pi * (u - 0.5))`.
  ///
  /// `dtype` is a real type. PyTorch: `cauchy_(median, sigma)`.
  package mutating func cauchy(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, median: Double = 0, sigma: Double = 1
  ) {
    guard dtype.isFloatingPoint else { unsupported("cauchy", dtype) }
    fill(out, count, dtype) { norma_random_cauchy($0, $1, median, sigma) }
  }

  /// Fills `out` with `exp(z)` of normal numbers z of the given mean and standard deviation.
  ///
  /// `dtype` is a real type. The normal numbers are drawn as those of fewer than 16 values are, as
  /// pairs in Double.
  /// PyTorch: `log_normal_(mean, std)`.
  package mutating func logNormal(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, mean: Double = 1, std: Double = 2
  ) {
    guard dtype.isFloatingPoint else { unsupported("logNormal", dtype) }
    drawPairs(count) { piece, range in
      norma_random_affine(piece, range.count, std, mean)
      norma_random_exp(piece, range.count)
      Self.store(piece, out, range, dtype)
    }
  }

  /// Draws numbers in `0 ..< 1`, lets `map` change them and stores them.
  private mutating func fill(
    _ out: UnsafeMutableRawPointer, _ count: Int, _ dtype: DType,
    _ map: (UnsafeMutablePointer<Double>, Int) -> Void
  ) {
    drawUnits64(count) { piece, range in
      map(piece, range.count)
      Self.store(piece, out, range, dtype)
    }
  }
}
