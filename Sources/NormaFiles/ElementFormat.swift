import NormaKernels

/// How one element lies in a file, and which type of tensor it is read into.
struct ElementFormat {
  /// How the integer of a file becomes the wider integer of the tensor.
  enum Widening {
    case none
    case signed
    case unsigned
  }

  /// The name in the format's own terms, for messages: `>u2`.
  let name: String
  let dtype: DType
  let byteCount: Int
  var isBigEndian = false
  var widening = Widening.none

  /// Elements that are the tensor's own bytes.
  init(_ dtype: DType, name: String? = nil, isBigEndian: Bool = false) {
    self.name = name ?? dtype.description
    self.dtype = dtype
    self.byteCount = dtype.byteCount
    self.isBigEndian = isBigEndian
  }

  /// Integers that no tensor holds and a wider one holds exactly.
  init(widened name: String, bytes: Int, to dtype: DType, signed: Bool, isBigEndian: Bool) {
    self.name = name
    self.dtype = dtype
    self.byteCount = bytes
    self.isBigEndian = isBigEndian
    self.widening = signed ? .signed : .unsigned
  }

  /// Turns the file's bytes into the tensor's, for elements of the same size.
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

  /// Makes every byte that is not zero a one: any other value of a truth value is undefined.
  static func normalizeTruth(_ bytes: UnsafeMutableRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      // Whole words that are in order, nearly always all of them, are passed over quickly.
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

  /// Writes `count` integers of the file as the wider integers of the tensor.
  func widen(
    _ source: UnsafeRawBufferPointer, count: Int, into target: UnsafeMutableRawBufferPointer
  ) {
    for index in 0..<count {
      let value = integer(source, at: index * byteCount)
      switch dtype {
      case .int32:
        target.storeBytes(
          of: Int32(truncatingIfNeeded: value), toByteOffset: 4 * index, as: Int32.self)
      default:
        target.storeBytes(of: value, toByteOffset: 8 * index, as: Int64.self)
      }
    }
  }

  private func integer(_ source: UnsafeRawBufferPointer, at offset: Int) -> Int64 {
    var bits: UInt64 = 0
    for index in 0..<byteCount {
      let place = isBigEndian ? byteCount - 1 - index : index
      bits |= UInt64(source[offset + index]) << UInt64(8 * place)
    }
    let unused = UInt64(64 - 8 * byteCount)
    return widening == .signed
      ? Int64(bitPattern: bits << unused) >> Int64(unused) : Int64(bitPattern: bits)
  }
}

extension ArrayPlan {
  /// Turns the bytes of the file into the elements of the tensor.
  func decode(_ bytes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    let source = UnsafeRawBufferPointer(bytes)
    if element.widening != .none {
      if isColumnMajor {
        var ordered = [UInt8](repeating: 0, count: byteCount)
        ordered.withUnsafeMutableBytes { reorder(source, into: $0) }
        ordered.withUnsafeBytes {
          element.widen($0, count: byteCount / element.byteCount, into: target)
        }
      } else {
        element.widen(source, count: byteCount / element.byteCount, into: target)
      }
    } else if isColumnMajor {
      reorder(source, into: target)
      element.decodeInPlace(target)
    } else {
      target.copyMemory(from: source)
      element.decodeInPlace(target)
    }
  }

  /// Column-major elements to row-major ones: an odometer over all axes but the last.
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
