// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// A parameter is a cell that holds a tensor, so operators do not apply to it. These unavailable
// overloads make the compiler point to the tensor.

import NormaTensor

extension Parameter {
  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func + (x: Tensor, y: Parameter) -> Tensor { x }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func + (x: Parameter, y: Tensor) -> Tensor { y }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func + (x: Parameter, y: Parameter) -> Tensor { x.value }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func - (x: Tensor, y: Parameter) -> Tensor { x }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func - (x: Parameter, y: Tensor) -> Tensor { y }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func - (x: Parameter, y: Parameter) -> Tensor { x.value }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func * (x: Tensor, y: Parameter) -> Tensor { x }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func * (x: Parameter, y: Tensor) -> Tensor { y }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func * (x: Parameter, y: Parameter) -> Tensor { x.value }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func / (x: Tensor, y: Parameter) -> Tensor { x }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func / (x: Parameter, y: Tensor) -> Tensor { y }

  @available(*, unavailable, message: "a parameter holds its tensor: write parameter.value")
  public static func / (x: Parameter, y: Parameter) -> Tensor { x.value }
}
