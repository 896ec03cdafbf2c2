import NormaKernels

extension Tensor {
  /// Where |a - b| <= atol + rtol |b|, element by element; equal infinities are close, and NaN with
  /// NaN if `equalNaN`. Shapes broadcast, types must be equal. ``allClose(to:rtol:atol:equalNaN:file:line:)``
  /// asks it of whole tensors. PyTorch: `torch.isclose`, with the same defaults.
  public func isClose(
    to other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "isClose(to:rtol:atol:equalNaN:)"
      if isPoisoned || other.isPoisoned { return .poisoned }
      guard dtype == other.dtype else {
        throw TensorError(call, "the types \(dtype) and \(other.dtype) differ; cast one of them")
      }
      guard rtol >= 0, atol >= 0 else {
        throw TensorError(call, "rtol \(rtol) and atol \(atol) must not be negative")
      }
      let (a, b) = (detached(), other.detached())
      var close = a .== b
      if equalNaN { close = close .| (a.isNaN() .& b.isNaN()) }
      if rtol == 0 && atol == 0 { return close }
      let real: DType = dtype.isFloatingPoint ? dtype : .float64
      let distance = (dtype == .bool ? a.cast(to: .uint8) - b.cast(to: .uint8) : a - b).abs()
        .cast(to: real)
      let allowed = b.abs().cast(to: real) * rtol + atol
      return close .| (distance.isFinite() .& (distance .<= allowed))
    }
  }
}
