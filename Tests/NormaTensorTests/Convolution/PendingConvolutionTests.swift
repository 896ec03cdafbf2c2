import NormaOneDNN
import Testing

@testable import NormaTensor

/// Convolutions are fused with what follows, without changing a bit.
@Suite(.enabled(if: OneDNN.isAvailable)) struct PendingConvolutionTests {
  private static func random(_ shape: Int..., seed: UInt64) -> Tensor {
    withSeed(seed) { Tensor.randn(shape) }.evaluated()
  }

  private let images = random(3, 3, 128, 128, seed: 1).channelsLast().evaluated()
  private let weights = random(16, 3, 3, 3, seed: 2)
  private let bias = random(16, seed: 3)
  private let channels = (0..<4).map { PendingConvolutionTests.random(1, 16, 1, 1, seed: 4 + $0) }

  private func convolution() -> Tensor { conv2d(images, weight: weights, bias: bias, padding: 1) }

  /// An image has a megabyte of results, so that a thread processes one at a time.
  private func onOneThread<R>(_ body: () -> R) -> R { withThreads(1, body) }

  private func finished(_ y: Tensor, _ residual: Tensor) -> Tensor {
    ((y - channels[0]) * channels[1] + residual).relu()
  }

  @Test func whatFollowsFindsThemInCache() {
    onOneThread {
      let residual = convolution().evaluated()
      let (value, steps) = ExecutionLog.recording {
        finished(convolution(), residual).evaluated()
      }
      #expect(steps.map(\.path) == [.convolution])
      #expect(steps[0].operations.first == "convolution" && steps[0].operations.count > 3)
      #expect(steps[0].traits.subtracting([.packed, .prepacked]) == [.oneDNN, .inCache])
      #expect(isSame(value, finished(convolution().evaluated(), residual)))
      #expect(value.strides == ConvolutionShape.layout(value.shape).strides)
    }
  }

  @Test func partsAreAllImages() throws {
    let whole = convolution().evaluated()
    for count in 1...3 {
      let some = onOneThread {
        conv2d(images[..<count], weight: weights, bias: bias, padding: 1).evaluated()
      }
      #expect((some - whole[..<count]).abs().max().item() < 1e-4)
    }
    let plain = try PlainConvolution(
      shape: ConvolutionShape(
        source: images.shape, weights: weights.shape, stride: 1, padding: 1, dilation: 1, groups: 1,
        call: "")
    ).forward(images, weights, bias)
    #expect((plain - whole).abs().max().item() < 1e-4)
  }

  @Test func otherOrdersOfMemoryAreStoredApart() {
    let residual = convolution().contiguous().evaluated()
    let (value, steps) = ExecutionLog.recording { (residual + convolution()).evaluated() }
    #expect(steps.map(\.path) == [.convolution, .program])
    #expect(isSame(value, residual + convolution().evaluated()))
  }

  @Test func twoInOneProgram() {
    let (value, steps) = ExecutionLog.recording {
      (convolution() * convolution().relu()).evaluated()
    }
    #expect(steps.map(\.path) == [.convolution, .convolution])
    let stored = convolution().evaluated()
    #expect(isSame(value, stored * stored.relu()))
  }

  /// Statistics read the results before they are normalized; so does a gradient.
  @Test func whatIsReadTwiceRunsOnce() {
    let (value, steps) = ExecutionLog.recording { () -> Tensor in
      let y = convolution()
      return ((y - y.mean(over: 0, 2, 3, keepDims: true)) / (y.std(over: 0, 2, 3, keepDims: true)))
        .evaluated()
    }
    #expect(steps.count { $0.path == .convolution } == 1)
    let stored = convolution().evaluated()
    let expected =
      (stored - stored.mean(over: 0, 2, 3, keepDims: true))
      / stored.std(over: 0, 2, 3, keepDims: true)
    #expect(isSame(value, expected))

    let gradient = ExecutionLog.recording { () -> Tensor in
      let start = images.requiringGradient()
      let y = (conv2d(start, weight: weights, padding: 1).sigmoid() * 2).sum()
      y.backward()
      return start.grad?.evaluated() ?? .zeros(1)
    }
    #expect(gradient.steps.count { $0.operations.first == "convolution" } == 1)
    #expect(gradient.steps.count { $0.operations.first == "convolution gradient" } == 1)
  }

  /// A ReLU in oneDNN would turn NaN into 0.
  @Test func nanStays() {
    var values = images.array(of: Float.self)
    values[5] = .nan
    let x = Tensor(values).reshaped(images.shape)
    let y = conv2d(x, weight: weights, padding: 1).relu().array(of: Float.self)
    let stored = conv2d(x, weight: weights, padding: 1).array(of: Float.self)
    let (indices, expected) = (y.map { $0.isNaN }, stored.map { $0.isNaN })
    #expect(indices == expected && expected.contains(true))
  }

  /// Weights are kept in oneDNN's order from the second use on, as long as they live.
  @Test func packedWeights() {
    let wide = PendingConvolutionTests.random(2, 64, 20, 20, seed: 8)
    var kernels = PendingConvolutionTests.random(64, 64, 3, 3, seed: 9)
    let first = conv2d(wide, weight: kernels).evaluated()
    let isPacked = (0..<3).map { _ in
      ExecutionLog.recording { conv2d(wide, weight: kernels).evaluated() }.steps.contains {
        $0.traits.contains(.packed)
      }
    }
    #expect(!isPacked[1] && !isPacked[2])
    let again = ExecutionLog.recording { conv2d(wide, weight: kernels).evaluated() }
    #expect(again.steps.contains { $0.traits.contains(.prepacked) })
    for _ in 0..<3 { #expect(isSame(first, conv2d(wide, weight: kernels).evaluated())) }
    // Another number of images may have another plan.
    let one = conv2d(wide[..<1], weight: kernels).evaluated()
    #expect(isSame(one, conv2d(wide[..<1], weight: kernels).evaluated()))
    #expect(isSame(first, conv2d(wide, weight: kernels).evaluated()))
    // Parts of the same memory are different weights.
    let half = conv2d(wide, weight: kernels[32...]).evaluated()
    for _ in 0..<2 { #expect(isSame(half, conv2d(wide, weight: kernels[32...]).evaluated())) }
    kernels = (kernels * 2).evaluated()
    for _ in 0..<3 { #expect(isSame(first * 2, conv2d(wide, weight: kernels).evaluated())) }
    // What is assigned in place is read.
    kernels[5] = Tensor(0)
    let assigned = conv2d(wide, weight: kernels).evaluated()
    #expect(isSame(assigned, conv2d(wide, weight: kernels.copied()).evaluated()))
    #expect(isSame(assigned[0..., 5], Tensor.zeros([2, 18, 18])))
  }

  @Test func manyTasksUseTheSameWeights() async {
    let wide = PendingConvolutionTests.random(1, 64, 20, 20, seed: 8)
    let kernels = PendingConvolutionTests.random(64, 64, 3, 3, seed: 9)
    let expected = conv2d(wide, weight: kernels).relu().evaluated()
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<4).allSatisfy { _ in isSame(expected, conv2d(wide, weight: kernels).relu()) }
        }
      }
      for await same in group { #expect(same) }
    }
  }
}
