import NormaKernels

extension Tensor {
  /// Evaluates this tensor, if it is pending, directly into a part of `storage`.
  func write(into storage: Storage, _ target: Layout, as dtype: DType) {
    if dtype == self.dtype, !node.isPending {
      let source = node.materialize()
      if source.isMissing { return }
      ExecutionLog.add(.copy, "copy", [self], into: target.shape, dtype)
      let layout = layout
      let (from, to) = (
        KernelMemory.reads(self, in: source),
        KernelMemory.writes(storage, at: target.offset * dtype.byteCount)
      )
      if KernelRecorder.isOpen {
        KernelRecorder.keep([from, to]) { at in
          layout.copy(from: at[0], to: at[1], target, dtype)
          return true
        }
      }
      withExtendedLifetime(source) {
        layout.copy(from: from.address, to: to.address, target, dtype)
      }
      return
    }
    var evaluation = Evaluation(shape: target.shape)
    let value = evaluation.value(of: detached().cast(to: dtype))
    if evaluation.program.readsMissing { return }
    _ = evaluation.run(value, dtype, into: storage, target, for: nil)
  }
}

extension Layout {
  /// Copies elements of this layout to one of the same shape, each from its first element on.
  fileprivate func copy(
    from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ layout: Layout,
    _ dtype: DType
  ) {
    copyElements(
      shape, width: dtype.byteCount, from: source, strides: strides, to: target,
      strides: layout.strides,
      isStreamed: layout.count * dtype.byteCount >= Limits.streamedBytes,
      threads: TensorThreads.count)
  }
}
