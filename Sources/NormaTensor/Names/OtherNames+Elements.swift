// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Elementwise functions of PyTorch and NumPy that people try first. They cannot be called: the
// compiler replies with Norma's name.

extension Tensor {
  @available(*, unavailable, renamed: "clamped(min:max:)")
  public func clamp(min: Double? = nil, max: Double? = nil) -> Tensor { self }

  @available(*, unavailable, renamed: "clamped(min:max:)")
  public func clip(_ min: Double, _ max: Double) -> Tensor { self }

  @available(*, unavailable, renamed: "rounded()")
  public func round() -> Tensor { self }

  @available(*, unavailable, renamed: "squared()")
  public func square() -> Tensor { self }

  @available(*, unavailable, renamed: "matmul(_:)")
  public func mm(_ other: Tensor) -> Tensor { self }

  @available(*, unavailable, renamed: "matmul(_:)")
  public func bmm(_ other: Tensor) -> Tensor { self }

  @available(*, unavailable, renamed: "matmul(_:)")
  public func mv(_ other: Tensor) -> Tensor { self }

  @available(*, unavailable, renamed: "filled(where:with:)")
  public func masked_fill(_ mask: Tensor, _ value: Double) -> Tensor { self }

  @available(*, unavailable, renamed: "indexSelected(_:over:)")
  public func index_select(_ axis: Int, _ indices: Tensor) -> Tensor { self }

  @available(*, unavailable, renamed: "gathered(_:over:)")
  public func gather(_ axis: Int, _ indices: Tensor) -> Tensor { self }

  @available(*, unavailable, renamed: "isNaN()")
  public func isnan() -> Tensor { self }

  @available(*, unavailable, renamed: "isInfinite()")
  public func isinf() -> Tensor { self }

  @available(*, unavailable, renamed: "isEqual(to:)")
  public func equal(_ other: Tensor) -> Bool { false }

  @available(*, unavailable, renamed: "allClose(to:)")
  public func allclose(_ other: Tensor) -> Bool { false }

  @available(*, unavailable, message: "tensors are values: write x += y on a var")
  public func add_(_ other: Tensor) -> Tensor { self }

  @available(*, unavailable, message: "tensors are values: write x *= y on a var")
  public func mul_(_ other: Tensor) -> Tensor { self }

  @available(*, unavailable, message: "tensors are values: write x = .full(x.shape, value)")
  public func fill_(_ value: Double) -> Tensor { self }

  @available(*, unavailable, message: "tensors are values: write x = .zeros(x.shape)")
  public func zero_() -> Tensor { self }

  @available(*, unavailable, renamed: "concatenated(_:over:)")
  public static func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor { Tensor(0) }

  @available(*, unavailable, renamed: "concatenated(_:over:)")
  public static func concatenate(_ tensors: [Tensor], axis: Int = 0) -> Tensor { Tensor(0) }

  @available(*, unavailable, renamed: "stacked(_:over:)")
  public static func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor { Tensor(0) }
}
