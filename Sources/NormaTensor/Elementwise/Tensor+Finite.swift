import NormaValues

// NaN and infinities. One or two instructions each; integers have neither.

extension Tensor {
  /// Where elements are NaN. PyTorch: `torch.isnan`.
  public func isNaN() -> Tensor { self .!= self }

  /// Where elements are infinite, of either sign. PyTorch: `torch.isinf`.
  public func isInfinite() -> Tensor {
    dtype.isFloatingPoint ? detached().abs() .== Double.infinity : isNaN()
  }

  /// Where elements are neither NaN nor infinite. PyTorch: `torch.isfinite`.
  public func isFinite() -> Tensor {
    dtype.isFloatingPoint ? detached().abs() .< Double.infinity : self .== self
  }

  /// Where elements are ∞. PyTorch: `torch.isposinf`.
  public func isPositiveInfinity() -> Tensor {
    dtype.isFloatingPoint ? self .== Double.infinity : isNaN()
  }

  /// Where elements are -∞. PyTorch: `torch.isneginf`.
  public func isNegativeInfinity() -> Tensor {
    dtype.isFloatingPoint ? self .== -Double.infinity : isNaN()
  }

  /// NaN and infinities replaced by numbers; by default 0 and the largest and smallest finite
  /// numbers of the type. Integers are returned unchanged. The gradient is 0 where an element was
  /// replaced.
  /// PyTorch: `torch.nan_to_num`.
  public func nanToNum(
    nan: Double = 0, positiveInfinity: Double? = nil, negativeInfinity: Double? = nil
  ) -> Tensor {
    guard dtype.isFloatingPoint else { return self }
    let largest = dtype.greatestReal
    if nan == 0 && positiveInfinity == nil && negativeInfinity == nil {
      return checked { () throws(TensorError) in
        try Tensor.binary(
          .finite, self, Scalar(largest), position: 1, call: "nanToNum()",
          gradient: .ofOperands { [.where($0.saved[0].isFinite(), $0.upstream, 0)] })
      }
    }
    var result = Tensor.where(isNaN(), nan, self)
    result = Tensor.where(isPositiveInfinity(), positiveInfinity ?? largest, result)
    return Tensor.where(isNegativeInfinity(), negativeInfinity ?? -largest, result)
  }
}
