import Foundation
import NormaFiles
import NormaTensor
import Testing

@Suite struct IDXTests {
  let cube = Tensor([2, 3, 4], .uint8, (0..<24).map { UInt8($0 * 10) })

  @Test func everyType() throws {
    func read(_ code: String) throws -> Tensor { try Tensor(idx: Fixture.path("\(code).idx")) }
    #expect(try same(read("u8"), cube))
    #expect(try same(read("i1"), Tensor([2, 3], .int8, (-2...3).map { Int8($0) })))
    #expect(try same(read("i2"), Tensor([2, 3], .int16, (-2...3).map { Int16($0) })))
    #expect(try same(read("i4"), Tensor([2, 3], .int32, (-2...3).map { Int32($0) })))
    #expect(try same(read("f4"), Tensor([2, 3], .float32, (-2...3).map { Float($0) })))
    #expect(try same(read("f8"), Tensor([2, 3], .float64, (-2...3).map { Double($0) })))
    #expect(try same(Tensor(contentsOf: Fixture.path("f4.idx")), read("f4")))
  }

  @Test func gzip() throws {
    #expect(try same(Tensor(idx: Fixture.path("u8.idx.gz")), cube))
    #expect(try same(Tensor(contentsOf: Fixture.path("u8.idx.gz")), cube))
    #expect(try same(Tensor(idx: Fixture.path("members.idx.gz")), cube), "several members")
  }

  @Test func onlyTheFirst() throws {
    for name in ["u8.idx", "u8.idx.gz"] {
      let one = try Tensor(idx: Fixture.path(name), count: 1)
      #expect(same(one, Tensor([1, 3, 4], .uint8, (0..<12).map { UInt8($0 * 10) })))
      #expect(try Tensor(idx: Fixture.path(name), count: 0).shape == [0, 3, 4])
      #expect(try same(Tensor(idx: Fixture.path(name), count: 9), cube))
      #expect(kind { _ = try Tensor(idx: Fixture.path(name), count: -1) } == .unsupported)
    }
    // The rest is not decompressed, so it may be missing.
    let cut = Array(try Fixture.bytes("u8.idx.gz").dropLast(8))
    #expect(try Tensor(idxBytes: cut, count: 1).shape == [1, 3, 4])
    #expect(kind { _ = try Tensor(idxBytes: cut) } == .truncated)
    // But a truncated plain file is detected.
    let plain = Array(try Fixture.bytes("u8.idx").dropLast())
    #expect(kind { _ = try Tensor(idxBytes: plain, count: 1) } == .truncated)
  }

  @Test func bombsAreDefused() throws {
    // Less than a kilobyte that claims 256 terabytes and decompresses to 128 kilobytes.
    #expect(kind { _ = try Tensor(idx: Fixture.path("bomb.idx.gz")) } == .truncated)
    #expect(kind { _ = try Tensor(contentsOf: Fixture.path("bomb.idx.gz")) } == .truncated)
    let part = try Tensor(idxBytes: Fixture.bytes("bomb.idx.gz"), count: 1)
    #expect(part.shape == [1, 1 << 8, 1 << 9])
    #expect(part.bytes.allSatisfy { $0 == 0 })
  }

  @Test func checksumsCount() throws {
    let bytes = try Fixture.bytes("u8.idx.gz")
    for index in bytes.count - 8..<bytes.count {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(kind { _ = try Tensor(idxBytes: damaged) } == .malformed)
    }
    #expect(kind { _ = try Tensor(idxBytes: bytes + [0]) } != nil)
  }

  @Test func damagedHeaders() throws {
    let bytes = try Fixture.bytes("u8.idx")
    #expect(kind { _ = try Tensor(idxBytes: bytes + [0]) } == .malformed)
    #expect(kind { _ = try Tensor(idxBytes: [0, 0, 8, 255] + bytes) } == .truncated)
    #expect(kind { _ = try Tensor(idxBytes: [0, 0, 0x0a, 1, 0, 0, 0, 0]) } == .malformed)
    #expect(kind { _ = try Tensor(idxBytes: [1, 0, 8, 1, 0, 0, 0, 0]) } == .malformed)
    let huge = [0, 0, 0x0e, 4] + [UInt8](repeating: 0xff, count: 16)
    #expect(kind { _ = try Tensor(idxBytes: huge) } == .malformed)
    #expect(try Tensor(idxBytes: [0, 0, 8, 0, 42]).bytes == [42])
  }

  static let fashion = "/usr/share/datasets/fashion-mnist"

  @Test(.enabled(if: FileManager.default.fileExists(atPath: fashion)))
  func fashionMNIST() throws {
    let labels = try Tensor(idx: "\(Self.fashion)/train-labels-idx1-ubyte.gz")
    #expect(labels.shape == [60000])
    var counts = [Int](repeating: 0, count: 10)
    for label in labels.bytes { counts[Int(label)] += 1 }
    #expect(counts == [Int](repeating: 6000, count: 10))
    let images = try Tensor(idx: "\(Self.fashion)/train-images-idx3-ubyte.gz", count: 1000)
    #expect(images.shape == [1000, 28, 28])
    let all = try Tensor(contentsOf: "\(Self.fashion)/t10k-images-idx3-ubyte.gz")
    #expect(all.shape == [10000, 28, 28])
    let part = try Tensor(idx: "\(Self.fashion)/t10k-images-idx3-ubyte.gz", count: 10)
    #expect(part.bytes == Array(all.bytes.prefix(7840)))
  }
}
