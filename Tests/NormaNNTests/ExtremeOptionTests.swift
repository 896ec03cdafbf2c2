import NormaNN
import NormaTensor
import Testing

/// Layers, functions, schedules and loaders with extreme sizes, counts and steps: always an error
/// or a result.
@Suite struct ExtremeOptionTests {
  static let numbers = [0, -1, Int.max, Int.max / 2, 1 << 62, Int.min, Int.max - 1]

  static func layers(_ n: Int) -> [() -> Any] {
    let e = Extents(n)
    return [
      { Linear(n, 1) }, { Linear(1, n) }, { Bilinear(n, 1, 1) }, { Bilinear(1, 1, n) },
      { Embedding(n, 1) }, { Embedding(2, n) }, { Embedding(2, 1, paddingIndex: n) },
      { Conv1d(n, 1, kernelSize: 1) }, { Conv1d(1, n, kernelSize: 1) },
      { Conv2d(1, 1, kernelSize: e) }, { Conv2d(2, 2, kernelSize: 1, groups: n) },
      { Conv3d(1, n, kernelSize: [1, n, 1]) }, { ConvTranspose1d(n, 1, kernelSize: 1) },
      { ConvTranspose2d(1, n, kernelSize: 2) }, { ConvTranspose3d(2, 2, kernelSize: 1, groups: n) },
      { StdConv2d(n, 1, kernelSize: 1) }, { ScaledStdConv2d(1, n, kernelSize: 1) },
      { BatchNorm1d(n) }, { BatchNorm2d(n, affine: false) }, { BatchNorm3d(n) },
      { InstanceNorm1d(n) }, { InstanceNorm2d(n, affine: true) },
      { InstanceNorm3d(n, trackRunningStats: true) }, { GroupNorm(n, 4) }, { GroupNorm(1, n) },
      { LayerNorm(n) }, { LayerNorm([2, n]) }, { LayerNorm(2, axis: n)(Tensor.ones(2, 2)) },
      { LayerNorm2d(n) }, { RMSNorm(n) }, { RMSNorm([n]) }, { RMSNorm(2, axis: n)(Tensor.ones(2)) },
      { RMSNorm2d(n) }, { LocalResponseNorm(n)(Tensor.ones(1, 2, 3)) },
      { CrossMapLRN2d(n)(Tensor.ones(1, 2, 3, 3)) }, { AdaptiveLayerNorm(n, conditions: 1) },
      { AdaptiveLayerNorm(1, conditions: n) }, { ConditionalBatchNorm2d(n, classes: 1) },
      { ConditionalBatchNorm2d(1, classes: n) }, { EvoNorm2dB0(n) }, { EvoNorm2dS0(n) },
      { EvoNorm2dS0(4, groups: n) }, { FilterResponseNorm2d(n) }, { FrozenBatchNorm2d(n) },
      { GhostBatchNorm(n, partSize: 2) }, { GhostBatchNorm(2, partSize: n) },
      { SplitBatchNorm2d(n) }, { SplitBatchNorm2d(2, splits: n) }, { GlobalResponseNorm(n) },
      { GlobalResponseNorm(2, axis: n)(Tensor.ones(1, 2, 2, 2)) },
      { UnitNorm(axis: n)(Tensor.ones(2)) }, { ScaleNorm(n) }, { QKNorm(n) }, { DynamicTanh(n) },
      { DynamicTanh(2, axis: n)(Tensor.ones(2)) }, { PReLU(n) }, { GLU(over: n)(Tensor.ones(2)) },
      { Softmax(over: n)(Tensor.ones(2)) }, { Softmin(over: n)(Tensor.ones(2)) },
      { LogSoftmax(over: n)(Tensor.ones(2)) },
      { Flatten(from: n)(Tensor.ones(2, 2)) }, { Flatten(from: 0, through: n)(Tensor.ones(2, 2)) },
      { weightNorm(Linear(2, 2), axis: n) }, { spectralNorm(Linear(2, 2), axis: n) },
      { spectralNorm(Linear(2, 2), powerIterations: min(n, 9)) },
      { Momentum.cumulative.share(ofBatch: n) }, { Momentum.decay(0.9).rest(after: n) },
      { Linear(2, 2).summary(inputShape: [n, 2]) },
      { Linear(2, 2).multiplyAdds(for: [n, 2]) }, { Accuracy(topK: n) },
      { Accuracy(ignoreIndex: n) }, { ConfusionMatrix(classes: n) },
      { EarlyStopping(patience: n) }, { GradientScaler(growthInterval: n) },
    ]
  }

