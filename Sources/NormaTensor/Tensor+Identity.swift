extension Tensor {
  /// Whether both are one value in one layout, and not only equal: nothing is computed.
  package func isSame(as other: Tensor) -> Bool {
    node === other.node && shape == other.shape && layout.strides == other.layout.strides
      && layout.offset == other.layout.offset
  }
}
