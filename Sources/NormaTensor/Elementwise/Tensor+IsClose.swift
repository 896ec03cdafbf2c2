import NormaValues

extension Tensor {
  /// Where |a - b| <= atol + rtol |b|, element by element; equal infinities are close, and NaN is
  /// close to NaN if `equalNaN`. Shapes broadcast; types must be equal.
  /// ``allClose(to:rtol:atol:equalNaN:file:line:)`` compares whole tensors.
  /// PyTorch: `torch.isclose`, with the same defaults.
  public func isClose(
    to other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      let call = "isClose(to:rtol:atol:equalNaN:)"
      guard dtype == other.dtype else {
        throw TensorError(call, "the types \(dtype) and \(other.dtype) differ; cast one of them")
      }
      try demand(rtol >= 0 && atol >= 0, call, "rtol \(rtol) and atol \(atol) must not be negative")
      let (a, b) = (detached(), other.detached())
      var close = a .== b
      if equalNaN { close = close .| (a.isNaN() .& b.isNaN()) }
      if rtol == 0 && atol == 0 { return close }
      // Differences of half types may overflow in their own type.
      let real: DType = dtype.isHalf ? .float32 : dtype.isFloatingPoint ? dtype : .float64
      let (x, y) = (a.cast(to: real), b.cast(to: real))
      let distance = dtype.isFloatingPoint ? (x - y).abs() : a.wholeDistance(to: b)
      let allowed = y.abs() * rtol + atol
      return close .| (distance.isFinite() .& (distance .<= allowed))
    }
  }

  /// |a - b| of integers and Booleans in `float64`: exact up to 2⁵³, rounded once beyond.
  private func wholeDistance(to other: Tensor) -> Tensor {
    let exact = (cast(to: .int64) - other.cast(to: .int64)).abs().cast(to: .float64)
    if dtype == .uint64 {
      return (maximum(self, other) - minimum(self, other)).cast(to: .float64)
    }
    guard dtype == .int64 else { return exact }
    // Differences of large integers wrap.
    let rounded = (cast(to: .float64) - other.cast(to: .float64)).abs()
    return Tensor.where(rounded .< 0x1p62, exact, rounded)
  }
}
