import Foundation
import NormaFiles
import NormaNN
import NormaTensor
import Testing

/// The path of a file in Fixtures.
func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/\(name)").path
}

/// The JSON value in a file in Fixtures.
func fixtureJSON(_ name: String) throws -> JSON {
  try JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: fixture(name)))))
}

/// A network of `networks.json`, which `Tools/make-network-fixtures.py` wrote with PyTorch: its
/// parameters follow from a formula.
struct NetworkFixture {
  let state: [(key: String, value: Tensor)]
  let input: Tensor
  let answer: Tensor

  init(_ name: String, ofWords: Bool = false) throws {
    let json = try #require(try fixtureJSON("networks.json")[name])
    func shape(_ json: JSON?) -> [Int] { json?.arrayValue?.compactMap(\.intValue) ?? [] }
    state = (json["state"]?.arrayValue ?? []).enumerated().map { index, entry in
      let (key, shape) = (entry[0]?.stringValue ?? "", shape(entry[1]))
      let row = shape.dropFirst().reduce(1, *)
      let spread = shape.count > 1 ? (3 / Double(row)).squareRoot() : 0.2
      let isScale =
        shape.count == 1 && (key.hasSuffix("weight") || key.hasSuffix("running_var"))
      let values = Self.numbers(shape.reduce(1, *), index).map { Float($0 * spread) }
      return (key, Tensor(isScale ? values.map { abs($0) + 0.8 } : values).reshaped(shape))
    }
    let size = shape(json["input"])
    let values = Self.numbers(size.reduce(1, *), 1000)
    input =
      ofWords
      ? Tensor(values.map { Int(($0 + 1) * 25) }).reshaped(size)
      : Tensor(values.map { Float($0) }).reshaped(size)
    answer = Tensor(json["answer"]?.arrayValue?.compactMap(\.doubleValue) ?? [])
      .reshaped(shape(json["shape"]))
  }

  /// Numbers in -1 ..< 1.
  private static func numbers(_ count: Int, _ seed: Int) -> [Double] {
    (0..<count).map {
      let x = Foundation.sin(Double($0) * 12.9898 + Double(seed) * 78.233) * 43758.5453
      return (x - x.rounded(.down)) * 2 - 1
    }
  }

  /// Loads all parameters by name and compares the answer, relative to the largest.
  func check(_ network: Module, _ call: (Tensor) -> Tensor) throws {
    try network.load(state)
    network.eval()
    let found = withoutGradients { call(input) }
    #expect(found.shape == answer.shape)
    #expect(error(of: found) <= 1e-5)
  }

  func error(of found: Tensor) -> Double {
    ((found.cast(to: .float64) - answer).abs().max() / answer.abs().max()).item()
  }
}
