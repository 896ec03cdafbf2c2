import ArgumentParser
import Foundation
import Norma
import NormaONNX

/// `norma run`: runs an ONNX model on tensors in files.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run an ONNX model on tensors in files.",
    discussion: """
      Prints each output, or writes it as .npy into a folder. Without --input, prints what the \
      model takes and returns. Inputs are .npy, IDX, PNG and JPEG files, and .npz and safetensors \
      files with a single tensor; real numbers and integers are converted to the model's type of \
      that kind.

      EXAMPLES:
        norma run model.onnx
        norma run model.onnx --input x=images.npy
        norma run model.onnx --input x=images.npy --output results

      EXIT STATUS:
        0 when the model has run, 1 when a file or the model cannot be used, 64 for wrong options.
      """)

  @Argument(help: "An ONNX model.")
  var model: String

  @Option(
    help: ArgumentHelp(
      "An input and the file with its values; may be repeated.", valueName: "name=file"))
  var input: [String] = []

  @Option(help: ArgumentHelp("Write the outputs into this folder.", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Also run the model this many times, and print the median time, that of the first call, and "
        + "how much the memory of the process grew. An input may then have several files, which "
        + "are used in turn.", valueName: "n"))
  var time: Int?

  func run() throws {
    let given = try input.map(ModelInputs.pair)
    let model = try ONNXModel(contentsOf: model)
    model.eval()
    if given.isEmpty && !model.inputs.isEmpty { return show(model) }
    let calls =
      try time == nil
      ? [ModelInputs.read(given, for: model)] : ModelInputs.calls(given, for: model)
    let (results, first) = try timed { try model(calls[0]) }
    if let time { try measure(model, calls, times: time, first: first) }
    if let output { try prepare(output) }
    for name in model.outputs.map(\.name) {
      guard let result = results[name] else { continue }
      let title = "\(quoted(name))  \(result.dtype)\(result.shape)"
      guard let output else {
        print("\(title)\n\(result)")
        continue
      }
      let path = "\(output)/\(Self.fileName(name)).npy"
      try result.write(npy: path)
      print("\(title)  \(path)")
    }
  }

  /// The results of a call without gradients, and the milliseconds that it took.
  private func timed(
    _ call: () throws -> [String: Tensor]
  ) throws -> (results: [String: Tensor], milliseconds: Double) {
    var results: [String: Tensor] = [:]
    let time = try ContinuousClock().measure {
      results = try withoutGradients(call)
      for value in results.values { value.evaluated() }
    }
    return (results, time / .milliseconds(1))
  }

  private func measure(
    _ model: ONNXModel, _ calls: [[String: Tensor]], times: Int, first: Double
  ) throws {
    let count = max(times, 1)
    var all: [Double] = []
    var start: Int?
    for index in 0..<count {
      all.append(try timed { try model(calls[index % calls.count]) }.milliseconds)
      // By then each shape was seen, and memory that is reused exists.
      if index == count / 10 { start = MemoryCheck.resident }
    }
    all.sort()
    let growth = start.flatMap { start in
      MemoryCheck.resident.map { String(format: "%+.1f", Double($0 - start) / 1e6) }
    }
    let numbers = [all[count / 2], first].map { String(format: "%.3f", $0) }
    print(
      "\(numbers[0]) ms, the median of \(count) calls; first call \(numbers[1]) ms; "
        + "memory \(growth ?? "?") MB")
  }

  private func show(_ model: ONNXModel) {
    func line(_ value: ONNXValue) -> String {
      let shape = value.shape.map { "[\($0.map(\.description).joined(separator: ", "))]" } ?? ""
      return "  \(quoted(value.name))  \(value.typeName)\(shape)"
    }
    print("inputs")
    for value in model.inputs { print(line(value)) }
    print("outputs")
    for value in model.outputs { print(line(value)) }
  }

  private func prepare(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        "--output \(folder): the folder cannot be made: \(error.localizedDescription)")
    }
  }

  /// A name without what separates folders, or is hidden.
  static func fileName(_ name: String) -> String {
    let plain = String(name.map { $0.isLetter || $0.isNumber || "_-.".contains($0) ? $0 : "_" })
    return plain.hasPrefix(".") ? "_" + plain : plain
  }
}
