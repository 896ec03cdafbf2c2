// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Reductions of PyTorch and NumPy that people try first. They cannot be called: the compiler
// replies with Norma's name.

extension Tensor {
  @available(
    *, unavailable,
    message: "sum(over:) takes the axes: x.sum(over: 1), with keepDims: true to keep them"
  )
  public func sum(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "sum(over:) takes the axes: x.sum(over: 1), with keepDims: true to keep them"
  )
  public func sum(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "mean(over:) takes the axes: x.mean(over: 1), with keepDims: true to keep them"
  )
  public func mean(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "mean(over:) takes the axes: x.mean(over: 1), with keepDims: true to keep them"
  )
  public func mean(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "std(over:) takes the axes: x.std(over: 1), with keepDims: true to keep them"
  )
  public func std(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "std(over:) takes the axes: x.std(over: 1), with keepDims: true to keep them"
  )
  public func std(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "variance(over:) takes the axes: x.variance(over: 1), with keepDims: true to keep them"
  )
  public func `var`(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "variance(over:) takes the axes: x.variance(over: 1), with keepDims: true to keep them"
  )
  public func `var`(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "product(over:) takes the axes: x.product(over: 1), with keepDims: true to keep them"
  )
  public func prod(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "product(over:) takes the axes: x.product(over: 1), with keepDims: true to keep them"
  )
  public func prod(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "max(over:) takes the axes: x.max(over: 1), with keepDims: true to keep them"
  )
  public func max(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "max(over:) takes the axes: x.max(over: 1), with keepDims: true to keep them"
  )
  public func max(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "min(over:) takes the axes: x.min(over: 1), with keepDims: true to keep them"
  )
  public func min(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "min(over:) takes the axes: x.min(over: 1), with keepDims: true to keep them"
  )
  public func min(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "max(over:) takes the axes: x.max(over: 1), with keepDims: true to keep them"
  )
  public func amax(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "max(over:) takes the axes: x.max(over: 1), with keepDims: true to keep them"
  )
  public func amax(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "min(over:) takes the axes: x.min(over: 1), with keepDims: true to keep them"
  )
  public func amin(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "min(over:) takes the axes: x.min(over: 1), with keepDims: true to keep them"
  )
  public func amin(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "argmax(over:) takes the axes: x.argmax(over: 1), with keepDims: true to keep them"
  )
  public func argmax(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "argmax(over:) takes the axes: x.argmax(over: 1), with keepDims: true to keep them"
  )
  public func argmax(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "argmin(over:) takes the axes: x.argmin(over: 1), with keepDims: true to keep them"
  )
  public func argmin(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "argmin(over:) takes the axes: x.argmin(over: 1), with keepDims: true to keep them"
  )
  public func argmin(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "any(over:) takes the axes: x.any(over: 1), with keepDims: true to keep them"
  )
  public func any(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "any(over:) takes the axes: x.any(over: 1), with keepDims: true to keep them"
  )
  public func any(dim: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "all(over:) takes the axes: x.all(over: 1), with keepDims: true to keep them"
  )
  public func all(axis: Int...) -> Tensor { self }

  @available(
    *, unavailable,
    message: "all(over:) takes the axes: x.all(over: 1), with keepDims: true to keep them"
  )
  public func all(dim: Int...) -> Tensor { self }

  @available(*, unavailable, message: "write x.softmax(over:)")
  public func softmax(axis: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.softmax(over:)")
  public func softmax(dim: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.logSoftmax(over:)")
  public func log_softmax(axis: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.logSoftmax(over:)")
  public func log_softmax(dim: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.logSumExp(over:)")
  public func logsumexp(axis: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.logSumExp(over:)")
  public func logsumexp(dim: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.cumulativeSum(over:)")
  public func cumsum(axis: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.cumulativeSum(over:)")
  public func cumsum(dim: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.cumulativeProduct(over:)")
  public func cumprod(axis: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.cumulativeProduct(over:)")
  public func cumprod(dim: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.norm(over:)")
  public func norm(axis: Int) -> Tensor { self }

  @available(*, unavailable, message: "write x.norm(over:)")
  public func norm(dim: Int) -> Tensor { self }
}
