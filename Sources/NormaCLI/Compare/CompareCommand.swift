import ArgumentParser
import Foundation
import Norma
import NormaExplain

/// `norma compare`: where two normalization layers differ on an input, and because of which option.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract:
      "Compare two captured networks, or two normalization layers on your data.",
    discussion: """
      For two captures of the same network (a port, a conversion, two versions), made by \
      norma_capture.py with the same batch, it finds the first layer whose inputs agree but whose \
      outputs differ, and names the option, parameter or buffer that makes the difference. Layer \
      names may differ.

      Two layers get the same input. The difference of their results, and of their running \
      statistics after the call, is divided among the options that differ; the shares and the \
      unexplained rest add up to 100 %, and a negative share hides a part of the others. Where \
      options hide most of each other, each is shown with its effect alone.

      A layer is pytorch, keras, flax or mlx for batch norm as in that framework, or JSON, also in \
      a file, with some of: layer (the names of norma explain --layer), convention, eps, momentum, \
      groups, last-axes, training, state, a .safetensors file with its weight, bias and running \
      statistics, and name, the layer's name in a file with more than this layer.

      EXAMPLES:
        norma compare mine.safetensors port.safetensors
        norma compare keras pytorch --input x.npy
        norma compare '{"layer": "groupnorm", "groups": 8}' '{"layer": "layernorm"}' --input x.npy
        norma compare mine.json theirs.json --input x.npy --json

      EXIT STATUS:
        0 when they do the same, up to rounding; 1 when they differ; 2 when a file cannot be used; \
      64 for wrong options.
      """)

  @Argument(help: ArgumentHelp("A framework, a layer in JSON, or a capture.", valueName: "layer"))
  var first: String

  @Argument(help: ArgumentHelp("Another one.", valueName: "layer"))
  var second: String

  @Option(help: ArgumentHelp("The input of both layers, .npy or IDX.", valueName: "file"))
  var input: String?

  @Option(help: ArgumentHelp("Read only this many items of the first axis.", valueName: "items"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "The axes of the file: n items, c channels, d h w l space, such as nchw or nhwc.",
      valueName: "axes"))
  var layout: DataLayout?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print all layers of captures.")
  var details = false

  @OptionGroup var page: ReportOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
  }

  func run() throws {
    let isSame: Bool
    do {
      isSame = try show()
    } catch let error as ValidationError {
      throw error
    } catch {
      warn(error)
      throw ExitCode(2)
    }
    if !isSame { throw ExitCode(1) }
  }

  /// Prints the comparison, and returns whether nothing differs.
  private func show() throws -> Bool {
    if let found = try captures() {
      let comparison = compareCaptures(found.first, found.second, names: (first, second))
      Terminal.show(
        json
          ? try encoded(comparison)
          : comparison.text(style: Terminal.style, showsAll: details))
      let names = [first, second].map { URL(filePath: $0).lastPathComponent }
      let title = names[0] == names[1] ? nil : "\(names[0]) and \(names[1])"
      try page.write { comparison.report(title: title, captures: found) }
      return comparison.isSame
    }
    let layers = try layers()
    let comparison = try compared(layers)
    Terminal.show(json ? try encoded(comparison) : comparison.text(style: Terminal.style))
    try page.write {
      let results = (layers.first.layer(layers.x), layers.second.layer(layers.x))
      return comparison.report(samples: [("input", layers.x)], results: results)
    }
    return comparison.isSame
  }

  /// Both captures; nil if neither argument is one.
  func captures() throws -> (first: NetworkCapture, second: NetworkCapture)? {
    let paths = [first, second]
    let files = paths.map { try? SafeTensors(contentsOf: $0) }
    let areCaptures = files.map { $0.map(NetworkCapture.isCapture) ?? false }
    guard areCaptures.contains(true) else { return nil }
    if let other = zip(paths, areCaptures).first(where: { !$1 })?.0 {
      let capture = other == first ? second : first
      throw DataError(
        "\(capture) is a capture and \(other) is not: a capture can only be compared with another "
          + "capture of the same batch")
    }
    if input != nil || count != nil || layout != nil {
      throw ValidationError(
        "--input, --count and --layout are for two layers; captures contain their own samples")
    }
    return (try NetworkCapture(contentsOf: first), try NetworkCapture(contentsOf: second))
  }

  func comparison() throws -> LayerComparison { try compared(layers()) }

  private typealias Named = (layer: any Layer, name: String)

  private func compared(
    _ layers: (first: Named, second: Named, x: Tensor)
  ) throws -> LayerComparison {
    try catchingTensorErrors {
      compareLayers(
        layers.first.layer, layers.second.layer, on: layers.x,
        names: (layers.first.name, layers.second.name))
    }
  }

  private func layers() throws -> (first: Named, second: Named, x: Tensor) {
    guard let input else {
      throw ValidationError("Two layers need --input; without it, name two captures")
    }
    let x = try DataLayout.read(input, count: count, layout: layout)
    let found = try [first, second].map { try ComparedLayer($0) }
    return (
      (try found[0].made(for: x.shape), found[0].name),
      (try found[1].made(for: x.shape), found[1].name), x
    )
  }
}
