extension Tensor {
  /// Whether both are one value in one layout, and not only equal: nothing is computed.
  package func isSame(as other: Tensor) -> Bool {
    shares(with: other) && layout.isSame(as: other.layout)
  }
}
