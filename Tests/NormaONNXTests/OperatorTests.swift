import NormaTensor
import Testing

@testable import NormaONNX

/// Operators whose meaning changed between versions; the standard's own cases test the newest.
@Suite struct OperatorTests {
  private let x = Tensor.arange(24).reshaped(2, 3, 4).cast(to: .float32)

  @Test func softmaxSawAMatrixBeforeVersion13() throws {
    let old = try TestGraph.results("Softmax", [x], opset: 11, ints: ["axis": 1])[0]
    #expect(old.allClose(to: x.reshaped(2, 12).softmax(over: 1).reshaped(2, 3, 4)))
    let new = try TestGraph.results("Softmax", [x], opset: 13, ints: ["axis": 1])[0]
    #expect(new.allClose(to: x.softmax(over: 1)))
  }

  @Test func operandsWereAttributesOnce() throws {
    let sliced = try TestGraph.results(
      "Slice", [x], opset: 9, lists: ["starts": [1, 0], "ends": [3, -1], "axes": [1, 2]])[0]
    #expect(sliced.isEqual(to: x[..., 1..<3, 0..<3]))
    let clipped = try TestGraph.results("Clip", [x], opset: 6, floats: ["min": 3, "max": 5])[0]
    #expect(clipped.isEqual(to: x.clamped(min: 3, max: 5)))
    let sum = try TestGraph.results("ReduceSum", [x], opset: 11, lists: ["axes": [-1]])[0]
    #expect(sum.isEqual(to: x.sum(over: 2, keepDims: true)))
  }

  @Test func operandsStretchedFromAnAxisBeforeVersion7() throws {
    let row = Tensor([Float(1), 2, 3])
    let sum = try TestGraph.results(
      "Add", [x, row], opset: 6, ints: ["axis": 1, "broadcast": 1])[0]
    #expect(sum.isEqual(to: x + row.reshaped(3, 1)))
  }

  @Test(arguments: [("VALID", 0, 0), ("SAME_UPPER", 0, 1), ("SAME_LOWER", 1, 0)])
  func windowsArePlacedAsTheModeSays(mode: String, before: Int, after: Int) throws {
    let image = withSeed(3) { Tensor.randn(1, 2, 6, 6) }
    let weight = withSeed(4) { Tensor.randn(3, 2, 2, 2) }
    let y = try TestGraph.results("Conv", [image, weight], strings: ["auto_pad": mode])[0]
    let padded = image.padded([before, after, before, after])
    #expect(y.allClose(to: conv2d(padded, weight: weight), rtol: 1e-5, atol: 1e-5))
  }

  @Test func resizingInterpolatesBetweenCenters() throws {
    let line = Tensor([Float(0), 1, 2, 3]).reshaped(1, 1, 4)
    let factors = Tensor([Float(1), 1, 2])
    let graph = TestGraph(
      nodes: [TestNode("Resize", ["x", "", "f"], ["y"], strings: ["mode": "linear"])],
      inputs: [("x", 1, [1, 1, 4])], outputs: ["y"], constants: [("f", factors)])
    let y = try graph.model()([line])[0]
    #expect(y.array(of: Float.self) == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
  }

  @Test func smallIntegersStayOutsideOfTensors() {
    let a = HostIntegers([6, 7]), b = HostIntegers([2], shape: [])
    let product = HostIntegers.combined(a, b, as: .int64) { $0 * $1 }
    #expect(product?.values == [12, 14])
    #expect(product?.shape == [2])
    #expect(HostIntegers.combined(a, HostIntegers([1, 2, 3]), as: .int64, +) == nil)
    let none = HostIntegers.combined(HostIntegers([]), b, as: .int64) { $0 * $1 }
    #expect(none?.values == [])
    let low = HostIntegers([Int(Int32.max)], dtype: .int32)
    let wrapped = HostIntegers.combined(low, low, as: .int32, &+)
    #expect(wrapped?.values == [-2])
  }
}
