import NormaKernels

extension Tensor {
  /// Evaluates this tensor, if it is pending, directly into a part of `storage`.
  func write(into storage: Storage, _ target: Layout, as dtype: DType) {
    if dtype == self.dtype, !node.isPending {
      let source = node.materialize()
      if source.isMissing { return }
      ExecutionLog.add(.copy, "copy", [self], into: target.shape, dtype)
      withExtendedLifetime(source) {
        copyElements(
          shape, width: dtype.byteCount, from: source.base + layout.offset * dtype.byteCount,
          strides: strides, to: storage.base + target.offset * dtype.byteCount,
          strides: target.strides,
          isStreamed: target.count * dtype.byteCount >= Limits.streamedBytes,
          threads: TensorThreads.count)
      }
      return
    }
    var evaluation = Evaluation(shape: target.shape)
    let value = evaluation.value(of: detached().cast(to: dtype))
    if evaluation.program.readsMissing { return }
    _ = evaluation.run(value, dtype, into: storage, target, for: nil)
  }
}
