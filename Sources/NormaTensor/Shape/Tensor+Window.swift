import NormaValues

/// Computes the layout of a part of a tensor from that of the whole: a slice, a diagonal. A part
/// contains no element of the whole twice.
typealias Window = @Sendable (Layout) throws(TensorError) -> Layout

extension Tensor {
  /// The view of a part.
  func seen(through window: @escaping Window, _ call: String) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    return Tensor(node: node, layout: try window(layout))
      .recorded(call, partOf: self, through: window)
  }

  /// Zeros, or another number, in a shape, with these elements where `window` selects them.
  ///
  /// Runs eagerly. Cost: one write, and one read and write of the part.
  func spread(
    over shape: [Int], filling value: Double = 0, _ window: @escaping Window, _ call: String
  ) throws(TensorError) -> Tensor {
    let whole = layout.denseTwin(of: shape)
    let part = try window(whole)
    let storage = try Storage.room(whole, dtype, call)
    let byteCount = storage.byteCount
    // No bytes are zeros.
    let element =
      value == 0
      ? []
      : KernelRecorder.outside {
        Tensor(value).cast(to: dtype).withUnsafeBytes { [UInt8]($0) }
      }
    if KernelRecorder.isOpen {
      KernelRecorder.keep([.writes(storage)]) { at in
        at[0].fill(byteCount, with: element)
        return true
      }
    }
    storage.address.fill(byteCount, with: element)
    if count > 0 { write(into: storage, part, as: dtype) }
    return Tensor(stored: storage, dtype, whole)
      .noted(whole.padding(around: part, value: value) ?? .other(call), [self])
      .recorded(call, from: [self]) { rule in
        [checked { () throws(TensorError) in try rule.upstream.seen(through: window, call) }]
      }
  }

  /// A copy with other elements in a part; they broadcast to it and are cast to this tensor's type.
  ///
  /// Runs eagerly. Cost: one read and one write of the whole and of the part. The gradient reaches
  /// elements that were not replaced, and the new ones.
  func replacing(
    _ window: @escaping Window, with part: Tensor, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned || part.isPoisoned { return .poisoned }
    let whole = layout.denseTwin(of: shape)
    let target = try window(whole)
    let part = part.shape == target.shape ? part : part.broadcast(to: target.shape)
    let storage = try Storage.room(whole, dtype, call)
    if count > 0 { write(into: storage, whole, as: dtype) }
    if part.count > 0 { part.write(into: storage, target, as: dtype) }
    return Tensor(stored: storage, dtype, whole)
      .recorded(call, from: [self, part], runsAtOnce: true) { rule in
        let zero = Tensor(0, dtype: rule.upstream.dtype)
        return [
          rule.whenNeeded(0) { () throws(TensorError) in
            try rule.upstream.replacing(window, with: zero, call)
          },
          rule.whenNeeded(1) { () throws(TensorError) in
            try rule.upstream.seen(through: window, call)
          },
        ]
      }
  }
}

extension Layout {
  /// A part of this dense layout as its start along each axis; nil if it is not a block.
  fileprivate func padding(around part: Layout, value: Double) -> RecordedOperation.Kind? {
    guard part.shape.count == shape.count,
      shape.indices.allSatisfy({ part.shape[$0] <= 1 || part.strides[$0] == strides[$0] })
    else { return nil }
    var (start, rest) = ([Int](repeating: 0, count: shape.count), part.offset)
    for axis in shape.indices.sorted(by: { strides[$0] > strides[$1] }) where shape[axis] > 1 {
      start[axis] = rest / strides[axis]
      rest %= strides[axis]
    }
    return .padding(start: start, shape: shape, value: value)
  }
}

extension UnsafeMutableRawPointer {
  /// Fills memory with copies of one element; with zeros if it has no bytes.
  fileprivate func fill(_ byteCount: Int, with element: [UInt8]) {
    if element.isEmpty {
      initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      return
    }
    element.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      var filled = min(bytes.count, byteCount)
      copyMemory(from: source, byteCount: filled)
      while filled < byteCount {
        let more = min(filled, byteCount - filled)
        (self + filled).copyMemory(from: self, byteCount: more)
        filled += more
      }
    }
  }
}
