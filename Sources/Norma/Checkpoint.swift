import Foundation

/// A saved training run: everything needed to continue as if it had never stopped.
///
/// It is one safetensors file, which any reader of that format opens: tensors `model.<name>`,
/// `optimizer.<index>.<name>` and `generator.<name>`, and notes, among them `format` and `version`.
/// Version 1, whose optimizer state had fewer options and a single step count for all parameters,
/// can be read as well. The file is written completely or not at all.
///
///     var checkpoint = Checkpoint(model: network.stateDict())
///     checkpoint.optimizer = optimizer.state
///     try checkpoint.encode(scaler, as: "scaler")
///     try checkpoint.write(to: "run.safetensors")
///
/// PyTorch: `torch.save({...})`.
public struct Checkpoint: Sendable {
  /// Parameters and buffers by name; in the order of the file for a checkpoint that was read.
  public var model: StateDict
  /// The optimizer's options and tensors.
  public var optimizer: OptimizerState?
  /// The loader's position in its epoch.
  public var loader: DataLoaderState?
  /// States of generators by name, such as `default`.
  public var generators: [String: [UInt8]] = [:]
  /// Anything else to remember: options, the epoch, the number of threads.
  public var notes: [String: String] = [:]
  /// The path that it was read from, for errors.
  private(set) var path = "the checkpoint"

  private static let format = "norma.checkpoint"
  private static let version = "2"

  /// A checkpoint of a model's state.
  public init(model: StateDict) { self.model = model }

  /// Writes the checkpoint; an existing file is replaced when the new one is complete.
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
  /// - Throws: `FileError` for a truncated or damaged file, ``CheckpointError`` for one that is not
  ///   a checkpoint.
  public init(contentsOf path: String) throws {
    try self.init(SafeTensors(contentsOf: path), path: path)
  }

  /// The same for a file that is already in memory; `path` identifies it in errors.
  package init(bytes: [UInt8], path: String) throws {
    try self.init(SafeTensors(bytes: bytes, name: path), path: path)
  }

  private init(_ file: SafeTensors, path: String) throws {
    guard Checkpoint.isNamed(in: file.metadata) else {
      throw CheckpointError(
        path: path,
        problem: "is a safetensors file with \(file.entries.count) tensors, but not a checkpoint "
          + "of Norma: its notes lack format \(Checkpoint.format)")
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

    /// The corresponding part of version 1.
    private struct First: Codable {
      var groups: [[String: Double]]
      var stepCount: Int
    }

    init(groups: [OptimizerState.Group], stepCount: Int) {
      self.groups = groups
      self.stepCount = stepCount
    }

    /// Nil for any other text.
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

/// A valid file that is not a checkpoint, or does not match the run.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
  /// The path of the file.
  public let path: String
  /// The problem.
  public let problem: String

  /// An error about a file.
  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  /// The file and the problem.
  public var description: String { "\(path) \(problem)" }
}
