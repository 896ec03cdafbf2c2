extension Tensor {
  /// The product over `axes`, or over all axes if none are named; 1 of an empty tensor.
  ///
  /// Real numbers are multiplied in `float64` and rounded once to the tensor's type; integers and
  /// Booleans give `int64`, `uint64` stays `uint64`; these wrap. The gradient is the product of all
  /// other elements, exact even if there are zeros, because it does not divide. Cost: one pass,
  /// shared with other reductions over the same axes; for the gradient two scans. PyTorch:
  /// `torch.prod`.
  public func product(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      if isWidened {
        return widened.product(over: axes, keepDims: keepDims, file: file, line: line)
      }
      let call = "product(over:)"
      let reduced = try Shape.axes(axes, of: shape, call: call)
      let product = self.reduced(
        .product, over: reduced, keepDims: keepDims, to: dtype.sumType)
      guard isRecording else { return product }
      let shape = shape
      return product.recorded(call, from: [self], saving: [self], runsAtOnce: true) { rule in
        let upstream = Tensor.kept(rule.upstream, shape, reduced)
        let x = rule.saved[0].cast(to: .float64).joinedLast(reduced)
        let last = x.rank - 1
        let before = x.multiplied(along: last, backwards: false).shifted(last, by: 1, filling: 1)
        let after = x.multiplied(along: last, backwards: true).shifted(last, by: -1, filling: 1)
        return [upstream * (before * after).divided(into: reduced, of: shape)]
      }
    }
  }

  /// `product` over the listed axes, or over all axes if none are given.
  public func product(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    product(over: named(axes), keepDims: keepDims, file: file, line: line)
  }
}
