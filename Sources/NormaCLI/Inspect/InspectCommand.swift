import ArgumentParser
import Norma
import NormaExplain

/// `norma inspect`: what is in a file.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is in a file: tensors, types, sizes, normalization layers.",
    discussion: """
      It opens checkpoints of PyTorch (.pt, .pth, .bin, .ckpt), safetensors (also in several \
      files, by their index or their folder), .npy, .npz, IDX, images, ONNX and checkpoints of \
      Norma, told apart by their content. Files of other kinds are named, with the way out. No \
      code in a file is ever run.

      Tensors are a tree by their names; blocks that repeat are printed once, with --all each \
      time. Normalization layers are listed with the scale and the shift that they apply in \
      evaluation, dead channels, statistics that were never trained, and values that are not \
      finite. Of an ONNX model it shows inputs, outputs, operators with counts, and all that is \
      unsupported. With --stats all tensors are read and summarized.

      EXAMPLES:
        norma inspect model.pt
        norma inspect --stats model.safetensors
        norma inspect --json checkpoint.ckpt

      EXIT STATUS:
        0 when the file was read; 2 when it cannot be used; 64 for wrong options.
      """)

  @Argument(help: ArgumentHelp("The file, or the folder of several.", valueName: "file"))
  var file: String

  @Flag(help: "Read all tensors and summarize their values.")
  var stats = false

  @Flag(help: "Print every block and every note in full.")
  var all = false

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    do {
      let inspection = try FileInspection.of(file, withValues: stats)
      Terminal.show(
        json
          ? try encoded(inspection)
          : inspection.text(style: Terminal.style, showsAll: all || stats))
    } catch {
      warn(error)
      throw ExitCode(2)
    }
  }
}
