import Foundation
import NormaRandom
import NormaValues
import Testing

/// Draws that `Tools/make-random-fixtures.py` recorded from PyTorch.
struct RandomFixtures: Decodable {
  let streams: [Stream]
  let state: String
  let afterState: [String]

  /// Draws that follow each other on one generator.
  struct Stream: Decodable, Sendable, CustomTestStringConvertible {
    let seed: UInt64
    let draws: [Draw]
    let state: String

    var testDescription: String { "seed \(seed), \(draws[0].draw) \(draws[0].dtype)" }
  }

  struct Draw: Decodable, Sendable {
    let draw: String
    let dtype: String
    let count: Int
    let a: String
    let b: String
    let first: [String]
    let hash: String
  }

  static let recorded: RandomFixtures = {
    do {
      let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      let data = try Data(contentsOf: folder.appendingPathComponent("random.json"))
      return try JSONDecoder().decode(RandomFixtures.self, from: data)
    } catch {
      fatalError("random.json: \(error)")
    }
  }()
}

extension RandomFixtures.Draw {
  /// Repeats the draw and returns the bytes.
  func bytes(from generator: inout Generator) throws -> [UInt8] {
    let dtype = try named(self.dtype)
    return try fill(count * dtype.byteCount) { try run(&generator, $0, dtype) }
  }

  private func named(_ name: String) throws -> DType {
    try #require(DType.allCases.first { $0.description == name })
  }

  private func run(
    _ generator: inout Generator, _ out: UnsafeMutableRawPointer, _ dtype: DType
  ) throws {
    func x() throws -> Double { try #require(Double(a)) }
    func y() throws -> Double { try #require(Double(b)) }
    func low() throws -> Int64 { try #require(Int64(a)) }
    func high() throws -> Int64 { try #require(Int64(b)) }
    let n = count
    switch draw {
    case "uniform": generator.uniform(out, count: n, dtype: dtype, low: try x(), high: try y())
    case "normal": generator.normal(out, count: n, dtype: dtype, mean: try x(), std: try y())
    case "normalStrided":
      generator.normal(
        out, count: n, dtype: dtype, mean: try x(), std: try y(), isContiguous: false)
    case "integers":
      generator.integers(out, count: n, dtype: dtype, low: try low(), high: try high())
    case "integersFrom": generator.integers(out, count: n, dtype: dtype, from: try low())
    case "integersOfType": generator.integers(out, count: n, dtype: dtype)
    case "permutation": generator.permutation(out, count: n, dtype: dtype)
    case "bernoulli": generator.bernoulli(out, count: n, dtype: dtype, p: try x())
    case "exponential": generator.exponential(out, count: n, dtype: dtype, rate: try x())
    case "geometric": generator.geometric(out, count: n, dtype: dtype, p: try x())
    case "cauchy":
      generator.cauchy(out, count: n, dtype: dtype, median: try x(), sigma: try y())
    case "logNormal": generator.logNormal(out, count: n, dtype: dtype, mean: try x(), std: try y())
    default:
      let kind = try named(String(draw.trimmingPrefix("bernoulliOf_")))
      let probabilities = eighths(n, kind)
      probabilities.withUnsafeBytes { probabilities in
        guard let base = probabilities.baseAddress else { return }
        generator.bernoulli(
          out, count: n, dtype: dtype, probabilities: base, probabilityType: kind)
      }
    }
  }
}

/// 0, 1/8 ... 1 over and over, as the bytes of a real type.
private func eighths(_ count: Int, _ dtype: DType) -> [UInt8] {
  (0..<count).flatMap { index -> [UInt8] in
    let value = Double(index % 9) / 8
    return switch dtype {
    case .float16: bytes(of: Float16(value).bitPattern)
    case .bfloat16: bytes(of: BFloat16(Float(value)).bitPattern)
    case .float32: bytes(of: Float(value).bitPattern)
    default: bytes(of: value.bitPattern)
    }
  }
}

/// The little-endian bytes of an integer.
func bytes(of value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// `count` bytes that `body` wrote.
func fill(_ count: Int, _ body: (UnsafeMutableRawPointer) throws -> Void) rethrows -> [UInt8] {
  var bytes = [UInt8](repeating: 0xa5, count: count)
  try bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { try body(base) } }
  return bytes
}

/// The FNV-1a hash of bytes, as 16 digits.
func fnv(_ bytes: some Sequence<UInt8>) -> String {
  let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
    ($0 ^ UInt64($1)) &* 0x100_0000_01b3
  }
  return hexadecimal(bytes: NormaRandomTests.bytes(of: hash.bigEndian))
}

/// Two digits per byte.
func hexadecimal(bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The bytes from two digits each.
func bytes(hexadecimal digits: String) -> [UInt8] {
  let values = digits.utf8.map { UInt8($0 < 58 ? $0 - 48 : $0 - 87) }
  return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}
