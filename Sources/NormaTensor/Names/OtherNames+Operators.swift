// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Operators of PyTorch and NumPy that compare and combine elements. None of them can be called: the
// compiler answers with the operator that Norma has.

import NormaValues

extension Tensor {
  @available(
    *, unavailable, message: "x .== y compares elements and x.isEqual(to: y) whole tensors"
  )
  public static func == (x: Tensor, y: Tensor) -> Tensor { x }

  @available(
    *, unavailable, message: "x .== y compares elements and x.isEqual(to: y) whole tensors"
  )
  public static func == <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .!= y compares elements; !x.isEqual(to: y) whole tensors")
  public static func != (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .!= y compares elements; !x.isEqual(to: y) whole tensors")
  public static func != <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .< y compares elements")
  public static func < (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .< y compares elements")
  public static func < <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .<= y compares elements")
  public static func <= (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .<= y compares elements")
  public static func <= <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .> y compares elements")
  public static func > (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .> y compares elements")
  public static func > <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .>= y compares elements")
  public static func >= (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .>= y compares elements")
  public static func >= <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "remainder(x, y) has the sign of y, fmod(x, y) that of x")
  public static func % (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "remainder(x, y) has the sign of y, fmod(x, y) that of x")
  public static func % <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .& y combines bits and booleans")
  public static func & (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .& y combines bits and booleans")
  public static func & <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .| y combines bits and booleans")
  public static func | (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .| y combines bits and booleans")
  public static func | <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .^ y combines bits and booleans; powers are pow(x, 2)")
  public static func ^ (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .^ y combines bits and booleans; powers are pow(x, 2)")
  public static func ^ <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }
}
