import NormaKernels

extension Tensor {
  /// Count, mean and sum of squared distances over `axes`, or over all axes if none are named, in
  /// `Double`: a value that merges with the moments of other data.
  ///
  /// The groups are the kept axes in row-major order. Integers are refused; cast them first. Runs
  /// at once. Cost: one trip. PyTorch has `torch.var_mean`, which cannot be merged.
  public func moments(
    over axes: Int..., file: StaticString = #fileID, line: UInt = #line
  ) -> Moments {
    moments(over: axes, file: file, line: line)
  }

  /// ``moments(over:file:line:)-(Int...,_,_)`` with the axes in an array.
  public func moments(
    over axes: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Moments {
    do throws(TensorError) {
      if isPoisoned { return Moments(count: 0, mean: [], m2: [], shape: []) }
      guard dtype.isFloatingPoint else {
        throw TensorError("moments(over:)", "\(dtype) is not real; cast(to: .float32) first")
      }
      let front = try Shape.axes(axes, of: shape, call: "moments(over:)")
      let group = node.group(of: self, over: front)
      let (squares, sum) = (group.tensor(.squares), group.tensor(.sum))
      let count = Double(group.countPerResult)
      return Moments(
        count: count, mean: (sum / count).array(of: Double.self),
        m2: squares.array(of: Double.self),
        shape: Shape.reduced(shape, over: front, keepDims: false))
    } catch {
      report(error, file: file, line: line)
      return Moments(count: 0, mean: [], m2: [], shape: [])
    }
  }
}