  static func windows(_ n: Int) -> [() -> Any] {
    let (e, a) = (Extents(n), AdaptiveSize([n]))
    let (line, plane, cube) = (
      Tensor.ones(1, 2, 8), Tensor.ones(1, 2, 4, 4), Tensor.ones(1, 2, 4, 4, 4)
    )
    return [
      { PaddingLayer(e)(plane) },
      { MaxPool1d(kernelSize: e)(line) }, { MaxPool2d(kernelSize: 2, stride: e)(plane) },
      { MaxPool3d(kernelSize: 2, padding: e)(cube) }, { AvgPool1d(kernelSize: e)(line) },
      { AvgPool2d(kernelSize: 2, stride: e)(plane) }, { AvgPool3d(kernelSize: e)(cube) },
      { LPPool1d(2, kernelSize: e)(line) }, { LPPool2d(2, kernelSize: 2, stride: e)(plane) },
      { LPPool3d(2, kernelSize: e)(cube) }, { lpPool1d(line, p: 2, kernelSize: e) },
      { lpPool2d(plane, p: 2, kernelSize: e) }, { lpPool3d(cube, p: 2, kernelSize: 2, stride: e) },
      { AdaptiveAvgPool1d(a)(line) }, { AdaptiveAvgPool2d(a)(plane) },
      { AdaptiveAvgPool3d(a)(cube) }, { AdaptiveMaxPool1d(a)(line) },
      { AdaptiveMaxPool2d(a)(plane) }, { AdaptiveMaxPool3d(a)(cube) },
      { ZeroPad1d(e)(line) }, { ZeroPad2d(e)(plane) }, { ConstantPad2d(e, value: 1)(plane) },
      { ReflectionPad2d(e)(plane) }, { ReplicationPad2d(e)(plane) }, { CircularPad2d(e)(plane) },
      { ConvTranspose1d(2, 1, kernelSize: 2, stride: 3)(line, outputSize: [n]) },
      { Conv1d(2, 1, kernelSize: 1, stride: e)(line) },
      { Conv1d(2, 1, kernelSize: 1, padding: ConvolutionPadding(e))(line) },
      { Conv2d(2, 1, kernelSize: 2, dilation: e)(plane) },
      { ConvTranspose2d(2, 1, kernelSize: 2, stride: e, padding: e)(plane) },
    ]
  }

