extension Tensor {
  /// Whether both have the same node and layout, rather than just equal elements: nothing is
  /// computed.
  package func isSame(as other: Tensor) -> Bool {
    shares(with: other) && layout.isSame(as: other.layout)
  }
}
