import Foundation
import Norma

/// The options of a training run; part of its checkpoints.
struct TrainingOptions: Codable, Equatable {
  var epochs: Int
  /// The number of steps after which to stop; nil trains whole epochs.
  var steps: Int?
  var batch: Int
  var learningRate: Double
  var width: Int
  var seed: Int
  /// The share of a new batch in running statistics; nil for 0.1.
  var bnMomentum: Double?
  /// The step after which running statistics are frozen; nil if they are updated to the end.
  var freezeStatistics: Int?

  /// The name of the checkpoint note with the options.
  static let note = "training"

  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  init(
    epochs: Int, steps: Int?, batch: Int, learningRate: Double, width: Int, seed: Int,
    bnMomentum: Double? = nil, freezeStatistics: Int? = nil
  ) {
    self.epochs = epochs
    self.steps = steps
    self.batch = batch
    self.learningRate = learningRate
    self.width = width
    self.seed = seed
    self.bnMomentum = bnMomentum
    self.freezeStatistics = freezeStatistics
  }

  /// The options of the run that wrote a checkpoint.
  init(_ checkpoint: Checkpoint, path: String) throws {
    guard let text = checkpoint.notes[Self.note],
      let options = try? JSONDecoder().decode(Self.self, from: Data(text.utf8))
    else {
      throw CheckpointError(path: path, problem: "was not written by norma train")
    }
    guard options.isInRange else {
      throw CheckpointError(path: path, problem: "has invalid options: \(text)")
    }
    self = options
  }

  /// Whether a network of this size can be built, as anyone may have written the options.
  private var isInRange: Bool {
    epochs > 0 && batch > 0 && (1...4096).contains(width) && learningRate > 0
      && learningRate.isFinite && steps ?? 1 > 0 && (0...1).contains(bnMomentum ?? 0.1)
      && freezeStatistics ?? 0 >= 0
  }
}
