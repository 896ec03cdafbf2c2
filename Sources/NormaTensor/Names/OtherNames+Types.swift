// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Names for types and gradients in PyTorch and NumPy that people try first. They cannot be called:
// the compiler replies with Norma's name.

import NormaValues

extension Tensor {
  @available(*, unavailable, renamed: "cast(to:)")
  public func to(_ dtype: DType) -> Tensor { self }

  @available(*, unavailable, renamed: "cast(to:)")
  public func astype(_ dtype: DType) -> Tensor { self }

  @available(*, unavailable, renamed: "cast(to:)")
  public func asType(_ dtype: DType) -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .float32)")
  public func float() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .float64)")
  public func double() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .float16)")
  public func half() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .bfloat16)")
  public func bfloat16() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int64)")
  public func long() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int32)")
  public func int() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int16)")
  public func short() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int8)")
  public func char() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .uint8)")
  public func byte() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int8)")
  public func int8() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int16)")
  public func int16() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int32)")
  public func int32() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .int64)")
  public func int64() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .uint8)")
  public func uint8() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .uint16)")
  public func uint16() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .uint32)")
  public func uint32() -> Tensor { self }

  @available(*, unavailable, message: "write x.cast(to: .uint64)")
  public func uint64() -> Tensor { self }

  @available(*, unavailable, message: "not needed: a tensor is a value, which nothing else changes")
  public func clone() -> Tensor { self }

  @available(*, unavailable, message: "not needed: all tensors are in CPU memory")
  public func cpu() -> Tensor { self }

  @available(*, unavailable, message: "write x.array(of: Float.self)")
  public func tolist() -> [Double] { [] }

  @available(*, unavailable, message: "write x.array(of: Float.self), or x.write(npy: path)")
  public func numpy() -> [Double] { [] }

  @available(*, unavailable, renamed: "detached()")
  public func detach() -> Tensor { self }

  @available(*, unavailable, renamed: "requiringGradient()")
  public func requires_grad_() -> Tensor { self }
}
