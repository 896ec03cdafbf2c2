import NormaTensor

/// Sines and cosines of positions: column 2i is sin(p / base^(2i / width)), column 2i + 1 the
/// cosine.
///
/// - Shapes: `[count, width]`; `width` must be even.
/// - Accuracy: computed in `float64` and rounded once. PyTorch: written by hand in its transformer
///   tutorial. Source: Vaswani and others (2017).
public func sinusoidalPositions(
  _ count: Int, _ width: Int, base: Double = 10_000, dtype: DType = .float32,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard count >= 0, width >= 0, width % 2 == 0 else {
      throw TensorError(
        "sinusoidalPositions(_:_:)",
        "\(count) positions of width \(width); the width must be even and neither negative")
    }
    let angles = positionAngles(Tensor.arange(count), width, base)
    return Tensor.stacked([angles.sin(), angles.cos()], over: -1).reshaped(count, width)
      .cast(to: dtype)
  }
}

/// p / base^(2i / width) in `float64`, for positions `[...]`: `[..., width / 2]`.
private func positionAngles(_ positions: Tensor, _ width: Int, _ base: Double) -> Tensor {
  let exponents = Tensor.arange(width / 2).cast(to: .float64) * (2 / Double(max(width, 1)))
  let rates = pow(base, -exponents)
  return positions.cast(to: .float64).unsqueezed(-1) * rates
}

/// Rotary positions: pairs of features of queries and keys are rotated by an angle that grows with
/// the position, so that their products depend on distances only.
///
/// - Shapes: `[..., positions, width]`, usually `[N, heads, L, D]`, where the first `width`
///   features are rotated.
/// - Pairs: feature i with i + width / 2, as in Llama's files on Hugging Face and GPT-NeoX; with
///   `isInterleaved` 2i with 2i + 1, as in the paper, Meta's own Llama files and GPT-J.
/// - PyTorch has no counterpart; `apply_rotary_pos_emb` of transformers. Source: Su and others
///   (2021).
public struct RotaryEmbedding: Sendable {
  /// The number of features that are rotated.
  public let width: Int
  /// The base of the wavelengths.
  public let base: Double
  /// Whether pairs are neighbors.
  public let isInterleaved: Bool

  /// Rotations of `width` features, an even number.
  public init(
    _ width: Int, base: Double = 10_000, isInterleaved: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    if width < 2 || width % 2 != 0 {
      report(
        TensorError("RotaryEmbedding(_:)", "the width must be even and positive, got \(width)"),
        file: file, line: line)
    }
    (self.width, self.base, self.isInterleaved) = (max(2, width / 2 * 2), base, isInterleaved)
  }

  /// `x` rotated for the positions `offset`, `offset` + 1, ..., or those given as integers `[L]` or
  /// in any shape that broadcasts to `x` without its last axis.
  public func callAsFunction(
    _ x: Tensor, offset: Int = 0, positions: Tensor? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line, call: "RotaryEmbedding(_:)") { () throws(TensorError) in
      if x.isPoisoned || positions?.isPoisoned == true { return .poisoned }
      guard x.rank >= 2, x.shape[x.rank - 1] >= width, x.dtype.isFloatingPoint else {
        throw TensorError(
          "RotaryEmbedding(_:)",
          "real numbers [..., positions, at least \(width)] are needed, got \(x.dtype) \(x.shape)")
      }
      let last = x.rank - 1
      let places = positions ?? Tensor.arange(x.shape[last - 1]) + offset
      let angles = positionAngles(places, width, base)
      let isHalf = x.dtype == .float16 || x.dtype == .bfloat16
      let working: DType = isHalf ? .float32 : x.dtype
      let (cos, sin) = (angles.cos().cast(to: working), angles.sin().cast(to: working))
      let turned = x.narrowed(over: last, from: 0, count: width).cast(to: working)
      let rest = x.narrowed(over: last, from: width, count: x.shape[last] - width)
      let (a, b): (Tensor, Tensor)
      if isInterleaved {
        let pairs = turned.reshaped(x.shape.dropLast() + [width / 2, 2])
        (a, b) = (pairs.selected(over: last + 1, at: 0), pairs.selected(over: last + 1, at: 1))
      } else {
        let halves = turned.chunked(2, over: last)
        (a, b) = (halves[0], halves[1])
      }
      let (first, second) = (a * cos - b * sin, b * cos + a * sin)
      let result =
        isInterleaved
        ? Tensor.stacked([first, second], over: -1).reshaped(x.shape.dropLast() + [width])
        : Tensor.concatenated([first, second], over: last)
      let rounded = result.cast(to: x.dtype)
      return rest.count == 0 ? rounded : Tensor.concatenated([rounded, rest], over: last)
    }
  }
}

/// The slopes of ALiBi for a number of heads: 2^(-8 / n), 2^(-16 / n), ... for powers of two n; for
/// other numbers, those of the power below and every other one of the power above.
///
/// Source: Press and others (2022).
public func alibiSlopes(
  _ heads: Int, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard heads > 0 else {
      throw TensorError("alibiSlopes(_:)", "at least one head is needed, got \(heads)")
    }
    var power = 1
    while power * 2 <= heads { power *= 2 }
    let first = pow(2.0, (Tensor.arange(power).cast(to: .float64) + 1) * (-8 / Double(power)))
    let odd = Tensor.arange(heads - power).cast(to: .float64) * 2 + 1
    let second = pow(2.0, odd * (-4 / Double(power)))
    return Tensor.concatenated([first, second], over: 0).cast(to: dtype)
  }
}

/// ALiBi's numbers to add to scores: slope (key's position - query's position), `[heads, L, S]`.
/// The last query is at the position of the last key.
public func alibiBias(
  heads: Int, queries: Int, keys: Int, dtype: DType = .float32, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard queries >= 0, keys >= queries else {
      throw TensorError(
        "alibiBias(heads:queries:keys:)",
        "there must be at least as many keys as queries, got \(queries) queries and \(keys) keys")
    }
    let slopes = alibiSlopes(heads, dtype: .float64, file: file, line: line)
    let query = Tensor.arange(queries).unsqueezed(1) + (keys - queries)
    let distance = (Tensor.arange(keys).unsqueezed(0) - query).cast(to: .float64)
    return (slopes.reshaped(-1, 1, 1) * distance).cast(to: dtype)
  }
}
