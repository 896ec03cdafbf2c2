import ArgumentParser

/// The `norma` command.
@main
struct NormaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "norma",
    abstract: "Tensors, statistics and normalization that explains itself.",
    subcommands: [
      ExplainCommand.self, CompareCommand.self, CaptureCommand.self, DoctorCommand.self,
      TrainCommand.self, PredictCommand.self, BenchCommand.self,
    ])
}
