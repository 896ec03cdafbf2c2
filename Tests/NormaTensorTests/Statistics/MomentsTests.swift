import Foundation
import NormaReference
import NormaTensor
import Testing

/// Moments with masks and weights, merged and encoded, against their definition in Double.
@Suite(.seeded) struct MomentsTests {
  /// The largest errors of the means, relative to the largest value, and of m2, relative to itself.
  static func errors(
    _ found: Moments?, _ groups: [[Double]]
  ) -> (mean: Double, m2: Double) {
    guard let found, found.mean.count == groups.count else { return (.infinity, .infinity) }
    var worst = (mean: 0.0, m2: 0.0)
    for (k, group) in groups.enumerated() {
      let exact = ReferenceMoments(group)
      if found.count[k] != Double(group.count) { return (.infinity, .infinity) }
      let errors = (
        abs(found.mean[k] - exact.mean) / group.reduce(0) { max($0, abs($1)) },
        abs(found.m2[k] - exact.m2) / max(exact.m2, 1e-300)
      )
      if errors.0.isNaN || errors.1.isNaN { return (.infinity, .infinity) }
      worst = (max(worst.mean, errors.0), max(worst.m2, errors.1))
    }
    return worst
  }

  @Test func comparisonsFailWhenTheyShould() {
    let groups = [[1.0, 2, 4]]
    let right = Tensor([1, 2, 4] as [Double]).moments()
    #expect(Self.errors(right, groups).m2 < 1e-15)
    #expect(Self.errors(nil, groups).mean == .infinity)
    #expect(Self.errors(Tensor([1, 2, 5] as [Double]).moments(), groups).m2 > 0.1)
    #expect(Self.errors(Tensor([1, 2] as [Double]).moments(), groups).mean == .infinity)
    #expect(Self.errors(Tensor([1, 2, .nan] as [Double]).moments(), groups).mean == .infinity)
  }

  /// Batches of any sizes merge to the statistics of all values, also far from zero.
  @Test(arguments: [0.5, 1e4, 1e7])
  func partsPoolExactly(mean: Double) {
    var random = TestRandom(for: "\(#function) \(mean)")
    let shape = [60, 3, 5, 4]
    let x = Sample(shape, .float32, random: &random, mean: mean, std: 1)
    let expected = groups(x.values, shape, over: [0, 2, 3])
    for cuts in [[60], [30, 30], [1, 59], [7, 20, 33], Array(repeating: 1, count: 60)] {
      var total: Moments?
      var start = 0
      for cut in cuts {
        let part = x.tensor[start..<(start + cut)].moments(over: 0, 2, 3)
        total = total?.merged(with: part) ?? part
        start += cut
      }
      let errors = Self.errors(total, expected)
      #expect(errors.mean < 4e-16, "\(cuts)")
      #expect(errors.m2 < 6 * 0x1p-24, "\(cuts)")
    }
  }

  @Test(arguments: DType.realTypes, [0.5, 1e7])
  func masks(dtype: DType, mean: Double) {
    var random = TestRandom(for: "\(#function) \(dtype) \(mean)")
    let shape = [6, 3, 7]
    let x = Sample(shape, dtype, random: &random, mean: dtype.byteCount == 2 ? 2 : mean, std: 1)
    for maskShape in [[6, 1, 7], [6, 3, 7], [7], [6, 1, 1]] {
      let size = maskShape.reduce(1, *)
      var truths = (0..<size).map { _ in Bool.random(using: &random) }
      truths[0] = true
      let mask = Tensor(truths.map { $0 ? 1.0 : 0.0 }, shape: maskShape)
      let stretched = mask.broadcast(to: shape).array(of: Double.self)
      for axes in [[0], [0, 2], [0, 1, 2], [2]] {
        let counted = zip(
          groups(x.values, shape, over: axes), groups(stretched, shape, over: axes)
        ).map { values, counts in zip(values, counts).filter { $1 != 0 }.map(\.0) }
        for truth in [mask, mask.cast(to: .bool), mask.cast(to: .int64)] {
          let found = x.tensor.moments(over: axes, mask: truth)
          let full = counted.indices.filter { !counted[$0].isEmpty }
          let kept = Moments(found, at: full)
          let errors = Self.errors(kept, full.map { counted[$0] })
          #expect(errors.mean < 1e-15 && errors.m2 < 1e-12, "\(maskShape) \(axes) \(errors)")
          for k in counted.indices where counted[k].isEmpty {
            #expect(found.count[k] == 0 && found.mean[k].isNaN && found.m2[k] == 0)
          }
        }
      }
    }
  }

