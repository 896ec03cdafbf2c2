import ArgumentParser
import Norma

/// The `norma` command.
@main
struct NormaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "norma",
    abstract: "Tensors, statistics and normalization that explains itself.",
    version: "norma \(version)",
    subcommands: [
      ExplainCommand.self, CompareCommand.self, CaptureCommand.self, DoctorCommand.self,
      InspectCommand.self, ConvertCommand.self, TrainCommand.self, PredictCommand.self,
      RunCommand.self, DistributedCommand.self, BenchCommand.self,
    ])

  /// What `norma --version` prints.
  static let version = "0.1.0-dev"

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      exit(withError: (error as? FileError).map { DataError(plainText($0)) } ?? error)
    }
  }
}
