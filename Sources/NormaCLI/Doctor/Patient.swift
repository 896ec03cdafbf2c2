import Norma
import NormaExplain

/// A saved network with its data, for `norma doctor`.
final class Patient {
  private var saved: Checkpoint
  private var options: TrainingOptions
  private let network: ResidualNetwork
  private let data: ClothingData
  /// The number of training steps.
  private let steps: Int

  init(checkpoint path: String, data folder: String) throws {
    saved = try Checkpoint(contentsOf: path)
    options = try TrainingOptions(saved, path: path)
    guard let steps = saved.notes["step"].flatMap({ Int($0) }), steps >= 0 else {
      throw CheckpointError(path: path, problem: "lacks the number of steps")
    }
    self.steps = steps
    network = try ResidualNetwork(saved, options, path: path)
    data = try ClothingData(folder: folder)
    if let last = options.freezeStatistics {
      for norm in network.norms { norm.updatesRunningStatistics = steps < last }
    }
  }

  /// The diagnosis.
  func examined(count: Int) throws -> DoctorReport {
    DoctorReport(
      steps: steps, options: options, diagnosis: try diagnosis(count),
      accuracy: try accuracy(), repair: nil)
  }

  /// The diagnoses before and after the running statistics are recomputed; the repaired network is
  /// written to `path`.
  func repaired(count: Int, to path: String) throws -> DoctorReport {
    var report = try examined(count: count)
    let images = data.training.count
    let loader = DataLoader(data.training, batchSize: 500)
    let layers = try catchingTensorErrors {
      try recalibrate(network, over: loader) {
        Terminal.showProgress("recalibrating: batch \($0.batches) of \(loader.count)")
      }
    }
    // The new statistics replace those of the whole training, so that a run can continue from them.
    for norm in network.norms { norm.numBatchesTracked?.value = Tensor(Int64(steps)) }
    if let last = options.freezeStatistics, last <= steps {
      options.freezeStatistics = nil
      for norm in network.norms { norm.updatesRunningStatistics = true }
    }
    report.repair = DoctorReport.Repair(
      checkpoint: path, images: images, layers: layers, diagnosis: try diagnosis(count),
      accuracy: try accuracy())
    saved.model = network.stateDict()
    saved.notes[TrainingOptions.note] = try options.text()
    try saved.write(to: path)
    return report
  }

  private func diagnosis(_ count: Int) throws -> Diagnosis {
    Terminal.showProgress("diagnosing the layers")
    let images = data.training.batch(Array(0..<min(count, data.training.count)))[0]
    return try catchingTensorErrors {
      network.diagnosis(on: images, batches: steps, batchSize: options.batch)
    }
  }

  private func accuracy() throws -> Double {
    let total = data.test.count
    return try catchingTensorErrors {
      try network.evaluate(data.test) {
        Terminal.showProgress("classifying: image \($0) of \(total)")
      }.accuracy
    }
  }
}