  /// A value of weight 2 counts as two values, and one of weight 0 not at all.
  @Test func weightsAreRepetitions() {
    let x = Tensor([1e7, 1e7 + 3, 1e7 + 4, .nan] as [Double])
    let found = x.moments(weights: Tensor([2, 1, 3, 0] as [Double]))
    let errors = Self.errors(
      found, [[1e7, 1e7, 1e7 + 3, 1e7 + 4, 1e7 + 4, 1e7 + 4]])
    #expect(errors.mean < 2e-16 && errors.m2 < 1e-12)
    #expect(abs(found.variance()[0] - found.m2[0] / 5) < 1e-12)
    let masked = x.moments(
      mask: Tensor([1, 1, 0, 0] as [Float]), weights: Tensor([2, 1, 3, 5] as [Float]))
    #expect(masked.count == [3] && abs(masked.m2[0] - 6) < 1e-9)
  }

  @Test func maskedValuesHaveNoInfluence() {
    let x = Tensor([[1, .nan], [3, .infinity]] as [[Float]])
    let found = x.moments(over: 0, mask: Tensor([[1, 0], [1, 0]] as [[Float]]))
    #expect(found.count == [2, 0] && found.mean[0] == 2 && found.m2 == [2, 0])
    // An empty group takes the other's values.
    let other = Tensor([[5, 7], [5, 9]] as [[Float]]).moments(over: 0)
    let both = other.merged(with: found)
    #expect(both?.count == [4, 2] && both?.mean == [3.5, 8] && both?.m2 == [11, 2])
    #expect(found.merged(with: other)?.mean == [3.5, 8])
  }

  /// Sums that exceed the range of `float64`.
  @Test func largestNumbers() {
    let x = Tensor(
      [[1.7e308, 1.7e308, 1.7e308, 1.7e308], [1, 2, 3, 4], [.infinity, 1e308, 1e308, 1]])
    let found = x.moments(over: 1)
    #expect(abs(found.mean[0] - 1.7e308) <= 2 * 1.7e308.ulp && found.m2[0] == 0)
    #expect(found.mean[1] == 2.5 && found.m2[1] == 5 && found.mean[2] == .infinity)
    #expect(found.count == [4, 4, 4])
    // Squared distances that exceed all ranges.
    #expect(Tensor([1.7e308, 1.2e308]).moments().m2 == [.infinity])
  }

  @Test func mistakes() {
    func message(_ body: () -> Moments) -> String {
      do {
        _ = try catchingTensorErrors(body)
        return ""
      } catch { return "\(error)" }
    }
    let x = Tensor.ones(2, 3)
    #expect(
      message { x.moments(mask: Tensor.ones(2)) }
        == "moments(over:): mask of shape [2] does not broadcast to [2, 3]")
    #expect(
      message { x.moments(weights: Tensor([1, -1, 1] as [Float])) }
        == "moments(over:): weights must not be negative or NaN")
    #expect(
      message { x.moments(weights: x .> 0) }
        == "moments(over:): weights must be numbers, got bool; pass Booleans as mask:")
  }

  @Test func asText() throws {
    let moments = Tensor.rand(4, 3).moments(over: 0)
    let text = try JSONEncoder().encode(moments)
    #expect(try JSONDecoder().decode(Moments.self, from: text) == moments)
    // Numbers that JSON cannot represent.
    for x in [
      Tensor([.nan, 1] as [Double]), Tensor([.infinity] as [Double]), Tensor([] as [Double]),
    ] {
      let moments = x.moments(over: 0)
      let data = try JSONEncoder().encode(moments)
      let read = try JSONDecoder().decode(Moments.self, from: data)
      #expect(read.count == moments.count && read.shape == moments.shape)
      #expect(isSame(read.mean, moments.mean) && isSame(read.m2, moments.m2))
    }
    for broken in [
      #"{"count":[1],"mean":["much"],"m2":[0],"shape":[1]}"#,
      #"{"count":[1],"mean":[1],"m2":[0],"shape":[2]}"#,
      #"{"count":[1],"mean":[1,2],"m2":[0],"shape":[1]}"#,
      #"{"count":[],"mean":[],"m2":[],"shape":[-1]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(Moments.self, from: Data(broken.utf8))
      }
    }
  }
}

extension Moments {
  /// The moments of some of the groups.
  init(_ all: Moments, at groups: [Int]) {
    self.init(
      count: groups.map { all.count[$0] }, mean: groups.map { all.mean[$0] },
      m2: groups.map { all.m2[$0] }, shape: [groups.count])
  }
}