  static func functions(_ n: Int) -> [() -> Any] {
    let x = Tensor.ones(2, 4, 3)
    let mask = Tensor.ones([2, 4, 3], dtype: .bool)
    let (scores, classes) = (Tensor.ones(2, 3), Tensor([0, 1]))
    return [
      { layerNorm(x, normalizedShape: [n]) }, { layerNorm(x, normalizedShape: [3], axes: [n]) },
      { layerNorm(x, normalizedShape: [n], mask: mask) }, { rmsNorm(x, normalizedShape: [n]) },
      { rmsNorm(x, normalizedShape: [3], axes: [n]) },
      { rmsNorm(x, normalizedShape: [n], mask: mask) },
      { groupNorm(x, groups: n) }, { groupNorm(x, groups: n, mask: mask) },
      { localResponseNorm(x, size: n) }, { Tensor.normalize(x, axis: n) },
      { cosineSimilarity(x, x, over: n) }, { Tensor.mask(lengths: [n, 1], over: 1, of: [2, 3]) },
      { Tensor.mask(lengths: [1, 1], over: n, of: [2, 3]) },
      { Tensor.mask(lengths: [1, 1], over: 1, of: [2, n]) },
      { Tensor.embedding(classes, weight: scores, paddingIndex: n) },
      { Tensor.embedding(Tensor([n]), weight: scores) },
      { crossEntropy(scores, Tensor([n, 0])) }, { crossEntropy(scores, classes, ignoreIndex: n) },
      { nllLoss(scores, classes, ignoreIndex: n) }, { nllLoss(scores, Tensor([n, 0])) },
      { multiMarginLoss(scores, classes, p: n) }, { multiMarginLoss(scores, Tensor([n, 0])) },
      {
        ctcLoss(
          Tensor.zeros(3, 1, 3), Tensor([[1]]), inputLengths: [n], targetLengths: [1])
      },
      {
        ctcLoss(
          Tensor.zeros(3, 1, 3), Tensor([[1]]), inputLengths: [3], targetLengths: [n])
      },
      { ctcLoss(Tensor.zeros(3, 1, 3), Tensor([[1]]), blank: n) },
      { Tensor.xavierUniform([n, 2]) }, { Tensor.xavierNormal([2, n]) },
      { Tensor.kaimingUniform([n, n]) }, { Tensor.kaimingNormal([2, 2, n]) },
      { ImageTransform.pad(n)(Tensor.ones(1, 3, 4, 4)) },
      { ImageTransform.centerCrop(n, 2)(Tensor.ones(1, 3, 4, 4)) },
      { ImageTransform.randomCrop(2, n)(Tensor.ones(1, 3, 4, 4)) },
      { ImageTransform.randomCrop(2, 2, padding: n)(Tensor.ones(1, 3, 4, 4)) },
    ]
  }

  static func steps(_ n: Int) -> [() -> Any] {
    func rates(_ schedule: some LearningRateSchedule) -> Any {
      [schedule.learningRate(at: n, base: 1), schedule.learningRate(at: 3, base: 1)]
        + [schedule.momentum(at: n) ?? 0]
    }
    return [
      { rates(Cyclic(maximum: 1, up: n)) }, { rates(Cyclic(maximum: 1, up: 2, down: n)) },
      { rates(OneCycle(maximum: 1, totalSteps: n)) }, { rates(StepDecay(every: n)) },
      { rates(MultiStepDecay(at: [n, 2])) }, { rates(ExponentialDecay(factor: 0.5)) },
      { rates(LinearWarmup(steps: n)) }, { rates(CosineAnnealing(steps: n)) },
      { rates(CosineAnnealing(steps: n, restarts: true, growth: 2)) },
      { rates(CosineAnnealing(steps: 2, restarts: true, growth: n)) },
      { rates(PolynomialDecay(steps: n)) },
      { rates(SequentialSchedule([StepDecay(every: 1), StepDecay(every: n)], at: [n])) },
      { rates(ChainedSchedule(StepDecay(every: n), LinearWarmup(steps: n))) },
      { ReduceOnPlateau(SGD([Parameter(.ones(1))], learningRate: 1), patience: n, cooldown: n) },
    ]
  }

  static func data(_ n: Int) -> [() -> Any] {
    let data = TensorDataset(Tensor.ones(4, 2))
    func batches(_ loader: DataLoader<TensorDataset>) -> Any {
      loader.reduce(0) { $0 + $1[0].shape[0] }
    }
    return [
      { batches(DataLoader(data, batchSize: n)) },
      { batches(DataLoader(data, workers: 0, prefetch: n)) },
      { batches(DataLoader(data, batchSize: n, dropLast: true)) },
      { batches(DataLoader(data, batchSize: 3, workers: n > 9 ? n : 0)) },
      { batches(DataLoader(data, batchSize: 2, sampler: SubsetSampler([n, 0]))) },
      {
        batches(
          DataLoader(data, sampler: WeightedSampler(weights: [1, 1, 1, 1], count: n)))
      },
      { batches(DataLoader(data, sampler: DistributedSampler(rank: n, of: 2))) },
      { batches(DataLoader(data, sampler: DistributedSampler(rank: 0, of: n))) },
      { batches(DataLoader(data, sampler: DistributedSampler(rank: 0, of: 2, seed: n))) },
      { Subset(data, [0, n]).count }, { data.randomSplit([n, 1]).count },
      { batches(DataLoader(data, sampler: SampleOrder(count: n) { count, _ in [count - 1] })) },
      { restored(DataLoaderState(generator: Generator(seed: 1).state, batch: n)) },
      { restored(DataLoaderState(generator: Generator(seed: 1).state, batch: 1, epoch: n)) },
    ]
  }

