import ArgumentParser
import Foundation
import Norma
import NormaExplain

/// `norma explain`: what a batch normalization layer does, and why a result differs from it.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explain why your own batch normalization differs from the layer's.",
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

      EXIT STATUS:
        0 when there is an explanation, 1 when a file cannot be used, 64 for wrong options.
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

  @Option(help: "The layer's kind; batchnorm goes by the number of axes.")
  var layer: LayerKind = .batchnorm

  @Option(help: ArgumentHelp("The layer's epsilon.", valueName: "number"))
  var eps: Double = 1e-5

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

  func validate() throws {
    if !(eps > 0) { throw ValidationError("--eps must be positive") }
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
        ("--count", count != nil), ("--layout", layout != nil), ("--eps", eps != 1e-5),
        ("--layer", layer != .batchnorm),
      ]
      if let option = given.first(where: \.1) {
        throw ValidationError("\(option.0) needs --input")
      }
    }
    if from != nil && expect == nil { throw ValidationError("--from needs --expect") }
  }

  func run() throws {
    guard let input else { return try AttemptReport(asJSON: json).run() }
    do {
      let explanation = try explain(input)
      Terminal.show(json ? try encoded(explanation) : explanation.text(style: Terminal.style))
    } catch {
      FileHandle.standardError.write(Data("norma: \(error)\n".utf8))
      throw ExitCode(1)
    }
  }

  private func explain(_ input: String) throws -> Explanation {
    let x = try data(input)
    try layer.check(x.shape)
    let expected = try expect.map(data) ?? correction.map { try handMade(x, correction: $0) }
    let origin = try from.map(data)
    for (name, tensor) in [("--expect", expected), ("--from", origin)] {
      guard let tensor, tensor.shape != x.shape else { continue }
      throw DataError("\(name) has shape \(tensor.shape), --input has \(x.shape)")
    }
    return layer.make(x.shape, eps: eps).explain(x, expecting: expected, from: origin)
  }

  private func data(_ path: String) throws -> Tensor {
    try DataLayout.read(path, count: count, layout: layout)
  }

  /// The formula with another divisor, everything else as in the layer.
  private func handMade(_ x: Tensor, correction: Double) throws -> Tensor {
    let axes = x.shape.indices.filter { $0 != 1 }
    let n = x.count / x.shape[1]
    if correction >= Double(n) {
      throw DataError("--correction must be below n = \(n), the number of values per channel")
    }
    let mean = x.mean(over: axes, keepDims: true)
    let variance = x.variance(over: axes, correction: correction, keepDims: true)
    return ((x - mean) / (variance + eps).sqrt()).evaluated()
  }
}

/// Data that cannot be explained, in a sentence.
struct DataError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The layers that the command knows.
enum LayerKind: String, ExpressibleByArgument, CaseIterable {
  case batchnorm, batchnorm1d, batchnorm2d, batchnorm3d

  /// The numbers of axes that the layer takes.
  private var ranks: [Int] {
    switch self {
    case .batchnorm: [2, 3, 4, 5]
    case .batchnorm1d: [2, 3]
    case .batchnorm2d: [4]
    case .batchnorm3d: [5]
    }
  }

  func check(_ shape: [Int]) throws {
    guard ranks.contains(shape.count) else {
      let allowed = ranks.map(String.init).joined(separator: " or ")
      throw DataError(
        "\(rawValue) takes \(allowed) axes, the data have shape \(shape); see --layout")
    }
    let count = shape.reduce(1, *) / max(shape[1], 1)
    if count < 2 { throw DataError("shape \(shape) has \(count) values per channel; needed are 2") }
  }

  func make(_ shape: [Int], eps: Double) -> BatchNorm {
    switch shape.count {
    case 2, 3: BatchNorm1d(shape[1], eps: eps)
    case 4: BatchNorm2d(shape[1], eps: eps)
    default: BatchNorm3d(shape[1], eps: eps)
    }
  }
}
