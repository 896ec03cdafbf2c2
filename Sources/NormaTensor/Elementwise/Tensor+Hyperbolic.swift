// Hyperbolic functions. `float32` results are computed in double and rounded once, which leaves
// errors of at most 0.51 ulp, the same on every processor; `float64` uses the C library. Integers
// give `float32`.

extension Tensor {
  /// (eˣ - e⁻ˣ) / 2. Worst error in `float32` 0.51 ulp. PyTorch: `torch.sinh`.
  public func sinh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.sinh, "sinh()", file, line, .ofOperands { [$0.upstream * $0.saved[0].cosh()] })
  }

  /// (eˣ + e⁻ˣ) / 2. Worst error in `float32` 0.51 ulp. PyTorch: `torch.cosh`.
  public func cosh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.cosh, "cosh()", file, line, .ofOperands { [$0.upstream * $0.saved[0].sinh()] })
  }

  /// The inverse of sinh, log(x + √(x² + 1)). Worst error in `float32` 0.51 ulp.
  /// PyTorch: `torch.asinh`.
  public func asinh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .asinh, "asinh()", file, line,
      .ofOperands { rule in
        let x = rule.saved[0]
        // Squares of narrower types do not overflow in `float64`.
        return [
          rule.upstream / (x.dtype == .float64 ? hypot(x, x.asOnes) : (x.wide.squared() + 1).sqrt())
        ]
      })
  }

  /// The inverse of cosh, log(x + √(x² - 1)); NaN below 1. Worst error in `float32` 0.51 ulp.
  /// PyTorch: `torch.acosh`.
  public func acosh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .acosh, "acosh()", file, line,
      .ofOperands { rule in
        let x = rule.saved[0].wide
        let slope = rule.upstream / ((x - 1) * (x + 1)).sqrt()
        // A square root would be real again below -1, where the function has no slope.
        let inside = Tensor.where(x .<= -1, Double.nan, slope)
        guard rule.saved[0].dtype == .float64 else { return [inside] }
        return [.where(x .> 1e9, rule.upstream / x, inside)]
      })
  }

  /// The inverse of tanh, log((1 + x) / (1 - x)) / 2: infinite at -1 and 1, NaN beyond. Worst error
  /// in `float32` 0.51 ulp. PyTorch: `torch.atanh`.
  public func atanh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .atanh, "atanh()", file, line,
      .ofOperands { [$0.upstream / (1 - $0.saved[0].wide) / ($0.saved[0].wide + 1)] })
  }
}
