import NormaKernels
import Testing

@Suite struct CopyBytesTests {
  @Test(arguments: [0, 1, 4095, 4096, 65_537, 300_001], [1, 2, 3, 7])
  func copiesEveryByte(count: Int, threads: Int) {
    let source = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    var target = [UInt8](repeating: 0, count: count + 1)
    source.withUnsafeBytes { source in
      target.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        copyBytes(from: from, to: to, count: count, threads: threads)
      }
    }
    #expect(Array(target.dropLast()) == source && target.last == 0)
  }
}
