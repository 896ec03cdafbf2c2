import NormaReference
import NormaTensor
import Testing

/// Indices along lines long enough to be checked many at a time.
@Suite(.seeded) struct LongLineTests {
  /// Some are counted from the end, one is wrong.
  @Test func oneByOne() {
    var random = TestRandom()
    for count in [31, 32, 33, 64, 100] {
      let x = Tensor.randn([3, count])
      let own = x.array(of: Float.self)
      for isWrapped in [false, true] {
        var indices = (0..<(3 * count)).map { _ in Int(random.next() % UInt64(3 * count)) }
        if isWrapped { indices[count + 7] -= 3 * count }
        let given = Tensor(indices).reshaped(3, count)
        let picked = indices.map { own[$0 < 0 ? $0 + own.count : $0] }
        #expect(x.taken(given).array(of: Float.self) == picked, "seed \(random)")
        var put = own
        for (n, index) in indices.enumerated() {
          put[index < 0 ? index + own.count : index] = own[n]
        }
        #expect(x.putting(given, x).array(of: Float.self) == put, "seed \(random)")
        let rows = Tensor(indices.map { (($0 + own.count) % count) }).reshaped(3, count)
        var expected = own
        for (n, index) in rows.array(of: Int.self).enumerated() {
          expected[n / count * count + index] = own[n]
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
