// Sums and means that ignore NaN.

extension Tensor {
  /// The sum over `axes`, or over all axes if none are named, ignoring NaN; 0 if nothing is left.
  ///
  /// Otherwise like `sum(over:)`. The gradient of a NaN is 0. Cost: one pass. PyTorch:
  /// `torch.nansum`.
  public func nanSum(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let front = try Shape.axes(axes, of: shape, call: "nanSum(over:)")
      return withoutNaN.sum(over: front, keepDims: keepDims)
    }
  }

  /// `nanSum` over the listed axes, or over all axes if none are given.
  public func nanSum(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    nanSum(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The mean over `axes`, or over all axes if none are named, ignoring NaN; NaN if nothing is
  /// left.
  ///
  /// In `float64`, rounded once to the tensor's type. Integers are not allowed; cast them first.
  /// The gradient of a NaN is 0. Cost: two passes. PyTorch: `torch.nanmean`.
  public func nanMean(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "nanMean(over:)"
      try requireReal(call)
      let reduced = try Shape.axes(axes, of: shape, call: call)
      let count = detached().isNumber.sum(over: reduced, keepDims: true)
      let sum = detached().withoutNaN.reduced(.sum, over: reduced, keepDims: true, to: .float64)
      let target = Shape.reduced(shape, over: reduced, keepDims: keepDims)
      let shape = shape
      return (sum / count.cast(to: .float64)).cast(to: dtype).reshaped(target)
        .recorded(call, from: [self], saving: [self, count]) { rule in
          let share = Tensor.kept(rule.upstream, shape, reduced) / rule.saved[1]
          return [Tensor.where(rule.saved[0] .== rule.saved[0], share, 0)]
        }
    }
  }

  /// `nanMean` over the listed axes, or over all axes if none are given.
  public func nanMean(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    nanMean(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// NaN replaced by zero.
  private var withoutNaN: Tensor {
    guard dtype.isFloatingPoint else { return self }
    return checked { () throws(TensorError) in
      try Tensor.binary(
        .finite, self, Scalar(Double.infinity), position: 1, call: "nanSum(over:)",
        gradient: .ofOperands { [.where($0.saved[0].isNaN(), 0, $0.upstream)] }
      )
    }
  }
}
