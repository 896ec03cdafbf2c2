// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Operators of PyTorch and NumPy that compare and combine elements. They cannot be called: the
// compiler replies with Norma's operator.

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

  @available(*, unavailable, message: "x .& y combines bits and Booleans")
  public static func & (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .& y combines bits and Booleans")
  public static func & <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .| y combines bits and Booleans")
  public static func | (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .| y combines bits and Booleans")
  public static func | <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }

  @available(*, unavailable, message: "x .^ y combines bits and Booleans; powers are pow(x, 2)")
  public static func ^ (x: Tensor, y: Tensor) -> Tensor { x }

  @available(*, unavailable, message: "x .^ y combines bits and Booleans; powers are pow(x, 2)")
  public static func ^ <T: TensorElement>(x: Tensor, y: T) -> Tensor { x }
}
