import NormaReference
import NormaTensor
import Testing

/// Tensors are Sendable: pending ones may be read by many tasks concurrently.
@Suite struct SharingTests {
  @Test func aPendingTensorReadFromManyTasks() async {
    var random = TestRandom()
    let x = Sample([40, 300], .float32, random: &random).tensor
    for _ in 0..<20 {
      let mean = x.mean(over: 1, keepDims: true)
      let y = (x - mean) / (x.std(over: 1, keepDims: true) + 1e-5)
      let z = y * 2 + y.max()
      let results = await withTaskGroup(of: (Int, [Float]).self) { group in
        for task in 0..<8 {
          group.addTask {
            switch task % 4 {
            case 0: (0, y.array())
            case 1: (1, z.array())
            case 2: (2, (y + mean).array())
            default: (3, mean.evaluated().array())
            }
          }
        }
        return await group.reduce(into: [Int: [[Float]]]()) { $0[$1.0, default: []].append($1.1) }
      }
      for (kind, found) in results { #expect(Set(found).count == 1, "kind \(kind)") }
      #expect(results[0]?[0] == y.evaluated().array())
    }
  }

  @Test func tasksThatBuildOnOneTensor() async {
    let x = Tensor.ones([1000]) * 3
    let total = await withTaskGroup(of: Double.self) { group in
      for task in 0..<32 {
        group.addTask { (x + Double(task)).sum().item() / 1000 }
      }
      return await group.reduce(0, +)
    }
    #expect(total == 32 * 3 + 31 * 16)
  }
}
