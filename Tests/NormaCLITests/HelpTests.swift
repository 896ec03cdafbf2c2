import ArgumentParser
import Testing

@testable import NormaCLI

/// The help of the command.
@Suite struct HelpTests {
  @Test func version() throws {
    #expect(NormaCommand.configuration.version == "norma \(NormaCommand.version)")
    #expect(NormaCommand.version.split(separator: ".").count >= 3)
    let error = #expect(throws: (any Error).self) {
      _ = try NormaCommand.parseAsRoot(["--version"])
    }
    let request = try #require(error)
    #expect(NormaCommand.exitCode(for: request) == .success)
    #expect(NormaCommand.fullMessage(for: request) == "norma \(NormaCommand.version)")
  }

  /// The defaults in the help are those of a run.
  @Test func defaults() throws {
    let words = TrainCommand.helpMessage().split(whereSeparator: \.isWhitespace)
    let help = words.joined(separator: " ")
    for text in [
      "images. (default: \(TrainCommand.defaultEpochs))",
      "per step. (default: \(TrainCommand.defaultBatch))",
      "cycle. (default: \(TrainCommand.defaultRate))",
      "blocks. (default: \(TrainCommand.defaultWidth))",
      "of images. (default: \(TrainCommand.defaultSeed))", "(default: all cores)",
    ] {
      #expect(help.contains(text), "\(text)")
    }
    for command in NormaCommand.configuration.subcommands {
      #expect(command.helpMessage().contains("USAGE:"), "\(command)")
    }
  }
}