  /// What is left for loaders that are restored from a state: batches, or the text of an error.
  private static func restored(_ state: DataLoaderState) -> Any {
    do {
      let loader = DataLoader(TensorDataset(Tensor.ones(4, 2)), workers: 1)
      try loader.restore(state)
      var left = loader.map { $0[0].count }
      for prefetch in [0, 2] {
        let stream = StreamLoader(StreamLoaderTests.Numbers(), prefetch: prefetch)
        try stream.restore(state)
        left += stream.map { $0[0].count }
      }
      return left
    } catch {
      return "\(error)"
    }
  }

  /// Calls that take no size of a result.
  static func others(_ n: Int) -> [() -> Any] {
    let plane = Tensor.ones(1, 2, 4, 4)
    let network = Sequential(Linear(2, 2), ReLU())
    return [
      { MagnitudeHistogram.bounds(of: n) }, { network[n](Tensor.ones(2)) },
      { network.watch(every: n).report() },
      { Upsample(size: Extents(n))(plane) }, { Upsample(scaleFactor: [Double(n)])(plane) },
      { Upsample(size: [n, 2], mode: .bilinear)(plane) },
      { ZeroPad3d(Extents(n))(Tensor.ones(1, 2, 4, 4, 4)) },
      { ConstantPad1d(Extents(n), value: 1)(plane[0]) },
      { ConstantPad3d(Extents(n), value: 1)(Tensor.ones(1, 2, 4, 4, 4)) },
      { lpPool1d(Tensor.ones(1).broadcast(to: [1, 1, n]), p: 2, kernelSize: 2) },
      {
        AdaptiveAvgPool2d(AdaptiveSize([1]))(Tensor.ones(1).broadcast(to: [1, 1, 2, n]))
      },
    ]
  }

  /// A negative or impossible position of a loader is an error that says so.
  @Test func positionsOfLoaders() {
    for (batch, epoch) in [(-1, 0), (0, -1), (Int.max, 0), (0, Int.max)] {
      let state = DataLoaderState(generator: Generator(seed: 1).state, batch: batch, epoch: epoch)
      #expect("\(Self.restored(state))".contains("batch \(batch) of epoch \(epoch)"))
    }
    let late = DataLoaderState(generator: Generator(seed: 1).state, batch: Int.max - 1)
    #expect((Self.restored(late) as? [Int])?.isEmpty == true)
  }

  @Test func anErrorOrAResult() async {
    let result = await #expect(
      processExitsWith: .success,
      observing: [\.standardOutputContent, \.standardErrorContent]
    ) {
      var (count, results, errors) = (0, 0, 0)
      for number in ExtremeOptionTests.numbers {
        let calls = [
          ExtremeOptionTests.layers, ExtremeOptionTests.windows, ExtremeOptionTests.functions,
          ExtremeOptionTests.steps, ExtremeOptionTests.data, ExtremeOptionTests.others,
        ].flatMap { $0(number) }
        count = calls.count
        for (index, call) in calls.enumerated() {
          do {
            try catchingTensorErrors {
              if let tensor = call() as? Tensor, tensor.count < 1 << 20 { tensor.evaluated() }
            }
            results += 1
          } catch let error as TensorError {
            if error.reason.isEmpty || error.call.isEmpty {
              fatalError("\(index) \(number): \(error)")
            }
            errors += 1
          } catch {
            fatalError("\(index) with \(number): \(error)")
          }
        }
      }
      let text = "\(count) calls with 7 numbers each: \(results) results, \(errors) errors"
      print(text)
      if count < 170 || results < 250 || errors < 400 { fatalError(text) }
    }
    // The counts, or what went wrong.
    let output = (result?.standardOutputContent ?? []) + (result?.standardErrorContent ?? [])
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
    for line in lines where line.contains("each") || line.contains("Fatal") { print(line) }
  }
}
