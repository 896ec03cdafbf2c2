import NormaKernels

// Running results along an axis. They run at once.

extension Tensor {
  /// The sums of the elements up to and with each along an axis, in `float64`, rounded once each;
  /// integers give `int64`, which wraps. PyTorch: `torch.cumsum`.
  public func cumulativeSum(
    over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let front = try Shape.axis(axis, of: shape, call: "cumulativeSum(over:)")
      if rank == 0 { return dtype.isFloatingPoint ? self : cast(to: .int64) }
      return summed(along: front, backwards: false)
    }
  }

  private func summed(along axis: Int, backwards: Bool) -> Tensor {
    let real = dtype.isFloatingPoint
    let source = detached().cast(to: real ? .float64 : .int64).contiguous()
    let storage = source.node.materialize()
    let size = shape[axis]
    let run = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    let from = storage.base + source.layout.offset * 8
    let result = withExtendedLifetime(storage) {
      Tensor(shape: shape, dtype: source.dtype) { bytes in
        guard let to = bytes.baseAddress else { return }
        func add<T>(_ type: T.Type, _ add: (T, T) -> T) {
          let from = from.assumingMemoryBound(to: T.self)
          let to = to.assumingMemoryBound(to: T.self)
          for block in 0..<outer {
            for k in 0..<size {
              let at = (block * size + (backwards ? size - 1 - k : k)) * run
              let before = backwards ? at + run : at - run
              for i in at..<(at + run) {
                to[i] = k == 0 ? from[i] : add(to[before + i - at], from[i])
              }
            }
          }
        }
        if real { add(Double.self, +) } else { add(Int64.self, &+) }
      }
    }
    return (real ? result.cast(to: dtype) : result)
      .recorded("cumulativeSum(over:)", from: [self], runsAtOnce: true) {
        [$0.upstream.summed(along: axis, backwards: !backwards)]
      }
  }

  /// For each integer a row of zeros with a one at its place; `classes` or the largest integer + 1
  /// long. `int64`. PyTorch: `F.one_hot`.
  public func oneHot(
    classes: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "oneHot(classes:)"
      guard dtype.isInteger, dtype != .bool else {
        throw TensorError(call, "\(dtype) does not count classes; integers do")
      }
      if count == 0 {
        guard let classes else {
          throw TensorError(call, "nothing says how many classes there are; pass classes:")
        }
        return .zeros(shape + [classes], dtype: .int64)
      }
      let (low, high) = (min().item(as: Int.self), max().item(as: Int.self))
      let classes = classes ?? high + 1
      guard low >= 0, high < classes else {
        throw TensorError(call, "class \(low < 0 ? low : high) is outside of 0 ..< \(classes)")
      }
      return (unsqueezed(-1) .== Tensor.arange(classes)).cast(to: .int64)
    }
  }

  /// A number where `mask` holds, the tensor's element elsewhere. PyTorch: `masked_fill`.
  public func filled<T: TensorElement>(
    where mask: Tensor, with number: T, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.where(mask, number, self, file: file, line: line).cast(to: dtype)
  }
}
