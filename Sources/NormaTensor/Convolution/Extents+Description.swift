// How the options of convolutions and poolings print, as in the calls that take them.

extension Extents: CustomStringConvertible {
  /// One number if all are equal, else a list: `3`, `[3, 5]`.
  public var description: String { Set(values).count == 1 ? "\(values[0])" : "\(values)" }
}

extension ConvolutionPadding: CustomStringConvertible {
  /// The amounts as ``Extents`` print, or `.same`.
  public var description: String { extents?.description ?? ".same" }
}

extension AdaptiveSize: CustomStringConvertible {
  /// One size if all are equal, else a list: `7`, `[7, nil]`.
  public var description: String {
    let texts = values.map { $0.map(String.init) ?? "nil" }
    return Set(texts).count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
  }
}
