import ArgumentParser
import Foundation
import Norma
import NormaExplain

/// `norma explain`: what a normalization layer computes, and why a result differs from it.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explain why your own normalization differs from a layer's.",
    discussion: """
      Alone, it normalizes rand(6, 64, 224, 224) by hand in seven ways, and explains for each why \
      a new BatchNorm2d(64) changes the result.

      With --input, it explains the layer on your own data: the values of each statistic, means, \
      variances, and the effect of epsilon. With --expect, it compares the layer's result with \
      yours: the largest difference now, what remains after one change to your code, and after the \
      next, down to rounding. Each step shows both formulas and the line to write in PyTorch and \
      in Norma. --expect-running-mean and --expect-running-var do the same for a running \
      statistic after one call in training.

      The layer is in training, with weight 1 and bias 0, unless options say otherwise. Its state \
      comes from files: each part separately, or everything from a checkpoint with --state and \
      --name.

      Files are .npy; .npz, .safetensors, .pt and .pth, as file:name if they contain several \
      tensors; or IDX and IDX.gz (such as the MNIST files), whose bytes become numbers from 0 to 1.

      EXAMPLES:
        norma explain
        norma explain --input x.npy --expect mine.npy
        norma explain --input y.npy --expect y.npy --from x.npy
        norma explain --input data.npz:x --expect data.npz:y --layer groupnorm --groups 8
        norma explain --input x.npy --expect y.npy --eval --state model.pt --name layer1.0.bn1
        norma explain --input x.npy --expect y.npy --layer layernorm --weight w.npy --bias b.npy
        norma explain --input x.npy --expect-running-var var.npy --momentum 0.01
        norma explain --input train-images-idx3-ubyte.gz --count 1000

      EXIT STATUS:
        0 when the results agree up to rounding, or there is nothing to compare with; 1 when they \
      do not, or a tensor has NaN or infinite values; 2 when a file or its data cannot be used; 64 \
      for wrong options.
      """)

  @Option(help: ArgumentHelp("The layer's input.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp(
      "Your own result; the input itself if the layer should leave it unchanged.",
      valueName: "file"))
  var expect: String?

  @Option(
    help: ArgumentHelp(
      "What the input was computed from; without it some causes cannot be distinguished.",
      valueName: "file"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "The running mean that you expect after one call in training.", valueName: "file"))
  var expectRunningMean: String?

  @Option(
    help: ArgumentHelp(
      "The running variance that you expect after one call in training.", valueName: "file"))
  var expectRunningVar: String?

  @Option(
    help: ArgumentHelp(
      "1 at selected positions, 0 at padding: in the input's shape, or without its "
        + "channels, or features.", valueName: "file"))
  var mask: String?

  @OptionGroup var layer: LayerOptions

  @Option(
    help: ArgumentHelp(
      "Compare with a variance divided by n - number, instead of using --expect.",
      valueName: "number"))
  var correction: Double?

  @Option(help: ArgumentHelp("Read only this many items of the first axis.", valueName: "items"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "The axes of the files: n items, c channels, d h w l space, such as nchw or nhwc.",
      valueName: "axes"))
  var layout: DataLayout?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Also print the causes' identifiers, their shares, and the code of the attempts.")
  var details = false

  @OptionGroup var page: ReportOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if let correction, !(correction >= 0) {
      throw ValidationError("--correction must not be negative")
    }
    if layout != nil, layer.kind.map({ !$0.hasChannels }) ?? false {
      throw ValidationError("--layout is for layers with channels")
    }
    let targets = [
      ("--expect", expect != nil), ("--correction", correction != nil),
      ("--expect-running-mean", expectRunningMean != nil),
      ("--expect-running-var", expectRunningVar != nil),
    ].filter(\.1).map(\.0)
    if targets.count > 1 {
      throw ValidationError("\(targets.joined(separator: " and ")): use only one of them")
    }
    if input == nil, let option = given.first {
      throw ValidationError("\(option) needs --input")
    }
    if from != nil && expect == nil { throw ValidationError("--from needs --expect") }
    if mask != nil && expect == nil {
      throw ValidationError("--mask needs --expect")
    }
    if expectsRunning {
      if layer.evaluation {
        throw ValidationError(
          "A layer in evaluation updates no running statistics: no --evaluation")
      }
      if let kind = layer.kind, !kind.canTrack {
        throw ValidationError("\(kind.rawValue) keeps no running statistics")
      }
    } else if layer.momentum != nil && layer.history.isEmpty {
      throw ValidationError(
        "--momentum only has an effect with --history, --expect-running-mean or "
          + "--expect-running-var")
    }
  }

  private var expectsRunning: Bool { expectRunningMean != nil || expectRunningVar != nil }

  /// The options that were given and concern data.
  private var given: [String] {
    let own: [(String, Bool)] = [
      ("--expect", expect != nil), ("--from", from != nil), ("--correction", correction != nil),
      ("--expect-running-mean", expectRunningMean != nil),
      ("--expect-running-var", expectRunningVar != nil), ("--mask", mask != nil),
      ("--count", count != nil), ("--layout", layout != nil), ("--html", page.html != nil),
    ]
    return own.filter(\.1).map(\.0) + layer.given
  }

  func run() throws {
    guard let input else { return try AttemptReport(asJSON: json, showsDetails: details).run() }
    let explanation: Explanation
    do {
      explanation = try self.explanation(of: input)
      let text = explanation.text(style: Terminal.style, details: details)
      Terminal.show(json ? try encoded(explanation) : text)
      try page.write { try report(explanation, of: input) }
    } catch {
      warn(error)
      throw ExitCode(2)
    }
    let differs = explanation.gap != nil && !explanation.agrees
    if differs || !explanation.nonFinite.isEmpty { throw ExitCode(1) }
  }

  func explanation(of input: String) throws -> Explanation {
    let x = try data(input)
    var layer = try self.layer.layer()
    if layout != nil && !layer.kind.hasChannels {
      throw DataError("--layout is for layers with channels, and \(layer.kind.rawValue) has none")
    }
    layer.mask = try mask.map { try maskData($0, kind: layer.kind, like: x.shape) }
    layer.tracksRunningStatistics = expectsRunning
    try layer.check(x.shape)
    if expectsRunning {
      guard layer.kind.canTrack else {
        throw DataError("\(layer.kind.rawValue) keeps no running statistics")
      }
      return try layer.explain(
        x, expectingRunningMean: try expectRunningMean.map { try GivenTensor($0).read() },
        variance: try expectRunningVar.map { try GivenTensor($0).read() })
    }
    let expected = try expected(x, layer)
    let origin = try from.map(data)
    for (name, tensor) in [("--expect", expected), ("--from", origin)] {
      guard let tensor, tensor.shape != x.shape else { continue }
      throw DataError("\(name) has shape \(tensor.shape), --input has \(x.shape)")
    }
    return try layer.explain(x, expecting: expected, from: origin)
  }

  /// The page, with the input and both results as histograms.
  func report(_ explanation: Explanation, of input: String) throws -> HTMLReport {
    let x = try data(input)
    let samples = [(name: "input", values: x)]
    guard explanation.gap != nil, !expectsRunning else {
      return explanation.report(samples: samples)
    }
    let layer = try self.layer.layer()
    guard let expected = try expected(x, layer) else { return explanation.report(samples: samples) }
    return explanation.report(
      samples: samples, results: (layer: try layer.result(of: x), expected: expected))
  }

  /// The tensor to compare the layer's result with.
  private func expected(_ x: Tensor, _ layer: ExplainLayer) throws -> Tensor? {
    try expect.map(data) ?? correction.map { try layer.handMade(x, correction: $0) }
  }

  private func data(_ path: String) throws -> Tensor {
    try DataLayout.read(path, count: count, layout: layout)
  }

  /// A mask with the input's axes; missing channels or features become an axis of length 1.
  private func maskData(_ path: String, kind: LayerKind, like shape: [Int]) throws -> Tensor {
    var mask = try GivenTensor(path).read().cast(to: .float32)
    if let layout, mask.rank == layout.axes.count { mask = try layout.arrange(mask) }
    if let count, mask.rank > 0, mask.shape[0] > count { mask = mask[0..<count] }
    if mask.rank == shape.count - 1 {
      let axis = kind.hasChannels ? 1 : shape.count - 1
      var others = shape
      others.remove(at: axis)
      if mask.shape == others { mask = mask.unsqueezed(axis) }
    }
    return mask.evaluated()
  }
}

/// Data that cannot be used, in a sentence.
struct DataError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
