import NormaTensor

/// How an element is stored in a file, and the tensor type that it is read into.
struct ElementFormat {
  /// The name of the type in the format's terms, for messages: `>u2`.
  let name: String
  let dtype: DType
  let byteCount: Int
  var isBigEndian = false

  /// Elements whose bytes are those of the tensor.
  init(_ dtype: DType, name: String? = nil, isBigEndian: Bool = false) {
    self.name = name ?? dtype.description
    self.dtype = dtype
    self.byteCount = dtype.byteCount
    self.isBigEndian = isBigEndian
  }

  /// Converts the file's bytes to the tensor's.
  func decodeInPlace(_ bytes: UnsafeMutableRawBufferPointer) {
    if isBigEndian {
      switch byteCount {
      case 2: Self.swap(bytes, as: UInt16.self)
      case 4: Self.swap(bytes, as: UInt32.self)
      case 8: Self.swap(bytes, as: UInt64.self)
      default: break
      }
    }
    if dtype == .bool { Self.normalizeTruth(bytes) }
  }

  private static func swap<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeMutableRawBufferPointer, as type: T.Type
  ) {
    for offset in stride(from: 0, to: bytes.count, by: T.bitWidth / 8) {
      let value = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: T.self)
      bytes.storeBytes(of: value.byteSwapped, toByteOffset: offset, as: T.self)
    }
  }

  /// Sets every nonzero byte to one, as other values of a Boolean are undefined.
  static func normalizeTruth(_ bytes: UnsafeMutableRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      // Skips whole words that are already valid, which is nearly always the case.
      if offset + 8 <= bytes.count {
        let word = UnsafeRawBufferPointer(bytes).loadUnaligned(
          fromByteOffset: offset, as: UInt64.self)
        if word & 0xfefe_fefe_fefe_fefe == 0 {
          offset += 8
          continue
        }
      }
      for index in offset..<min(offset + 8, bytes.count) where bytes[index] > 1 {
        bytes[index] = 1
      }
      offset += 8
    }
  }
}

extension ArrayPlan {
  /// Converts the bytes of the file to the elements of the tensor.
  func decode(_ bytes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    let source = UnsafeRawBufferPointer(bytes)
    if isColumnMajor {
      reorder(source, into: target)
      element.decodeInPlace(target)
    } else {
      target.copyMemory(from: source)
      element.decodeInPlace(target)
    }
  }

  /// Converts column-major elements to row-major ones, counting through all axes but the last.
  private func reorder(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) {
    guard byteCount > 0, let from = source.baseAddress, let to = target.baseAddress else { return }
    let size = element.byteCount
    var strides: [Int] = []
    var stride = size
    for length in shape {
      strides.append(stride)
      stride *= length
    }
    let last = shape.count - 1
    var index = [Int](repeating: 0, count: shape.count)
    var start = 0
    var done = 0
    while done < byteCount {
      for column in 0..<shape[last] {
        (to + done).copyMemory(from: from + start + column * strides[last], byteCount: size)
        done += size
      }
      var axis = last - 1
      while axis >= 0 {
        index[axis] += 1
        start += strides[axis]
        if index[axis] < shape[axis] { break }
        start -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
