import NormaFiles
import NormaTensor

/// Names, types, shapes and hashes of all tensors in a file, as a manifest lists them.
struct RecordedTensors {
  private let expected: [JSON]

  init(_ expected: [JSON]) { self.expected = expected }

  /// A tensor as a file has it; its bytes are little-endian and row-major.
  private struct Found {
    let dtypeName: String
    let shape: [Int]
    let bytes: () throws -> [UInt8]
  }

  /// What is wrong with a file's tensors, or nil.
  func complaint(about file: PyTorchFile) throws -> String? {
    try complaint(
      Dictionary(
        file.entries.map { entry in
          (
            entry.name,
            Found(dtypeName: entry.dtypeName, shape: entry.shape) {
              try file.bytes(named: entry.name)
            }
          )
        }, uniquingKeysWith: { first, _ in first }))
  }

  /// The same for safetensors.
  func complaint(about file: SafeTensors) throws -> String? {
    try complaint(
      Dictionary(
        uniqueKeysWithValues: file.entries.map { entry in
          (
            entry.name,
            Found(
              dtypeName: entry.dtype.map { "\($0)" } ?? entry.dtypeName, shape: entry.shape
            ) {
              try file.tensor(named: entry.name).withUnsafeBytes { [UInt8]($0) }
            }
          )
        }))
  }

  private func complaint(_ found: [String: Found]) throws -> String? {
    let names = expected.compactMap { $0["name"]?.stringValue }
    guard Set(names) == Set(found.keys) else {
      return "found \(found.keys.sorted()), known are \(names)"
    }
    for item in expected {
      let name = item["name"]?.stringValue ?? ""
      guard let tensor = found[name] else { return "\(name) is missing" }
      guard tensor.dtypeName == item["dtype"]?.stringValue else {
        return "\(name) has type \(tensor.dtypeName)"
      }
      let shape = (item["shape"]?.arrayValue ?? []).compactMap(\.intValue)
      guard tensor.shape == shape else {
        return "\(name) has shape \(tensor.shape), known is \(shape)"
      }
      guard SHA256.hex(try tensor.bytes()) == item["sha256"]?.stringValue else {
        return "\(name) has other bytes"
      }
    }
    return nil
  }
}
