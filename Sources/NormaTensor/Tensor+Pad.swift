import NormaKernels

/// What stands beyond the edges of a tensor.
public enum PaddingMode: Sendable, Hashable {
  /// One number.
  case constant(Double)
  /// The elements mirrored at the edge, which is not repeated.
  case reflect
  /// The edge again and again.
  case replicate
  /// The other end.
  case circular

  /// Zeros.
  public static let zeros = PaddingMode.constant(0)
}

extension Tensor {
  /// With elements added before and after along the last axes.
  ///
  /// - Parameters:
  ///   - widths: (before, after) for each of the last `widths.count` axes, in the order of the axes.
  ///     PyTorch lists them from the last axis on. Negative numbers cut off.
  ///   - mode: what is added; mirrored elements must exist.
  /// - Cost: one write, and a read of what is taken. PyTorch: `F.pad`.
  public func padded(
    _ widths: [(before: Int, after: Int)], mode: PaddingMode = .zeros,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "padded(_:mode:)"
      guard widths.count <= rank else {
        throw TensorError(call, "\(widths.count) widths for shape \(shape)")
      }
      let first = rank - widths.count
      for (place, width) in widths.enumerated() {
        let size = shape[first + place]
        guard size + width.before + width.after >= 0 else {
          throw TensorError(
            call, "axis \(first + place) of shape \(shape) would have a negative size")
        }
      }
      if case .constant(let number) = mode { return try filled(first, widths, number, call) }
      var result = self
      for (place, width) in widths.enumerated() where width.before != 0 || width.after != 0 {
        let places = try places(shape[first + place], width, mode, first + place, call)
        result = result.picked(first + place, places)
      }
      return result
    }
  }

  private func filled(
    _ first: Int, _ widths: [(before: Int, after: Int)], _ number: Double, _ call: String
  ) throws(TensorError) -> Tensor {
    var target = shape
    var inside: [any TensorIndex] = (0..<first).map { _ in Slice() }
    var kept = inside
    for (place, width) in widths.enumerated() {
      let size = shape[first + place]
      target[first + place] = size + width.before + width.after
      inside.append(Slice(from: Swift.max(width.before, 0), to: width.before + size))
      let end = size + Swift.min(width.after, 0)
      kept.append(Slice(from: Swift.max(-width.before, 0), to: Swift.max(end, 0)))
    }
    let whole = layout.denseTwin(of: target)
    let storage = Storage(byteCount: whole.count * dtype.byteCount)
    if whole.count > 0 {
      Tensor.full([], number, dtype: dtype).broadcast(to: target)
        .write(into: storage, whole, as: dtype)
      let part = detached().taking(kept)
      let place = try whole.taking(inside.map(\.axisIndex))
      if part.count > 0, place.shape == part.shape {
        part.write(into: storage, place, as: dtype)
      }
    }
    let opposite = widths.map { (before: -$0.before, after: -$0.after) }
    return Tensor(node: Node(stored: storage, dtype: dtype, layout: whole), layout: whole)
      .recorded(call, from: [self]) { [$0.upstream.padded(opposite)] }
  }

  /// Where each element of a padded axis comes from.
  private func places(
    _ size: Int, _ width: (before: Int, after: Int), _ mode: PaddingMode, _ axis: Int,
    _ call: String
  ) throws(TensorError) -> [Int] {
    let widest = Swift.max(width.before, width.after)
    let most = mode == .reflect ? size - 1 : mode == .circular ? size : Int.max
    guard widest <= most, size > 0 else {
      throw TensorError(
        call,
        "padding (\(width.before), \(width.after)) of axis \(axis) takes more than the \(size) "
          + "elements of shape \(shape) have to give; at most \(Swift.max(most, 0))")
    }
    return (-width.before..<(size + width.after)).map { place in
      switch mode {
      case .reflect: place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place
      case .circular: (place + size) % size
      default: Swift.min(Swift.max(place, 0), size - 1)
      }
    }
  }
}
