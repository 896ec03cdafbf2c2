import NormaNN
import NormaReference
import NormaTensor
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Ends the process with a failure that names the violated condition.
private func demand(
  _ condition: Bool, _ message: @autoclosure () -> String = "", line: UInt = #line
) {
  if condition { return }
  print("line \(line): \(message())")
  exit(1)
}

/// What a layer keeps, rejects and costs.
@Suite(.seeded) struct BatchNormStateTests {
  /// A file may contain the largest count; counting continues without a trap and the count stays.
  @Test func countsFromFilesDoNotOverflow() throws {
    let x = Tensor.arange(8, dtype: .float32).reshaped(2, 2, 2)
    for momentum in [0.1, .cumulative] as [Momentum] {
      let batch = BatchNorm1d(2, momentum: momentum)
      try batch.load(["num_batches_tracked": Tensor(Int64.max)], strict: false)
      _ = batch(x)
      #expect(batch.numBatchesTracked?.value.item(as: Int64.self) == .max)
      try recalibrate(batch, over: [x], rule: .exponential(0.1))
      #expect(batch.runningMean?.value.isFinite().all().item(as: Bool.self) == true)
      let instance = InstanceNorm1d(2, momentum: momentum, trackRunningStats: true)
      try instance.load(["num_batches_tracked": Tensor(Int64.max)], strict: false)
      _ = instance(x)
    }
  }

  @Test func stateUnderPyTorchsNames() {
    final class Block: Module {
      let bn1 = BatchNorm2d(2)
      let lastNorm = BatchNorm1d(3, affine: false)
    }
    let names: Set = [
      "weight", "bias", "running_mean", "running_var", "num_batches_tracked",
    ]
    #expect(Set(BatchNorm2d(2).stateDict().keys) == names)
    let block = Block()
    let expected =
      names.map { "bn1.\($0)" }
      + ["last_norm.running_mean", "last_norm.running_var", "last_norm.num_batches_tracked"]
    #expect(Set(block.stateDict().keys) == Set(expected))
    block.eval()
    #expect(!block.bn1.isTraining && !block.lastNorm.isTraining)
    block.train()
    #expect(block.bn1.isTraining)
  }

  @Test func mistakes() {
    func message(_ body: () -> Tensor) -> String {
      do {
        _ = try catchingTensorErrors(body)
        return ""
      } catch { return "\(error)" }
    }
    let bn = BatchNorm2d(3)
    #expect(
      message { bn(Tensor.ones(2, 4, 5, 5)) }
        == "BatchNorm2d(_:): the layer has 3 channels and axis 1 of shape [2, 4, 5, 5] has 4")
    #expect(
      message { bn(Tensor.ones(2, 3, 5)) }
        == "BatchNorm2d(_:): expected 4 axes, got shape [2, 3, 5]")
    #expect(
      message { bn(Tensor.ones(1, 3, 1, 1)) }
        == "BatchNorm2d(_:): shape [1, 3, 1, 1] has one value per channel, which has no variance: "
        + "train with a larger batch (drop the last one if it is short), call eval(), or use group "
        + "or layer norm")
    #expect(
      message { bn(Tensor.ones([2, 3, 5, 5], dtype: .int64)) }
        == "BatchNorm2d(_:): int64 cannot be normalized; cast(to: .float32) first")
    #expect(
      message { BatchNorm2d(3, eps: 0)(Tensor.ones(2, 3, 5, 5)) }
        == "BatchNorm2d(_:): eps must be positive in training, got 0.0")
    #expect(
      message { batchNorm(Tensor.ones(2, 3)) }
        == "batchNorm(_:): evaluation needs runningMean and runningVar; or pass training: true")
    #expect(
      message { batchNorm(Tensor.ones(2, 3), weight: Tensor.ones(2), training: true) }
        == "batchNorm(_:): weight has shape [2]; the input has 3 channels")
    #expect(bn.numBatchesTracked?.value.item() == 0)
    // In evaluation a single value is enough, and eps may be zero.
    bn.eval()
    #expect(message { bn(Tensor.ones(1, 3, 1, 1)) } == "")
  }

  /// Running statistics are committed one step late at most, and never pile up.
  @Test func aThousandStepsLeaveNothing() async {
    await #expect(processExitsWith: .success) {
      let bn = BatchNorm2d(8)
      let x = Tensor.rand(4, 8, 6, 6)
      for _ in 0..<20 { bn(x).evaluated() }
      let before = TensorMemory.usage.inUse
      for _ in 0..<1000 { bn(x).evaluated() }
      demand(TensorMemory.usage.inUse <= before + 4096, "\(TensorMemory.usage) after \(before)")
      demand(bn.numBatchesTracked?.value.item() == 1020)
      // Even if the output is not read.
      for _ in 0..<1000 { _ = bn(x) }
      demand(TensorMemory.usage.inUse <= before + 65536, "\(TensorMemory.usage) after \(before)")
    }
  }

  /// Input, output and little more.
  @Test func peakMemory() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.rand(8, 32, 64, 64)
      let bytes = 8 * 32 * 64 * 64 * 4
      let bn = BatchNorm2d(32)
      TensorMemory.resetPeak()
      let y = bn(x).evaluated()
      demand(TensorMemory.usage.peak <= 2 * bytes + bytes / 8 + 65536, "\(TensorMemory.usage)")
      TensorMemory.resetPeak()
      let held = TensorMemory.usage.inUse
      _ = (bn(y) - y).abs().max().item()
      demand(TensorMemory.usage.peak - held < 1 << 17, "\(TensorMemory.usage) after \(held)")
    }
  }

  @Test func anyNumberOfThreads() {
    var random = TestRandom()
    for (shape, channelsLast) in [
      ([8, 24, 20, 20], false), ([8, 24, 20, 20], true), ([900, 40], false),
    ] {
      let x = BatchNormTests.batch(shape, .float32, channelsLast: channelsLast, &random).tensor
      func results(_ threads: Int) -> [[Float]] {
        withThreads(threads) {
          let bn = BatchNorm(shape[1])
          let y = bn(x)
          return [y.array(), (bn(y) - y).abs().max().array(), bn.runningVar?.value.array() ?? []]
        }
      }
      let expected = results(1)
      for threads in [2, 3, 7, 13] { #expect(results(threads) == expected, "\(shape) \(threads)") }
    }
  }

  /// Programs around the layer give the same bits as its evaluated statistics and output.
  @Test(arguments: [DType.float32, .float16, .float64], [false, true])
  func fusedOrNot(dtype: DType, channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(dtype) \(channelsLast)")
    for shape in [[6, 64, 8, 8], [3, 5, 40, 40], [40, 33], [2, 64, 3, 64]] {
      let x = BatchNormTests.batch(shape, dtype, channelsLast: channelsLast, &random).tensor
      let axes = [0] + Array(2..<shape.count)
      func results(_ end: (Tensor) -> Tensor) -> [[Double]] {
        let bn = BatchNorm(shape[1])
        let mean = end(x.mean(over: axes, keepDims: true))
        let y = end((x - mean) / (end(x.std(over: axes, keepDims: true)) + 1e-5))
        let z = end(bn(y))
        let difference = end(z - y)
        return [
          z.array(), difference.array(), end(difference.abs()).max().array(),
          (bn(x) * 2).array(), bn.runningMean?.value.array() ?? [],
          bn.runningVar?.value.array() ?? [],
        ]
      }
      let (fused, cut) = (results { $0 }, results { $0.evaluated() })
      for k in fused.indices { #expect(fused[k] == cut[k], "\(k) of \(shape)") }
    }
  }
}
