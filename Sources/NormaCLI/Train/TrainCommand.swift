import ArgumentParser
import Foundation
import Norma
import NormaDistributed
import NormaTensor

/// `norma train`: a residual network on Fashion-MNIST, or any data in the same format.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a small residual network on Fashion-MNIST.",
    discussion: """
      Six residual blocks with batch norm, SGD with Nesterov momentum and weight decay, and one \
      cycle of the learning rate. Shows loss, accuracy, images per second and the remaining time; \
      evaluates after every epoch; ends with the confusion matrix.

      A checkpoint is written after every epoch and when a signal stops the run: Ctrl-C, SIGTERM \
      from a container or a batch queue, SIGHUP from a closed terminal. A run that is resumed from \
      one, with the same number of threads, gives the same bits as one that was never stopped.

      EXAMPLES:
        norma train --data /usr/share/datasets/fashion-mnist
        norma train --data DIR --epochs 10 --width 32 --out wide.safetensors
        norma train --data DIR --resume wide.safetensors
        norma train --data DIR --bn-momentum 0.001 --out wrong.safetensors
        mpirun -n 4 norma train --distributed --data DIR

      EXIT STATUS:
        0 when training is done, 128 plus the number of the signal that stopped it (130 after \
      Ctrl-C), 1 when a file cannot be used, 64 for wrong options.
      """)

  @Option(
    help: ArgumentHelp(
      "A folder with the four MNIST files (train-images-idx3-ubyte ...), optionally .gz.",
      valueName: "dir"))
  var data: String

  @Option(
    help: ArgumentHelp(
      "Passes over the training images. (default: \(Self.defaultEpochs))", valueName: "n"))
  var epochs: Int?

  @Option(help: ArgumentHelp("Stop after this many steps.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Images per step. (default: \(Self.defaultBatch))", valueName: "n"))
  var batch: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The largest learning rate of the cycle. (default: \(Self.defaultRate))", valueName: "number")
  )
  var lr: Double?

  @Option(
    help: ArgumentHelp(
      "Channels of the first blocks. (default: \(Self.defaultWidth))", valueName: "n"))
  var width: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The seed of the initial values and of the order of images. (default: \(Self.defaultSeed))",
      valueName: "n"))
  var seed: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The share of a new batch in the running statistics of batch norm. (default: 0.1)",
      valueName: "number"))
  var bnMomentum: Double?

  @Option(
    help: ArgumentHelp(
      "Update the running statistics only for this many steps, and freeze them afterwards: a "
        + "mistake for trying norma doctor.",
      valueName: "steps"))
  var freezeStatistics: Int?

  @Option(help: ArgumentHelp("Threads to use. (default: all cores)", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Where to write checkpoints. (default: the file of --resume, or \(Self.defaultOutput))",
      valueName: "file"))
  var out: String?

  @Option(help: ArgumentHelp("Continue from a checkpoint, with its options.", valueName: "file"))
  var resume: String?

  @Flag(
    help: ArgumentHelp(
      "Train in all processes that mpirun starts: each has a part of every batch, and batch norm "
        + "is that of whole batches. Needs a build with the package trait MPI."))
  var distributed = false

  @Option(
    help: ArgumentHelp(
      "How long a process waits for the others. (default: 600)", valueName: "seconds"))
  var timeout: Int?

  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    for (name, value) in [
      ("epochs", epochs), ("steps", steps), ("batch", batch), ("width", width),
      ("threads", threads), ("timeout", timeout),
    ] {
      if let value, value < 1 { throw ValidationError("--\(name) must be at least 1") }
    }
    if timeout != nil && !distributed {
      throw ValidationError("--timeout is for --distributed")
    }
    if let lr, !(lr > 0) { throw ValidationError("--lr must be positive") }
    if let bnMomentum, !(0...1).contains(bnMomentum) {
      throw ValidationError("--bn-momentum must be from 0 to 1")
    }
    if let freezeStatistics, freezeStatistics < 0 {
      throw ValidationError("--freeze-statistics must not be negative")
    }
    guard resume != nil else { return }
    let given =
      [epochs, steps, batch, width, seed, freezeStatistics].contains { $0 != nil }
      || lr != nil || bnMomentum != nil
    if given {
      throw ValidationError(
        "a resumed run has the options of its checkpoint; leave out --epochs, --steps, --batch, "
          + "--lr, --width, --seed, --bn-momentum and --freeze-statistics")
    }
  }

  static let (defaultEpochs, defaultBatch, defaultRate) = (3, 128, 0.1)
  static let (defaultWidth, defaultSeed) = (16, 0)
  private static let defaultOutput = "norma-train.safetensors"

  /// The path of checkpoints.
  private var target: String { out ?? resume ?? Self.defaultOutput }

  func run() throws {
    var signal = 0
    if distributed {
      let limit = timeout.map { Duration.seconds($0) } ?? ProcessGroup.defaultTimeout
      signal = try ProcessGroup.withMPI(timeout: limit) { group in
        do {
          if threads == nil { TensorThreads.count = group.ownThreads }
          return try train(over: group)
        } catch let error as FileError {
          throw DataError(plainText(error))
        }
      }
    } else {
      signal = try train(over: .single)
    }
    if signal != 0 { throw ExitCode(Int32(128 + signal)) }
  }

  /// Trains; returns the number of the signal that stopped it, or 0.
  private func train(over group: ProcessGroup) throws -> Int {
    if group.rank == 0 { try OutputPath.check(target, option: "--out") }
    if let threads { TensorThreads.count = threads }
    let checkpoint = try resume.map { try Checkpoint.shared(from: $0, over: group) }
    let options =
      if let checkpoint, let resume {
        try TrainingOptions(checkpoint, path: resume)
      } else {
        TrainingOptions(
          epochs: epochs ?? Self.defaultEpochs, steps: steps, batch: batch ?? Self.defaultBatch,
          learningRate: lr ?? Self.defaultRate, width: width ?? Self.defaultWidth,
          seed: seed ?? Self.defaultSeed, bnMomentum: bnMomentum,
          freezeStatistics: freezeStatistics)
      }
    let run = try TrainingRun(options, try ClothingData(folder: data), over: group)
    if let checkpoint, let resume {
      let before = try run.restore(checkpoint, path: resume)
      if before != TensorThreads.count, group.rank == 0 {
        warn(
          "the checkpoint was written with \(before) threads and this run has "
            + "\(TensorThreads.count): results will differ in their last bits")
      }
      let processes = checkpoint.notes["processes"].flatMap { Int($0) } ?? 1
      if processes != group.count, group.rank == 0 {
        warn(
          "the checkpoint was written by \(processes) processes and this run has \(group.count): "
            + "the order of the data is the same, and results will differ in their last bits")
      }
    }
    return try train(run, group)
  }

  private func train(_ run: TrainingRun, _ group: ProcessGroup) throws -> Int {
    Interruption.watch()
    var display = TrainingDisplay(
      isJSON: json, isShown: group.rank == 0, total: run.totalSteps, perEpoch: run.stepsPerEpoch)
    var matrix: ConfusionMatrix?
    while run.step < run.totalSteps {
      let epoch = run.step / run.stepsPerEpoch + 1
      display.beginEpoch()
      var signal = 0
      let isWhole = try run.trainEpoch { step in
        display.add(step)
        signal = step.signal
        return signal == 0
      }
      if !isWhole && signal != 0 {
        if group.rank == 0 {
          Terminal.showProgress(nil)
          try run.checkpoint().write(to: target, keepingPrevious: group.count > 1)
          warn(
            "stopped after step \(run.step) of \(run.totalSteps); continue with "
              + "norma train --data \(data) --resume \(target)")
        }
        return signal
      }
      // Written before the evaluation, so that ending the process during it loses nothing.
      if group.rank == 0 {
        try run.checkpoint().write(to: target, keepingPrevious: group.count > 1)
      }
      let start = ContinuousClock.now
      let test = try run.network.evaluate(run.data.test, over: group)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      try display.endEpoch(epoch, test: test, testRate: Double(test.total) / seconds)
      matrix = test
    }
    let final = try matrix ?? run.network.evaluate(run.data.test, over: group)
    if group.rank > 0 { return 0 }
    if json {
      try TrainingDisplay.showJSON(
        Summary(
          firstLosses: display.firstLosses, imagesPerSecond: display.rate,
          testAccuracy: final.accuracy, confusion: final.counts, checkpoint: target,
          threads: TensorThreads.count, processes: group.count > 1 ? group.count : nil,
          hiddenCommunication: group.count > 1 ? run.communication.hidden : nil,
          peakTensorBytes: TensorMemory.usage.peak))
    } else {
      Terminal.show("\n\(final.text)\n")
      Terminal.show(
        "test accuracy \(decimal(final.accuracy * 100, 2)) % of \(final.total) images; "
          + "checkpoint in \(target)")
    }
    return 0
  }

  private struct Summary: Encodable {
    let firstLosses: [Double]
    let imagesPerSecond, testAccuracy: Double
    let confusion: [[Int]]
    let checkpoint: String
    let threads: Int
    let processes: Int?
    let hiddenCommunication: Double?
    let peakTensorBytes: Int
  }
}

/// A line on standard error, if that is still open.
func warn(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data("norma: \(text)\n".utf8))
}

/// An error as a line on standard error.
func warn(_ error: any Error) {
  warn((error as? FileError).map(plainText) ?? "\(error)")
}

/// The problem with a file, without the call that found it, which users of the command do not know.
func plainText(_ error: FileError) -> String { "\(error.path) \(error.problem): \(error.detail)" }
