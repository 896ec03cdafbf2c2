import NormaKernels

// Logic of elements of any type, of which all but zero are true, NaN too. Truth values alone are
// joined with the operators .&, .|, .^ and .!

extension Tensor {
  /// Where elements are zero. PyTorch: `torch.logical_not`.
  public func logicalNot() -> Tensor { self .== 0 }

  /// Where elements are not zero.
  fileprivate var truth: Tensor { cast(to: .bool) }
}

/// Where neither element is zero. Shapes broadcast. PyTorch: `torch.logical_and`.
public func logicalAnd(_ a: Tensor, _ b: Tensor) -> Tensor { a.truth .& b.truth }

/// Where at least one element is not zero. Shapes broadcast. PyTorch: `torch.logical_or`.
public func logicalOr(_ a: Tensor, _ b: Tensor) -> Tensor { a.truth .| b.truth }

/// Where exactly one element is not zero. Shapes broadcast. PyTorch: `torch.logical_xor`.
public func logicalXor(_ a: Tensor, _ b: Tensor) -> Tensor { a.truth .^ b.truth }
