import NormaKernels

// Elements picked and put by number. They run at once.

extension Tensor {
  /// The slices along an axis that `indices` lists, in its order: `x[[2, 0, 2]]` of NumPy.
  ///
  /// - Parameters:
  ///   - axis: the axis along which slices are picked.
  ///   - indices: integers of one axis; negative ones count from the end.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Cost: one read and one write of what is picked. The gradient adds up slices that were picked
  ///   several times. PyTorch: `torch.index_select`.
  public func indexSelected(
    over axis: Int, _ indices: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "indexSelected(over:_:)"
      if isPoisoned || indices.isPoisoned { return .poisoned }
      guard indices.rank <= 1, indices.dtype.isInteger, indices.dtype != .bool else {
        throw TensorError(
          call, "integer indices of one axis are needed, got \(indices.dtype) \(indices.shape)")
      }
      let front = try Shape.axis(axis, of: shape, call: call)
      if rank == 0 {
        let places = try Tensor.places(indices, size: 1, axis, of: shape, call)
        guard places.count == 1 else {
          throw TensorError(call, "\(places.count) indices into a number without axes")
        }
        return self
      }
      let places = try Tensor.places(indices, size: shape[front], axis, of: shape, call)
      return picked(front, places)
    }
  }

  /// Indices from the front.
  static func places(
    _ indices: Tensor, size: Int, _ axis: Int, of shape: [Int], _ call: String
  ) throws(TensorError) -> [Int] {
    var places = indices.array(of: Int64.self).map(Int.init)
    for k in places.indices {
      guard places[k] >= -size && places[k] < size else {
        throw TensorError(
          call,
          "index \(places[k]) is out of range for axis \(axis) of shape \(shape); valid indices are "
            + "\(-size) ..< \(size)")
      }
      if places[k] < 0 { places[k] += size }
    }
    return places
  }

  /// The slices along `axis` at checked places.
  package func picked(_ axis: Int, _ places: [Int]) -> Tensor {
    let source = detached().contiguous()
    let storage = source.node.materialize()
    let outer = shape[..<axis].reduce(1, *)
    let run = shape[(axis + 1)...].reduce(1, *) * dtype.byteCount
    let size = shape[axis]
    var target = shape
    target[axis] = places.count
    let base = storage.base + source.layout.offset * dtype.byteCount
    let result = withExtendedLifetime(storage) {
      Tensor(shape: target, dtype: dtype) { bytes in
        guard var to = bytes.baseAddress, run > 0 else { return }
        for block in 0..<outer {
          let from = base + block * size * run
          for place in places {
            to.copyMemory(from: from + place * run, byteCount: run)
            to += run
          }
        }
      }
    }
    let original = size
    return result.recorded("indexSelected(over:_:)", from: [self], runsAtOnce: true) {
      [$0.upstream.added(axis, places, size: original)]
    }
  }

  /// Zeros with `size` slices along `axis`, to which these slices are added at `places`.
  ///
  /// In order, so that the result does not depend on anything else; sums are taken in `float64`.
  func added(_ axis: Int, _ places: [Int], size: Int) -> Tensor {
    let type = dtype
    let source = detached().cast(to: .float64).contiguous()
    let storage = source.node.materialize()
    let outer = shape[..<axis].reduce(1, *)
    let run = shape[(axis + 1)...].reduce(1, *)
    var target = shape
    target[axis] = size
    let result = withExtendedLifetime(storage) {
      Tensor(shape: target, dtype: .float64) { bytes in
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let to = bytes.assumingMemoryBound(to: Double.self)
        let from = UnsafeBufferPointer(
          start: storage.base.assumingMemoryBound(to: Double.self) + source.layout.offset,
          count: source.count)
        for block in 0..<outer {
          for (k, place) in places.enumerated() {
            let (a, b) = ((block * size + place) * run, (block * places.count + k) * run)
            for i in 0..<run { to[a + i] += from[b + i] }
          }
        }
      }
    }
    return result.cast(to: type).recorded("indexAdded", from: [self], runsAtOnce: true) {
      [$0.upstream.picked(axis, places)]
    }
  }
}
