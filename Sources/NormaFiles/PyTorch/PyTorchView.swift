import NormaTensor

/// A tensor as a view of a storage in the file, checked to be within it.
struct PyTorchView: Sendable {
  let name: String
  let element: PyTorchElement
  let shape: [Int]
  /// In elements.
  let strides: [Int]
  /// The size of all elements in bytes, in the file's type.
  let byteCount: Int
  /// The reason why it cannot be read, or nil.
  let reason: String?
  private let place: StoragePlace?
  /// The range of storage bytes from the first element to the last.
  private let span: Range<Int>

  init(
    _ tensor: PickledTensor, name: String, in heap: PickleHeap, of file: InputFile
  ) throws {
    let context = file.context
    (self.name, element, shape, strides) = (name, tensor.element, tensor.shape, tensor.strides)
    byteCount = try ArrayPlan.byteCount(
      shape, bits: 8 * element.byteCount, dtype: element.name, context: context)
    let storage = tensor.storage.map { heap.storages[$0] }
    place = storage?.place
    guard let storage, let place else {
      (span, reason) = (0..<0, tensor.reason ?? "a tensor without values")
      return
    }
    span = try Self.span(tensor, name: name, in: storage, place, isEmpty: byteCount == 0, context)
    reason =
      tensor.reason
      ?? (byteCount > Self.largestCount(in: file)
        ? "\(byteCount) bytes, many times what its file of \(file.size) bytes holds" : nil)
  }

  /// The largest size of all views of a file in bytes, as a view can repeat an element any number
  /// of times.
  static func largestCount(in file: InputFile) -> Int {
    min(file.size, Int.max / 32) * 16 + 1 << 26
  }

  /// The bytes between the first element and the end of the last.
  private static func span(
    _ tensor: PickledTensor, name: String, in storage: PickledStorage, _ place: StoragePlace,
    isEmpty: Bool, _ context: FileContext
  ) throws -> Range<Int> {
    func damaged(_ detail: String) -> FileError {
      context.malformed("has a damaged tensor \(quoted(name))", detail)
    }
    guard tensor.strides.count == tensor.shape.count, tensor.offset >= 0,
      tensor.strides.allSatisfy({ $0 >= 0 })
    else {
      throw damaged("shape \(tensor.shape), strides \(tensor.strides), offset \(tensor.offset)")
    }
    if isEmpty { return 0..<0 }
    let size = tensor.element.byteCount
    let start = storage.start * storage.element.byteCount
    let available = (place.byteCount - start) / size
    var last = tensor.offset
    for (length, stride) in zip(tensor.shape, tensor.strides) where last < available {
      let (reach, overflow) = (length - 1).multipliedReportingOverflow(by: stride)
      last = overflow || reach >= available ? available : last + reach
    }
    guard last < available else {
      throw damaged(
        "shape \(tensor.shape) with strides \(tensor.strides) at \(tensor.offset) does not fit "
          + "its storage of \(available) elements")
    }
    return start + tensor.offset * size..<start + (last + 1) * size
  }

  // MARK: - Reading

  /// Reads the tensor, contiguous.
  func tensor(_ context: FileContext, _ checks: StorageChecks) throws -> Tensor {
    try context.checkAxes(shape)
    let format = try format(context)
    if format.byteCount == format.dtype.byteCount, let start = try directStart(context, checks) {
      return try Tensor(shape: shape, dtype: format.dtype) { target in
        try read(at: start, into: target, context)
        format.decodeInPlace(target)
      }
    }
    var content = try bytes(context, checks)
    let plan = try ArrayPlan(shape: shape, element: format, context: context)
    return Tensor(shape: shape, dtype: format.dtype) { target in
      content.withUnsafeMutableBytes { plan.decode($0, into: target) }
    }
  }

  /// The elements in the file's own type and byte order, row by row.
  func bytes(_ context: FileContext, _ checks: StorageChecks) throws -> [UInt8] {
    _ = try format(context)
    guard let place, byteCount > 0 else { return [] }
    let source = try spanBytes(place, context, checks)
    if isContiguous { return source }
    return [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
      source.withUnsafeBytes { gather($0, into: UnsafeMutableRawBufferPointer(target)) }
      count = byteCount
    }
  }

  private func format(_ context: FileContext) throws -> ElementFormat {
    guard reason == nil, var format = element.format else {
      throw context.unsupported(
        "holds \(quoted(name)) as \(element.name)", reason ?? element.reason)
    }
    format.isBigEndian = place?.isBigEndian ?? false
    return format
  }

  /// Whether the elements are row-major without gaps.
  private var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length > 1 {
      if stride != expected { return false }
      expected *= length
    }
    return true
  }

  /// The offset where the tensor's bytes can be read directly, or nil.
  private func directStart(_ context: FileContext, _ checks: StorageChecks) throws -> Int? {
    guard let place, byteCount > 0, isContiguous, let start = try place.start(context) else {
      return nil
    }
    try checks.check(place, context)
    return start + span.lowerBound
  }

  private func read(
    at start: Int, into target: UnsafeMutableRawBufferPointer, _ context: FileContext
  ) throws {
    try place?.file.read(at: start, into: target, for: context)
  }

  /// The bytes of the span, in memory that grows as bytes are actually read.
  private func spanBytes(
    _ place: StoragePlace, _ context: FileContext, _ checks: StorageChecks
  ) throws -> [UInt8] {
    try checks.check(place, context)
    if let start = try place.start(context) {
      return try place.file.bytes(
        at: start + span.lowerBound, count: span.count, for: context)
    }
    let stream = try place.stream(context)
    try stream.skip(span.lowerBound)
    return try stream.collect(span.count) {
      context.truncated("storage of \(quoted(name)): \($0) bytes of \(span.count)")
    }
  }

  /// Elements of a view, row by row, counting through all axes but the last.
  private func gather(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) {
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    let size = element.byteCount
    let last = shape.count - 1
    let (columns, step) = last < 0 ? (1, 0) : (shape[last], strides[last] * size)
    var index = [Int](repeating: 0, count: shape.count)
    var (start, done) = (0, 0)
    while done < byteCount {
      if step == size {
        (to + done).copyMemory(from: from + start, byteCount: columns * size)
        done += columns * size
      } else {
        for column in 0..<columns {
          (to + done).copyMemory(from: from + start + column * step, byteCount: size)
          done += size
        }
      }
      var axis = last - 1
      while axis >= 0 {
        index[axis] += 1
        start += strides[axis] * size
        if index[axis] < shape[axis] { break }
        start -= strides[axis] * size * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
