import Foundation
import Norma
import NormaDistributed
import NormaTensor

/// A training run: the network, its optimizer, and its position; in several processes, each with a
/// part of every batch.
final class TrainingRun {
  let options: TrainingOptions
  let network: ResidualNetwork
  let data: ClothingData
  private let norms: [BatchNorm]
  private let optimizer: SGD
  private let scheduler: Scheduler
  private let loader: DataLoader<ShardedDataset<TensorDataset>>
  private let group: ProcessGroup
  private let parallel: DistributedDataParallel<ResidualNetwork>
  /// The exchange of gradients in all steps together.
  private(set) var communication = CommunicationTime()
  /// The number of steps taken.
  private(set) var step = 0

  /// The number of steps in an epoch, and in the whole run.
  var stepsPerEpoch: Int { loader.count }
  let totalSteps: Int

  init(
    _ options: TrainingOptions, _ data: ClothingData, over group: ProcessGroup = .single
  ) throws {
    self.options = options
    self.group = group
    self.data = data
    manualSeed(options.seed)
    network = ResidualNetwork(options)
    if group.count > 1 { SyncBatchNorm.convert(inside: network, over: group) }
    parallel = try DistributedDataParallel(network, over: group)
    norms = network.norms
    optimizer = SGD(
      network.parameters, learningRate: options.learningRate, momentum: 0.9, weightDecay: 5e-4,
      nesterov: true)
    loader = DataLoader(
      data.training.sharded(over: group), batchSize: options.batch,
      sampler: SampleOrder { total, generator in
        withGenerator(&generator) { Tensor.randperm(total).array(of: Int.self) }
      }, dropLast: true, generator: Generator(seed: options.seed))
    guard loader.count > 0 else {
      throw TrainingError(
        "\(data.training.count) training images are fewer than a batch of \(options.batch)")
    }
    totalSteps = options.steps ?? options.epochs * loader.count
    scheduler = Scheduler(
      optimizer, OneCycle(maximum: options.learningRate, totalSteps: totalSteps))
  }

  /// The report of a step to its observer.
  struct Step {
    let number: Int
    let loss: Double
    let correct: Int
    let images: Int
    /// The largest number of a signal that a process has received; 0 without.
    var signal = 0
  }

  /// Trains the rest of the epoch; `observe` returns whether to continue.
  /// - Returns: whether the epoch was finished.
  func trainEpoch(_ observe: (Step) throws -> Bool) throws -> Bool {
    struct Stopped: Error {}
    parallel.train()
    do {
      try loader.forEach { batch in
        let result = try step(batch)
        let isLast = step == totalSteps
        if try !observe(result) || isLast && step % stepsPerEpoch != 0 {
          position = loader.state
          throw Stopped()
        }
      }
    } catch is Stopped {
      return step == totalSteps
    }
    position = nil
    return true
  }

  /// The loader's position if an epoch was interrupted.
  private var position: DataLoaderState?

  /// A step with the numbers of all processes.
  private func step(_ batch: [Tensor]) throws -> Step {
    if group.count == 1 { return trainStep(batch[0], batch[1]) }
    // What a process waits for in vain is an error inside of operations.
    let own = try catchingTensorErrors { trainStep(batch[0], batch[1]) }
    let images = Double(own.images)
    let all = try group.gathered(
      [
        images > 0 ? own.loss * images : 0, Double(own.correct), images,
        Double(Interruption.signal ?? 0),
      ], call: "train")
    func sum(_ index: Int) -> Double { all.reduce(0) { $0 + $1[index] } }
    return Step(
      number: own.number, loss: sum(0) / sum(2), correct: Int(sum(1)), images: Int(sum(2)),
      signal: Int(all.map { $0[3] }.max() ?? 0))
  }

  private func trainStep(_ images: Tensor, _ labels: Tensor) -> Step {
    if let last = options.freezeStatistics {
      for norm in norms { norm.updatesRunningStatistics = step < last }
    }
    let scores = parallel(images)
    let loss = crossEntropy(scores, labels)
    optimizer.zeroGrad()
    loss.backward()
    communication.add(parallel.communicationTime)
    optimizer.step()
    scheduler.step()
    step += 1
    let correct = (scores.argmax(over: 1) .== labels).sum().item()
    return Step(
      number: step, loss: loss.item(), correct: Int(correct), images: images.shape[0],
      signal: Int(Interruption.signal ?? 0))
  }

  // MARK: - Checkpoints

  func checkpoint() throws -> Checkpoint {
    var checkpoint = Checkpoint(model: network.stateDict())
    checkpoint.optimizer = optimizer.state
    checkpoint.loader = position ?? loader.state
    checkpoint.generators["default"] = Generator.current.state
    checkpoint.notes[TrainingOptions.note] = try options.text()
    checkpoint.notes["step"] = String(step)
    checkpoint.notes["threads"] = String(TensorThreads.count)
    if group.count > 1 { checkpoint.notes["processes"] = String(group.count) }
    checkpoint.notes["samples"] = String(data.training.count)
    checkpoint.notes[ClothingData.imageNote] = ClothingData.sizeText(data.imageShape)
    return checkpoint
  }

  /// Continues from a checkpoint.
  /// - Returns: the number of threads of the run that wrote it.
  func restore(_ checkpoint: Checkpoint, path: String) throws -> Int {
    guard let optimizerState = checkpoint.optimizer, let loaderState = checkpoint.loader,
      let step = checkpoint.notes["step"].flatMap({ Int($0) }), (0...totalSteps).contains(step),
      let threads = checkpoint.notes["threads"].flatMap({ Int($0) }),
      let generator = checkpoint.generators["default"]
    else {
      throw CheckpointError(
        path: path, problem: "lacks the optimizer, the position in the data or the step")
    }
    if let samples = checkpoint.notes["samples"], samples != String(data.training.count) {
      throw CheckpointError(
        path: path,
        problem: "comes from a run on \(samples) training images; the folder has "
          + "\(data.training.count)")
    }
    let size = ClothingData.sizeText(data.imageShape)
    if let before = checkpoint.notes[ClothingData.imageNote], before != size {
      throw CheckpointError(
        path: path,
        problem: "comes from a run on images of \(before); the folder has images of \(size)")
    }
    do {
      try network.load(checkpoint.model)
      try optimizer.load(optimizerState)
      try loader.restore(loaderState)
      Generator.current = try Generator(state: generator)
    } catch {
      throw CheckpointError(path: path, problem: "does not fit the run: \(error)")
    }
    self.step = step
    scheduler.stepCount = step
    return threads
  }
}
