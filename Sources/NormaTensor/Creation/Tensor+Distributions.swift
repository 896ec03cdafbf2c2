import NormaValues

// Random numbers of less common distributions; the conventions are those of Tensor+Random.swift.
// All are computed in Double from 53 random bits and rounded to the element type.

extension Tensor {
  /// Exponential numbers: `-1 / rate * log1p(-u)`, with mean 1 / rate.
  ///
  /// PyTorch: `torch.empty(shape).exponential_(rate)`.
  public static func exponential(
    _ shape: [Int], rate: Double = 1, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule.real(dtype).and(rate > 0, "the rate must be positive, got \(rate)")
    return drawn(shape, rule, "exponential(_:rate:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.exponential(out, count: count, dtype: dtype, rate: rate)
    }
  }

  /// The number of trials up to the first success: `ceil(log(u) / log1p(-p))`, with mean 1 / p.
  ///
  /// Any type but `bool`; a number beyond an integer type wraps, so a small `p` needs a wide type.
  /// PyTorch: `torch.empty(shape).geometric_(p)`.
  public static func geometric(
    _ shape: [Int], p: Double, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule().and(dtype != .bool, "bool holds no number above 1")
      .and(p > 0 && p < 1, "the probability must be between 0 and 1, got \(p)")
    return drawn(shape, rule, "geometric(_:p:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.geometric(out, count: count, dtype: dtype, p: p)
    }
  }

  /// Cauchy numbers: `median + sigma * tan(pi * (u - 0.5))`. They have no mean.
  ///
  /// PyTorch: `torch.empty(shape).cauchy_(median, sigma)`.
  public static func cauchy(
    _ shape: [Int], median: Double = 0, sigma: Double = 1, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule.real(dtype).and(sigma > 0, "sigma must be positive, got \(sigma)")
    return drawn(shape, rule, "cauchy(_:median:sigma:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.cauchy(out, count: count, dtype: dtype, median: median, sigma: sigma)
    }
  }

  /// Numbers whose logarithm is normal: `exp(z * std + mean)`.
  ///
  /// `mean` and `std` are those of the logarithm.
  /// PyTorch: `torch.empty(shape).log_normal_(mean, std)`.
  public static func logNormal(
    _ shape: [Int], mean: Double = 1, std: Double = 2, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule.real(dtype).and(
      std > 0, "the standard deviation must be positive, got \(std)")
    return drawn(shape, rule, "logNormal(_:mean:std:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.logNormal(out, count: count, dtype: dtype, mean: mean, std: std)
    }
  }
}
