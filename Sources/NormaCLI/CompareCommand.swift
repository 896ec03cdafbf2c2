import ArgumentParser
import Foundation
import Norma
import NormaExplain

/// `norma compare`: where two normalization layers differ on one input, and by which option.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract:
      "Compare two normalization layers, or the conventions of two frameworks, on your data.",
    discussion: """
      Both layers get the same input. The difference of their results, and of their running \
      statistics after the call, is divided among the options in which they differ; the shares and \
      the unexplained rest add up to 100 %, and a negative share hides a part of the others.

      A layer is pytorch, keras, flax or mlx for batch norm as that framework has it, or JSON, \
      also in a file, with some of: layer (the names of norma explain --layer), convention, eps, \
      momentum, groups, last-axes, training, state, a .safetensors file with its weight, bias and \
      running statistics, and name, the layer's name in a file that holds more than this layer.

      EXAMPLES:
        norma compare keras pytorch --input x.npy
        norma compare '{"layer": "groupnorm", "groups": 8}' '{"layer": "layernorm"}' --input x.npy
        norma compare mine.json theirs.json --input x.npy --json

      EXIT STATUS:
        0 when they were compared, 1 when a file cannot be used, 64 for wrong options.
      """)

  @Argument(help: ArgumentHelp("A framework, or a layer in JSON.", valueName: "layer"))
  var first: String

  @Argument(help: ArgumentHelp("Another one.", valueName: "layer"))
  var second: String

  @Option(help: ArgumentHelp("The input of both, .npy or IDX.", valueName: "file"))
  var input: String

  @Option(help: ArgumentHelp("Read only so many items of the first axis.", valueName: "items"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "The axes of the file: n items, c channels, d h w l places, such as nchw or nhwc.",
      valueName: "axes"))
  var layout: DataLayout?

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var page: ReportOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
  }

  func run() throws {
    do {
      let comparison = try comparison()
      try page.write { comparison.report() }
      Terminal.show(json ? try encoded(comparison) : comparison.text(style: Terminal.style))
    } catch {
      warn("\(error)")
      throw ExitCode(1)
    }
  }

  func comparison() throws -> LayerComparison {
    let x = try DataLayout.read(input, count: count, layout: layout)
    let layers = try [first, second].map(ComparedLayer.init)
    let (a, b) = (try layers[0].made(for: x.shape), try layers[1].made(for: x.shape))
    return try catchingTensorErrors {
      compare(a, b, on: x, names: (layers[0].name, layers[1].name))
    }
  }
}
