import Foundation
import NormaTensor
import Testing

/// More elements than 32 bits can count.
@Suite(.serialized) struct LargeTensorTests {
  /// The bytes of memory available now, as reported by the system; nil if unknown.
  private static var available: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else {
      return nil
    }
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
  }

  @Test func beyondTwoGibibytes() {
    guard ProcessInfo.processInfo.environment["NORMA_SKIP_LARGE_TESTS"] == nil,
      let available = Self.available, available > 8 << 30
    else {
      print(
        "skipped: 2^31 + 1 elements need 8 GiB of free memory, and NORMA_SKIP_LARGE_TESTS unset")
      return
    }
    defer { TensorMemory.emptyCache() }
    let count = 1 << 31 + 1
    var x = Tensor.zeros(count, dtype: .uint8)
    x[-1] = 7
    x[[count - 2, 3]] = Tensor([5, 1])
    #expect(x.count == count && x.sum().item(as: Int.self) == 13 && x.max().item() == 7)
    #expect(x[(count - 3)...].array(of: Int.self) == [0, 5, 7])
    #expect(x[AxisSlice(from: 3, by: 1 << 30)].array(of: Int.self) == [1, 0])
    #expect(x[[count - 1, -2, 0]].array(of: Int.self) == [7, 5, 0])
    #expect(x.taken(Tensor([-1, 3])).array(of: Int.self) == [7, 1])
    #expect(x.gathered(Tensor([count - 1]), over: 0).item() == 7)
    #expect(x.indexSelected(Tensor([1 << 31]), over: 0).item() == 7)
    #expect(x.unsqueezed(0).transposed()[-1, 0].item() == 7)
  }
}
