import Foundation
import NormaNN
import NormaReference
import NormaTensor
import Testing

/// Distributions of values, against their definitions in Double.
@Suite struct ValueDistributionTests {
  static func expect(
    _ found: ValueDistribution, of values: [Float], location: SourceLocation = #_sourceLocation
  ) {
    let finite = values.filter(\.isFinite).map(Double.init)
    let exact = ReferenceMoments(finite)
    #expect(found.count == values.count, sourceLocation: location)
    #expect(found.nonFinite == values.count - finite.count, sourceLocation: location)
    #expect(found.zeros == values.filter { $0 == 0 }.count, sourceLocation: location)
    #expect(found.smallest == finite.min(), sourceLocation: location)
    #expect(found.largest == finite.max(), sourceLocation: location)
    let scale = finite.map(abs).max() ?? 0
    #expect(abs(found.mean - exact.mean) <= 1e-15 * scale, sourceLocation: location)
    let std = exact.variance(0).squareRoot()
    #expect(abs(found.std - std) <= 4 * 0x1p-24 * std, sourceLocation: location)
  }

  /// The bin by logarithms.
  static func bin(_ value: Float) -> Int {
    if abs(value) < 0x1p-24 { return 40 }
    let step = Int(min(floor(log2(Double(abs(value)))) + 24, 39))
    return value < 0 ? 39 - step : 41 + step
  }

  @Test func ofATensor() {
    var random = TestRandom()
    var values = random.floats(700, mean: 1, std: 3)
    values += [0, -0, 1e30, -1e-30, 0x1p-24, 65536, -65535.9]
    let found = ValueDistribution(Tensor(values, shape: [7, 101]))
    Self.expect(found, of: values)
    var counts = [Int](repeating: 0, count: 81)
    for value in values { counts[Self.bin(value)] += 1 }
    #expect(found.histogram.counts == counts && found.histogram.total == 707)
  }

  @Test func boundsHoldTheirValues() {
    var random = TestRandom()
    for exponent in -30...20 {
      let size = Float(sign: .plus, exponent: exponent, significand: 1)
      for value in [size, size.nextDown, size * (1 + Float(random.doubles(1)[0].magnitude) / 8)] {
        for value in [value, -value] {
          let bounds = MagnitudeHistogram.bin(of: value).map(MagnitudeHistogram.bounds)
          guard let bounds else { return #expect(Bool(false), "\(value) has no bin") }
          let (low, high) = value < 0 ? (-bounds.high, -bounds.low) : bounds
          let isCentre = bounds.low == -bounds.high
          #expect(Double(abs(value)) < high && (isCentre || Double(abs(value)) >= low), "\(value)")
        }
      }
    }
    #expect(MagnitudeHistogram.bin(of: .nan) == nil)
    #expect(MagnitudeHistogram.bin(of: .infinity) == 80 && MagnitudeHistogram.bin(of: 0) == 40)
    #expect(MagnitudeHistogram.bounds(of: 0).low == -.infinity)
  }

  @Test func withoutNumbers() {
    let values: [Float] = [1, .nan, -3, .infinity, 0, -.infinity]
    Self.expect(ValueDistribution(Tensor(values)), of: values)
    let none = ValueDistribution(Tensor([Float.nan, .nan]))
    #expect(none.moments == nil && none.nonFinite == 2 && none.mean.isNaN && none.smallest == nil)
    #expect(ValueDistribution(Tensor.zeros(0, 3)) == ValueDistribution())
    #expect(ValueDistribution(Tensor([1, 2] as [Int32])).mean == 1.5)
    let more = none.merged(with: ValueDistribution(Tensor(values)))
    #expect(more.count == 8 && more.nonFinite == 5 && more.smallest == -3)
  }

  @Test func partsMerge() throws {
    var random = TestRandom()
    let values = random.floats(900, mean: 1e5, std: 1)
    let parts = [values[..<100], values[100..<101], values[101...]].map {
      ValueDistribution(Tensor(Array($0)))
    }
    let merged = parts.reduce(ValueDistribution()) { $0.merged(with: $1) }
    Self.expect(merged, of: values)
    #expect(merged.histogram == ValueDistribution(Tensor(values)).histogram)
    let text = try JSONEncoder().encode(merged)
    #expect(try JSONDecoder().decode(ValueDistribution.self, from: text) == merged)
    let short = Data(#"{"counts": [1, 2]}"#.utf8)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(MagnitudeHistogram.self, from: short)
    }
  }

  /// Of a large tensor a sample, which shows the shares of the whole: ±4 standard errors.
  @Test func sampleOfMany() {
    let count = 300_000
    // A quarter of the values are 3, with a period that equally spaced samples would hit.
    let found = ValueDistribution(Tensor((0..<count).map { $0 % 4 == 1 ? 3 : 0 } as [Float]))
    #expect(found.zeros == count * 3 / 4)
    #expect(found.histogram.total == ValueDistribution.histogramLimit)
    let share = Double(found.histogram.counts[ValueDistributionTests.bin(3)]) / 65_536
    #expect(abs(share - 0.25) <= 4 * (0.25 * 0.75 / 65_536).squareRoot())
  }
}
