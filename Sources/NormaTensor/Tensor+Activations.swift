import NormaKernels

// Activations: one element in, one out. All are pending, so that they join the program of what
// comes before and after; their gradients are programs too.

extension Tensor {
  /// max(x, 0); NaN stays NaN. The gradient at 0 is 0. PyTorch: `torch.relu`.
  public func relu(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if dtype == .bool { throw TensorError("relu()", "truth values have no sign") }
      return try Tensor.binary(
        .maximum, self, Scalar(0), position: 1, call: "relu()", gradient: .relu)
    }
  }
}

extension ElementwiseRule {
  /// Where the result is positive: the result is there anyway, as the next operation's input.
  static let relu = ofResult { [.where($0.result .> 0, $0.upstream, 0)] }
}
