// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Shape operations of PyTorch and NumPy that people try first. They cannot be called: the compiler
// replies with Norma's name.

extension Tensor {
  @available(*, unavailable, renamed: "reshaped(_:)")
  public func view(_ shape: Int...) -> Tensor { self }

  @available(*, unavailable, renamed: "reshaped(_:)")
  public func view(_ shape: [Int]) -> Tensor { self }

  @available(*, unavailable, renamed: "reshaped(_:)")
  public func reshape(_ shape: Int...) -> Tensor { self }

  @available(*, unavailable, renamed: "reshaped(_:)")
  public func reshape(_ shape: [Int]) -> Tensor { self }

  @available(*, unavailable, renamed: "permuted(_:)")
  public func permute(_ axes: Int...) -> Tensor { self }

  @available(
    *, unavailable, message: "transposed(_:_:) swaps two axes, permuted(_:) orders all of them"
  )
  public func transpose(_ axes: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "transposed() swaps the last two axes, permuted(_:) orders all of them"
  )
  public var T: Tensor { self }

  @available(*, unavailable, renamed: "transposed()")
  public var mT: Tensor { self }

  @available(*, unavailable, renamed: "transposed()")
  public func t() -> Tensor { self }

  @available(*, unavailable, renamed: "squeezed(_:)")
  public func squeeze(_ axes: Int...) -> Tensor { self }

  @available(*, unavailable, renamed: "unsqueezed(_:)")
  public func unsqueeze(_ axis: Int) -> Tensor { self }

  @available(*, unavailable, renamed: "flattened()")
  public func flatten() -> Tensor { self }

  @available(*, unavailable, renamed: "flattened()")
  public func ravel() -> Tensor { self }

  @available(*, unavailable, message: "write x.broadcast(to: [2, 3])")
  public func expand(_ shape: Int...) -> Tensor { self }

  @available(*, unavailable, renamed: "repeatedInterleaved(_:)")
  public func repeat_interleave(_ count: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.tiled([2, 3])")
  public func tile(_ counts: Int...) -> Tensor { self }

  @available(*, unavailable, message: "write x.flipped(over: 0)")
  public func flip(_ axes: Int...) -> Tensor { self }

  @available(*, unavailable, message: "write x.rolled(1, over: 0)")
  public func roll(_ shifts: Int...) -> Tensor { self }

  @available(*, unavailable, renamed: "count")
  public func numel() -> Int { 0 }

  @available(*, unavailable, renamed: "rank")
  public func dim() -> Int { 0 }

  @available(*, unavailable, renamed: "rank")
  public var ndim: Int { 0 }

  @available(*, unavailable, message: "write x.shape[0]")
  public func size(_ axis: Int) -> Int { 0 }
}
