// Modified Bessel functions of the first kind. `float32` is vectorized, computed in double and
// rounded once; `float64` sums the series below 20 and the asymptotic expansion from there.
// Integers give `float32`.

extension Tensor {
  /// I₀(x) = Σₖ (x²/4)ᵏ / k!²: 1 at 0, even, infinite in `float32` from 92 on. Worst error in
  /// `float32` 0.51 ulp, in `float64` about ten.
  /// PyTorch: `torch.special.i0`, `torch.i0`; NumPy: `i0`.
  public func i0(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.i0, "i0()", file, line, .ofOperands { [$0.upstream * $0.saved[0].i1()] })
  }

  /// I₀(x) e^-|x|, which does not overflow: 0 at ±∞. Accuracy as for ``i0(file:line:)``.
  /// PyTorch: `torch.special.i0e`.
  public func i0e(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .i0e, "i0e()", file, line,
      .ofOperands {
        // The difference is small compared to both.
        let x = $0.saved[0].wide
        return [$0.upstream * (x.i1e() - x.sign() * x.i0e())]
      })
  }

  /// I₁(x), the derivative of ``i0(file:line:)``: 0 at 0, odd. The accuracy is the same.
  /// PyTorch: `torch.special.i1`.
  public func i1(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .i1, "i1()", file, line,
      .ofOperands {
        let x = $0.saved[0]
        return [$0.upstream * Tensor.where(x .== 0, 0.5, x.i0() - x.i1() / x)]
      })
  }

  /// I₁(x) e^-|x|, which does not overflow: 0 at ±∞. Accuracy as for ``i0(file:line:)``.
  /// PyTorch: `torch.special.i1e`.
  public func i1e(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .i1e, "i1e()", file, line,
      .ofOperands {
        let x = $0.saved[0].wide
        let slope = x.i0e() - x.i1e() * (x.sign() + x.reciprocal())
        return [$0.upstream * Tensor.where(x .== 0, 0.5, slope)]
      })
  }
}
