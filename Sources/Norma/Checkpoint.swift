import Foundation

/// A training run at rest: everything that is needed to go on as if it had never stopped.
///
/// One safetensors file, which any reader of that format opens: tensors `model.<name>`,
/// `optimizer.<place>.<name>` and `generator.<name>`, and notes, among them `format` and `version`. Version 1,
/// of which the optimizer's state had fewer options and one number of steps for all parameters, is read, too.
/// Written whole or not at all.
///
///     var checkpoint = Checkpoint(model: network.stateDict())
///     checkpoint.optimizer = optimizer.state
///     try checkpoint.encode(scaler, as: "scaler")
///     try checkpoint.write(to: "run.safetensors")
///
/// PyTorch: `torch.save({...})`.
public struct Checkpoint: Sendable {
  /// Parameters and buffers by name; of a checkpoint that was read, in the order of the file.
  public var model: StateDict
  /// The optimizer's numbers and tensors.
  public var optimizer: OptimizerState?
  /// Where the loader stands in its epoch.
  public var loader: DataLoaderState?
  /// States of generators by name, such as `default`.
  public var generators: [String: [UInt8]] = [:]
  /// What else the program wants to remember: options, the epoch, the number of threads.
  public var notes: [String: String] = [:]
  /// The file that it was read from, for errors.
  private(set) var path = "the checkpoint"

  private static let format = "norma.checkpoint"
  private static let version = "2"

  /// A checkpoint of a model's state.
  public init(model: StateDict) { self.model = model }

  /// Writes the checkpoint; a file of this name is replaced when the new one is complete.
  /// - Throws: `FileError`.
  public func write(to path: String) throws {
    var tensors: [String: Tensor] = [:]
    var metadata = notes
    metadata["format"] = Checkpoint.format
    metadata["version"] = Checkpoint.version
    for (name, tensor) in model { tensors["model.\(name)"] = tensor }
    if let optimizer {
      for (name, tensor) in optimizer.tensors { tensors["optimizer.\(name)"] = tensor }
      metadata["optimizer"] = try Checkpoint.text(
        OptimizerNumbers(groups: optimizer.groups, stepCount: optimizer.stepCount))
    }
    for (name, state) in generators { tensors["generator.\(name)"] = Tensor(state) }
    if let loader {
      tensors["loader.generator"] = Tensor(loader.generator)
      metadata["loader.batch"] = String(loader.batch)
      metadata["loader.epoch"] = String(loader.epoch)
    }
    try SafeTensors.write(tensors, metadata: metadata, to: path)
  }

  /// Whether the notes of a file say that it is a checkpoint.
  static func isNamed(in metadata: [String: String]) -> Bool {
    metadata["format"] == format
  }

  /// Reads a checkpoint.
  /// - Throws: `FileError` for a file that is cut off or broken, ``CheckpointError`` for one that is
  ///   something else.
  public init(contentsOf path: String) throws {
    let file = try SafeTensors(contentsOf: path)
    guard Checkpoint.isNamed(in: file.metadata) else {
      throw CheckpointError(
        path: path,
        problem: "is a safetensors file with \(file.entries.count) tensors, but no checkpoint of "
          + "Norma: its notes lack format \(Checkpoint.format)")
    }
    let version = file.metadata["version"] ?? "?"
    guard version == "1" || version == Checkpoint.version else {
      throw CheckpointError(
        path: path,
        problem: "has version \(version); this program reads 1 to \(Checkpoint.version)")
    }
    self.path = path
    model = [:]
    var optimizerTensors: [String: Tensor] = [:]
    var loaderGenerator: [UInt8]?
    for entry in file.entries {
      guard let dot = entry.name.firstIndex(of: ".") else { continue }
      let name = String(entry.name[entry.name.index(after: dot)...])
      let tensor = try file.tensor(named: entry.name)
      switch entry.name[..<dot] {
      case "model": model[name] = tensor
      case "optimizer": optimizerTensors[name] = tensor
      case "generator": generators[name] = tensor.array(of: UInt8.self)
      case "loader": loaderGenerator = tensor.array(of: UInt8.self)
      default: break
      }
    }
    notes = file.metadata
    if let text = notes["optimizer"] {
      guard let numbers = OptimizerNumbers(text, version: version) else {
        throw CheckpointError(path: path, problem: "has a note \"optimizer\" that cannot be read")
      }
      optimizer = OptimizerState(
        groups: numbers.groups, tensors: optimizerTensors, stepCount: numbers.stepCount)
    }
    if let loaderGenerator, let batch = notes["loader.batch"].flatMap({ Int($0) }) {
      loader = DataLoaderState(
        generator: loaderGenerator, batch: batch,
        epoch: notes["loader.epoch"].flatMap { Int($0) } ?? 0)
    }
  }

  private struct OptimizerNumbers: Codable {
    var groups: [OptimizerState.Group]
    var stepCount: Int

    /// What version 1 had in its place.
    private struct First: Codable {
      var groups: [[String: Double]]
      var stepCount: Int
    }

    init(groups: [OptimizerState.Group], stepCount: Int) {
      self.groups = groups
      self.stepCount = stepCount
    }

    /// Nil for a text that is something else.
    init?(_ text: String, version: String) {
      let data = Data(text.utf8)
      let decoder = Checkpoint.decoder
      if version == "1" {
        guard let first = try? decoder.decode(First.self, from: data) else { return nil }
        groups = first.groups.map { OptimizerState.Group(numbers: $0) }
        stepCount = first.stepCount
      } else {
        guard let read = try? decoder.decode(Self.self, from: data) else { return nil }
        self = read
      }
    }
  }
}

/// A file that is in order and is no checkpoint, or does not fit the run.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong with it.
  public let problem: String

  /// An error about a file.
  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  /// The file and what is wrong with it.
  public var description: String { "\(path) \(problem)" }
}
