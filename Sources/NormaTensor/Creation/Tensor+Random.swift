import NormaValues

// Tensors of random numbers, drawn eagerly from the default generator: `manualSeed` seeds it,
// `withSeed` gives a task its own, `withGenerator` uses one that the caller keeps. The numbers are
// PyTorch's for the same seed and calls, bit for bit.

extension Tensor {
  /// Uniform numbers in `0 ..< 1`: `Tensor.rand(6, 64, 224, 224)`.
  ///
  /// Multiples of 2⁻²⁴ (`float64`: 2⁻⁵³). The 16-bit types are rounded, and what would round to 1
  /// is 0. Cost: 0.35 ns per number in `float32`, about as long as writing it; one write.
  /// PyTorch: `torch.rand`.
  public static func rand(
    _ shape: Int..., dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    rand(shape, dtype: dtype, file: file, line: line)
  }

  /// Uniform numbers in `0 ..< 1`. PyTorch: `torch.rand(shape)`.
  public static func rand(
    _ shape: [Int], dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    drawn(shape, .real(dtype), "rand(_:)", dtype: dtype, file, line) { generator, out, count in
      generator.uniform(out, count: count, dtype: dtype)
    }
  }

  /// Normal numbers with mean 0 and standard deviation 1: `Tensor.randn(3, 4)`.
  ///
  /// Computed by the Box-Muller transform. Fewer than 16 numbers are computed by a different
  /// formula than more of them, so a shorter tensor is not a prefix of a longer one, as in PyTorch.
  /// Cost: 0.8 ns per number in `float32`.
  /// PyTorch: `torch.randn`.
  public static func randn(
    _ shape: Int..., dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    randn(shape, dtype: dtype, file: file, line: line)
  }

  /// Normal numbers with mean 0 and standard deviation 1. PyTorch: `torch.randn(shape)`.
  public static func randn(
    _ shape: [Int], dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    drawn(shape, .real(dtype), "randn(_:)", dtype: dtype, file, line) { generator, out, count in
      generator.normal(out, count: count, dtype: dtype)
    }
  }

  /// Uniform numbers in `low ..< high`: `u * (high - low) + low` with one rounding, and `low` where
  /// that rounds to `high`.
  ///
  /// PyTorch: `torch.empty(shape).uniform_(low, high)`.
  public static func uniform(
    _ shape: [Int], low: Double, high: Double, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let range = RandomRule.real(dtype).and(
      low <= high && high - low <= dtype.greatestReal && low.magnitude <= dtype.greatestReal
        && high.magnitude <= dtype.greatestReal,
      "\(low) ..< \(high) is not a valid range for \(dtype)")
    return drawn(shape, range, "uniform(_:low:high:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.uniform(out, count: count, dtype: dtype, low: low, high: high)
    }
  }

  /// Normal numbers: `z * std + mean` with one rounding, where z are the numbers of `randn`.
  ///
  /// PyTorch: `torch.normal(mean, std, shape)`.
  public static func normal(
    _ shape: [Int], mean: Double = 0, std: Double = 1, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule.real(dtype).and(
      std >= 0, "the standard deviation must not be negative, got \(std)")
    return drawn(shape, rule, "normal(_:mean:std:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.normal(out, count: count, dtype: dtype, mean: mean, std: std)
    }
  }

  /// Integers in `low ..< high`: `low + bits % (high - low)`, with 32 random bits or, for ranges of
  /// 2²⁸ and more, 64.
  ///
  /// Any element type that holds the bounds; `randint(_:in:)` covers values beyond `Int`.
  /// PyTorch: `torch.randint(low, high, shape)`.
  public static func randint(
    _ shape: [Int], low: Int = 0, high: Int, dtype: DType = .int64, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule().and(low < high, "there is no integer in \(low) ..< \(high)")
      .and(
        dtype.integers.contains(low) && dtype.integers.contains(high &- 1),
        "\(dtype) does not hold all integers in \(low) ..< \(high)")
    return drawn(shape, rule, "randint(_:low:high:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.integers(out, count: count, dtype: dtype, low: Int64(low), high: Int64(high))
    }
  }

  /// Integers in a closed range, in the type of its bounds; this form can also draw the largest
  /// integer of every type.
  ///
  /// Tensor.randint([8], in: 0...UInt64.max)
  ///
  /// The numbers are those of `randint(_:low:high:)` with `high` one above.
  /// PyTorch: `torch.randint`, and `random_(from, None)` for all 64 bits.
  public static func randint<T: FixedWidthInteger & TensorElement>(
    _ shape: [Int], in range: ClosedRange<T>, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let low = Int64(truncatingIfNeeded: range.lowerBound)
    let width = UInt64(bitPattern: Int64(truncatingIfNeeded: range.upperBound) &- low) &+ 1
    return drawn(shape, RandomRule(), "randint(_:in:)", dtype: T.dtype, file, line) {
      generator, out, count in
      generator.integers(out, count: count, dtype: T.dtype, low: low, width: width)
    }
  }

  /// The integers `0 ..< count` in random order.
  ///
  /// Computed by the Fisher-Yates shuffle. PyTorch: `torch.randperm(count)`.
  public static func randperm(
    _ count: Int, dtype: DType = .int64, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule().and(
      count < 1 || dtype.exactIntegers.contains(count - 1),
      "\(dtype) does not hold all integers in 0 ..< \(count)")
    return drawn([count], rule, "randperm(_:)", dtype: dtype, file, line) { generator, out, count in
      generator.permutation(out, count: count, dtype: dtype)
    }
  }

  /// Ones with probability `p`, otherwise zeros.
  ///
  /// PyTorch: `torch.empty(shape).bernoulli_(p)`.
  public static func bernoulli(
    _ shape: [Int], p: Double, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    let rule = RandomRule().and(0...1 ~= p, "the probability must be in 0 ... 1, got \(p)")
    return drawn(shape, rule, "bernoulli(_:p:)", dtype: dtype, file, line) {
      generator, out, count in
      generator.bernoulli(out, count: count, dtype: dtype, p: p)
    }
  }

  /// Ones, each with its own probability, otherwise zeros, in the shape and type of
  /// `probabilities`.
  ///
  /// The ones differ from those of `bernoulli(_:p:)`: `float64` compares with 53 random bits, the
  /// other types with 24. Cost: one more pass, to check the probabilities.
  /// PyTorch: `torch.bernoulli(probabilities)`.
  public static func bernoulli(
    _ probabilities: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if probabilities.isPoisoned { return .poisoned }
    let dtype = probabilities.dtype
    let stored = probabilities.contiguous().evaluated()
    var rule = RandomRule.real(dtype)
    if rule.broken == nil && stored.count > 0 {
      let (least, greatest) = (stored.min().item(), stored.max().item())
      rule = rule.and(
        least >= 0 && greatest <= 1,
        "probabilities must be in 0 ... 1, got \(least) ... \(greatest)")
    }
    return drawn(stored.shape, rule, "bernoulli(_:)", dtype: dtype, file, line) {
      generator, out, count in
      stored.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        generator.bernoulli(
          out, count: count, dtype: dtype, probabilities: base, probabilityType: dtype)
      }
    }
  }
}
