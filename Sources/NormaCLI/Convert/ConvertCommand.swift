import ArgumentParser
import Foundation
import Norma
import NormaExplain

/// `norma convert`: the tensors of a file in another format, and under another library's names.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert a file of tensors to another format, or to another library's names.",
    discussion: """
      The input is any file that norma inspect opens; the output is named .safetensors, .pt, .npz \
      or .npy. From a checkpoint with more than the model, the model is converted, unless --all \
      is given.

      With --to, names and layouts become those of another library: weight and kernel with their \
      axes, weight and gamma or scale, running and moving statistics, and recurrent layers with \
      their gates. Several layers or directions of one recurrent module are layers of their own \
      elsewhere: l0, l1, ..., and below them forward and backward. The library of the input is \
      recognized by its names; MLX, whose names are those of PyTorch, needs --from mlx. Every \
      tensor is reported with its new name, shape and what was changed, and every tensor that is \
      left out with the reason.

      EXAMPLES:
        norma convert checkpoint.ckpt model.safetensors
        norma convert keras.npz model.pt --to pytorch
        norma convert model.pth model.npz --to flax --dry-run

      EXIT STATUS:
        0 when everything was converted; 1 when tensors of the model had to be left out; 2 when a \
      file cannot be used; 64 for wrong options.
      """)

  @Argument(help: ArgumentHelp("The file to read.", valueName: "in"))
  var input: String

  @Argument(help: ArgumentHelp("The file to write.", valueName: "out"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "The library of the input's names: pytorch, keras, flax, mlx.", valueName: "library"))
  var from: NameConversion.Library?

  @Option(
    help: ArgumentHelp(
      "The library of the output's names; by default the same.",
      valueName: "library"))
  var to: NameConversion.Library?

  @Flag(help: "Convert all tensors of a checkpoint, not only the model.")
  var all = false

  @Flag(help: "Report what would be done, and write nothing.")
  var dryRun = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard ConvertedFile.Format(path: output) != nil else {
      throw ValidationError(
        "\(output): the output has to end in .safetensors, .pt, .pth, .npz or .npy")
    }
  }

  func run() throws {
    let isComplete: Bool
    do {
      isComplete = try convert()
    } catch {
      warn(error)
      throw ExitCode(2)
    }
    if !isComplete { throw ExitCode(1) }
  }

  /// Converts, and returns whether all of the model was kept.
  private func convert() throws -> Bool {
    guard let format = ConvertedFile.Format(path: output) else { return false }
    if !dryRun { try OutputPath.check(output, option: "the output") }
    var file = try ConvertedFile(input, keepsAll: all)
    let source = from ?? file.library
    let target = to ?? source
    file.conversion.convert(from: source, to: target)
    try file.prepare(for: format)
    let report = ConversionReport(file, input, output, source, target, isWritten: !dryRun)
    if !dryRun { try file.write(to: output, format, library: target) }
    Terminal.show(json ? try encoded(report) : report.text(style: Terminal.style))
    return !file.conversion.isIncomplete
  }
}

extension NameConversion.Library: ExpressibleByArgument {}
