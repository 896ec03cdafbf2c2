import ArgumentParser
import Foundation
import Norma
import NormaExplain

/// `norma explain`: what a normalization layer does, and why a result differs from it.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explain why your own normalization differs from a layer's.",
    discussion: """
      Alone, it runs seven ways to normalize rand(6, 64, 224, 224) by hand, and says for each \
      why a new BatchNorm2d(64) does not leave the result alone.

      With --input, it explains the layer on your own data: which values a statistic rests on, \
      means, variances, and what epsilon does. With --expect, it also compares the layer's \
      result with yours and splits the difference into causes. The shares of the causes and the \
      unexplained rest add up to 100 %; a negative share hides a part of the others.

      Files are .npy, or IDX and IDX.gz (such as the MNIST files), whose bytes become numbers \
      from 0 to 1.

      EXAMPLES:
        norma explain
        norma explain --input x.npy --expect mine.npy
        norma explain --input y.npy --expect y.npy --from x.npy
        norma explain --input train-images-idx3-ubyte.gz --count 1000
        norma explain --layer groupnorm --groups 8 --input x.npy --expect mine.npy
        norma explain --layer layernorm --weight w.npy --bias b.npy --input x.npy --expect y.npy

      EXIT STATUS:
        0 when the results agree up to rounding, or there is nothing to compare with; 1 when they \
      do not; 2 when a file or its data cannot be used; 64 for wrong options.
      """)

  @Option(help: ArgumentHelp("The layer's input.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp(
      "Your own result. The input itself when the layer should leave it alone.",
      valueName: "file"))
  var expect: String?

  @Option(
    help: ArgumentHelp(
      "What the input was made from; without it some causes cannot be told apart.",
      valueName: "file"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "The layer's kind: batchnorm and instancenorm go by the number of axes.", valueName: "kind"))
  var layer: LayerKind = .batchnorm

  @Option(
    help: ArgumentHelp(
      "The layer's epsilon; without it 1e-5, for rmsnorm PyTorch's.", valueName: "number"))
  var eps: Double?

  @Option(help: ArgumentHelp("The number of groups of groupnorm.", valueName: "number"))
  var groups: Int?

  @Option(
    help: ArgumentHelp(
      "How many of the last axes layernorm and rmsnorm take together.", valueName: "number"))
  var lastAxes = 1

  @Option(help: ArgumentHelp("The layer's weight; without it 1.", valueName: "file"))
  var weight: String?

  @Option(help: ArgumentHelp("The layer's bias; without it 0.", valueName: "file"))
  var bias: String?

  @Option(
    help: ArgumentHelp(
      "Compare with a variance divided by n - number, instead of with --expect.",
      valueName: "number"))
  var correction: Double?

  @Option(help: ArgumentHelp("Read only so many items of the first axis.", valueName: "items"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "The axes of the files: n items, c channels, d h w l places, such as nchw or nhwc.",
      valueName: "axes"))
  var layout: DataLayout?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Also print the causes' identifiers, their shares, and the code of the attempts.")
  var details = false

  @OptionGroup var page: ReportOptions

  func validate() throws {
    if let eps, !(eps > 0) { throw ValidationError("--eps must be positive") }
    if let groups, groups < 1 { throw ValidationError("--groups must be at least 1") }
    if lastAxes < 1 { throw ValidationError("--last-axes must be at least 1") }
    if (groups != nil) != (layer == .groupnorm) {
      throw ValidationError("--groups and --layer groupnorm go together")
    }
    if lastAxes != 1 && layer.hasChannels {
      throw ValidationError("--last-axes is for --layer layernorm and rmsnorm")
    }
    if layout != nil && !layer.hasChannels {
      throw ValidationError("--layout is for layers with channels")
    }
    if bias != nil && layer == .rmsnorm { throw ValidationError("rmsnorm has no bias") }
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if let correction, !(correction >= 0) {
      throw ValidationError("--correction must not be negative")
    }
    if correction != nil && expect != nil {
      throw ValidationError("--correction makes the result to compare with; leave out --expect")
    }
    if input == nil {
      let given: [(String, Bool)] = [
        ("--expect", expect != nil), ("--from", from != nil), ("--correction", correction != nil),
        ("--count", count != nil), ("--layout", layout != nil), ("--eps", eps != nil),
        ("--html", page.html != nil), ("--layer", layer != .batchnorm), ("--weight", weight != nil),
        ("--bias", bias != nil),
      ]
      if let option = given.first(where: \.1) {
        throw ValidationError("\(option.0) needs --input")
      }
    }
    if from != nil && expect == nil { throw ValidationError("--from needs --expect") }
  }

  func run() throws {
    guard let input else { return try AttemptReport(asJSON: json, showsDetails: details).run() }
    let explanation: Explanation
    do {
      explanation = try self.explanation(of: input)
      try page.write { explanation.report(samples: try samples(input)) }
      let text = explanation.text(style: Terminal.style, details: details)
      Terminal.show(json ? try encoded(explanation) : text)
    } catch {
      warn("\(error)")
      throw ExitCode(2)
    }
    if explanation.gap != nil && !explanation.agrees { throw ExitCode(1) }
  }

  func explanation(of input: String) throws -> Explanation {
    let x = try data(input)
    let layer = ExplainLayer(
      kind: layer, eps: eps, groups: groups ?? 1, lastAxes: lastAxes,
      weight: try weight.map { try Tensor(npy: $0) }, bias: try bias.map { try Tensor(npy: $0) })
    try layer.check(x.shape)
    let expected =
      try expect.map(data) ?? correction.map { try layer.handMade(x, correction: $0) }
    let origin = try from.map(data)
    for (name, tensor) in [("--expect", expected), ("--from", origin)] {
      guard let tensor, tensor.shape != x.shape else { continue }
      throw DataError("\(name) has shape \(tensor.shape), --input has \(x.shape)")
    }
    return try layer.explain(x, expecting: expected, from: origin)
  }

  /// What a page shows as histograms: the files that were given.
  private func samples(_ input: String) throws -> [(name: String, values: Tensor)] {
    let expected = try expect.map(data).map { [(name: "expected", values: $0)] }
    return [(name: "input", values: try data(input))] + (expected ?? [])
  }

  private func data(_ path: String) throws -> Tensor {
    try DataLayout.read(path, count: count, layout: layout)
  }
}

/// Data that cannot be explained, in a sentence.
struct DataError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
