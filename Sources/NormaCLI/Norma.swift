import ArgumentParser

/// The command line of Norma.
@main
struct NormaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "norma",
    abstract: "Tensors whose heart is statistics and normalization.",
    subcommands: [BenchCommand.self])
}
