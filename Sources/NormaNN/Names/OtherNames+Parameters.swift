// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// A parameter is a place that holds a tensor. Operators on it cannot be called: the compiler answers with
// where the tensor is.

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
