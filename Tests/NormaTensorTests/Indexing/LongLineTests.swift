import NormaReference
import NormaTensor
import Testing

/// Places along lines long enough to be looked at many at a time.
@Suite(.seeded) struct LongLineTests {
  /// Some are counted from the end, one is wrong.
  @Test func oneByOne() {
    var random = TestRandom()
    for count in [31, 32, 33, 64, 100] {
      let x = Tensor.randn([3, count])
      let own = x.array(of: Float.self)
      for isWrapped in [false, true] {
        var places = (0..<(3 * count)).map { _ in Int(random.next() % UInt64(3 * count)) }
        if isWrapped { places[count + 7] -= 3 * count }
        let given = Tensor(places).reshaped(3, count)
        let picked = places.map { own[$0 < 0 ? $0 + own.count : $0] }
        #expect(x.taken(given).array(of: Float.self) == picked, "seed \(random)")
        var put = own
        for (n, place) in places.enumerated() {
          put[place < 0 ? place + own.count : place] = own[n]
        }
        #expect(x.putting(given, x).array(of: Float.self) == put, "seed \(random)")
        let rows = Tensor(places.map { (($0 + own.count) % count) }).reshaped(3, count)
        var expected = own
        for (n, place) in rows.array(of: Int.self).enumerated() {
          expected[n / count * count + place] = own[n]
        }
        #expect(x.scattered(rows, x, over: 1).array(of: Float.self) == expected)
        for wrong in [0, 30, count - 1] {
          var spoiled = rows.array(of: Int.self)
          spoiled[count + wrong] = count
          let text = MessageTests.message {
            x.gathered(Tensor(spoiled).reshaped(3, count), over: 1)
          }
          #expect(text.contains("index \(count) is out of range for axis 1"))
        }
      }
    }
  }
}
