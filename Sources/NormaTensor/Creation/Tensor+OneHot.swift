import NormaValues

// One-hot rows and masked filling, eager or pending.

extension Tensor {
  /// For each integer a row of zeros with a one at that index, as `int64`. A row has `classes`
  /// elements; by default, the largest integer + 1.
  /// PyTorch: `F.one_hot`.
  public func oneHot(
    classes: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "oneHot(classes:)"
      try demand(dtype.isInteger && dtype != .bool, call, "classes are integers, got \(dtype)")
      if count == 0 {
        guard let classes else {
          throw TensorError(call, "the number of classes is unknown; pass classes:")
        }
        try Shape.room(shape + [classes], .int64, call: call)
        return .zeros(shape + [classes], dtype: .int64)
      }
      let (low, high) = (
        min().asPositions.item(as: Int.self), max().asPositions.item(as: Int.self)
      )
      let classes = classes ?? (high < Int.max ? high + 1 : high)
      try Shape.room(shape + [Swift.max(classes, 0)], .int64, call: call)
      guard low >= 0, high < classes else {
        throw TensorError(call, "class \(low < 0 ? low : high) is outside of 0 ..< \(classes)")
      }
      return (unsqueezed(-1) .== Tensor.arange(classes)).cast(to: .int64)
    }
  }

  /// A number where `mask` is true, the tensor's element elsewhere. A number that the type cannot
  /// hold is an error; integer types truncate a fraction.
  /// PyTorch: `masked_fill`.
  public func filled<T: TensorElement>(
    where mask: Tensor, with number: T, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "filled(where:with:)"
      try Scalar(number).require(dtype, call)
      return try Tensor.choose(mask, self, Scalar(number), position: 1, call).cast(to: dtype)
    }
  }
}
