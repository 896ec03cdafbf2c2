import Foundation
import NormaFiles
import NormaTensor
import Testing

/// The small files next to the tests, written by Tools/make-file-fixtures.py.
enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// The names of all fixtures with this suffix, in order.
  static func names(_ suffix: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(suffix) }.sorted()
    #expect(!names.isEmpty, "no fixture ends in \(suffix)")
    return names
  }
}

/// A new folder that is removed afterwards.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("norma-files-\(UInt64.random(in: 0 ... .max))").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

extension Tensor {
  var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

  /// A tensor of these elements; for tests, whose elements are all trivial.
  init<T: BitwiseCopyable>(_ shape: [Int], _ dtype: DType, _ elements: [T]) {
    precondition(elements.count * MemoryLayout<T>.stride == shape.reduce(dtype.byteCount, *))
    self.init(shape: shape, dtype: dtype) { target in
      elements.withUnsafeBytes { target.copyMemory(from: $0) }
    }
  }

  /// Random bits, including NaN and infinity; Booleans are 0 or 1.
  init(random shape: [Int], _ dtype: DType, _ generator: inout SplitMix) {
    self.init(shape: shape, dtype: dtype) { target in
      for index in target.indices {
        let byte = UInt8(truncatingIfNeeded: generator.next() >> 33)
        target[index] = dtype == .bool ? byte & 1 : byte
      }
    }
  }

  func elements<T: BitwiseCopyable>(as type: T.Type = T.self) -> [T] {
    withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<T>.stride).map {
        bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)
      }
    }
  }
}

/// Whether two tensors are the same, bit for bit.
func same(_ a: Tensor, _ b: Tensor) -> Bool {
  a.shape == b.shape && a.dtype == b.dtype && a.bytes == b.bytes
}

/// A small generator with a seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// The kind of `FileError` that `body` throws; another error or none is recorded as an issue.
@discardableResult
func kind(
  _ comment: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation,
  of body: () throws -> Void
) -> FileError.Kind? {
  do {
    try body()
    Issue.record("nothing was thrown \(comment())", sourceLocation: sourceLocation)
  } catch let error as FileError {
    if error.problem.isEmpty || error.detail.isEmpty {
      Issue.record("an error that says nothing: \(error)", sourceLocation: sourceLocation)
    }
    return error.kind
  } catch {
    Issue.record("no FileError: \(error) \(comment())", sourceLocation: sourceLocation)
  }
  return nil
}

/// Every shape that files must carry: no axes, empty, one value, several axes.
let shapes = [[], [0], [1], [7], [2, 3], [2, 0, 4], [1, 2, 3, 4, 5], [1, 1, 1]]
