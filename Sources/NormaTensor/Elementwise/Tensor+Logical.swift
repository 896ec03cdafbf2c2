// Logic on elements of any type: everything but zero is true, including NaN. For Booleans only,
// there are the operators .&, .|, .^ and .!

extension Tensor {
  /// Where elements are zero. PyTorch: `torch.logical_not`.
  public func logicalNot() -> Tensor { self .== 0 }
}

/// Where neither element is zero. Shapes broadcast. PyTorch: `torch.logical_and`.
public func logicalAnd(_ a: Tensor, _ b: Tensor) -> Tensor {
  truth(.logicalAnd, a, b, "logicalAnd(_:_:)")
}

/// Where at least one element is not zero. Shapes broadcast. PyTorch: `torch.logical_or`.
public func logicalOr(_ a: Tensor, _ b: Tensor) -> Tensor {
  truth(.logicalOr, a, b, "logicalOr(_:_:)")
}

/// Where exactly one element is not zero. Shapes broadcast. PyTorch: `torch.logical_xor`.
public func logicalXor(_ a: Tensor, _ b: Tensor) -> Tensor {
  truth(.logicalXor, a, b, "logicalXor(_:_:)")
}

/// Operands of different types are converted to Booleans first, so that none is rounded to zero.
private func truth(_ code: Operation.Code, _ a: Tensor, _ b: Tensor, _ call: String) -> Tensor {
  if a.isPoisoned || b.isPoisoned { return .poisoned }
  let (x, y) = a.dtype == b.dtype ? (a, b) : (a.cast(to: .bool), b.cast(to: .bool))
  return Tensor.comparison(code, x, y, call: call)
}
