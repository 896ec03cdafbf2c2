// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Free functions of NumPy and Swift that are methods of tensors here. They cannot be called: the
// compiler replies with the method.

import NormaValues

@available(*, unavailable, message: "x.abs()")
public func abs(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.sqrt()")
public func sqrt(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.exp()")
public func exp(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.log()")
public func log(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.sin()")
public func sin(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.cos()")
public func cos(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.tanh()")
public func tanh(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.floor()")
public func floor(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.ceil()")
public func ceil(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "x.rounded()")
public func round(_ x: Tensor) -> Tensor { x }

@available(*, unavailable, message: "maximum(x, y), elementwise; x.max() is the largest element")
public func max(_ x: Tensor, _ y: Tensor) -> Tensor { x }

@available(
  *, unavailable, message: "x.clamped(min: y), elementwise; x.max() is the largest element"
)
public func max<T: TensorElement>(_ x: Tensor, _ y: T) -> Tensor { x }

@available(
  *, unavailable, message: "minimum(x, y), elementwise; x.min() is the smallest element"
)
public func min(_ x: Tensor, _ y: Tensor) -> Tensor { x }

@available(
  *, unavailable, message: "x.clamped(max: y), elementwise; x.min() is the smallest element"
)
public func min<T: TensorElement>(_ x: Tensor, _ y: T) -> Tensor { x }
