import ArgumentParser
import Norma
import NormaExplain
import NormaONNX

/// `norma doctor`: finds problems with the normalization of a trained network, and repairs them.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Find out why a trained network is worse than it should be, and repair it.",
    discussion: """
      Batch norm keeps running statistics for inference. If they do not match the network, it was \
      good in training but is bad in evaluation, without any error. This command compares the \
      running statistics of each layer with those of a batch, compares other normalization layers \
      with their formulas, and reports what is wrong, the evidence, alternative explanations, and \
      what to change.

      It takes a capture of a PyTorch network, which norma_capture.py writes: \
      capture(model, x, "mine.safetensors"). A second capture, with training data, decides whether \
      the data or the statistics are different. With --repair, running statistics pooled over the \
      captured samples are written to a file for load_state_dict.

      A checkpoint alone (.pt, .pth, .ckpt, .bin, .safetensors) shows what its values reveal: \
      statistics that are not finite, negative or never trained, dead channels, names that \
      load_state_dict(strict=False) ignores. No code in such a file is ever run.

      With an ONNX model and data it runs the model, and compares the running statistics of its \
      batch norms with these data. --data is a file or a folder of files (.npy and others; PNG \
      and JPEG as values from 0 to 1, then --mean and --std), as one batch; 32 samples or more \
      tell small differences from chance.

      It also takes checkpoints of norma train together with the training images; --repair then \
      writes the whole network. For your own networks in Swift, call network.diagnosis(on: images) \
      and recalibrate(network, over: batches).

      EXAMPLES:
        norma doctor mine.safetensors
        norma doctor mine.safetensors --train train.safetensors --repair statistics.safetensors
        norma doctor mine.safetensors --html report.html
        norma doctor model.pt --html report.html
        norma doctor model.onnx --data samples.npy
        norma doctor model.onnx --data pictures --mean 0.5 --std 0.5
        norma doctor --checkpoint norma-train.safetensors --data DIR
        norma doctor --ranks rank0.safetensors rank1.safetensors rank2.safetensors

      EXIT STATUS:
        0 when nothing is wrong (notes may be left), or nothing is left after the repair of a \
      checkpoint; 1 when something is; 2 when a file cannot be used; 64 for wrong options.
      """)

  @Argument(
    help: ArgumentHelp(
      "A capture of a network, a checkpoint, or an ONNX model.", valueName: "file"))
  var capture: String?

  @Option(
    help: ArgumentHelp("A capture of the same network with training data.", valueName: "file"))
  var train: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Captures of a network in all processes that trained it, in the order of ranks: whether its "
        + "statistics are those of all, and whether all saw the same kind of data.",
      valueName: "file"))
  var ranks: [String] = []

  @Option(help: ArgumentHelp("A checkpoint of norma train.", valueName: "file"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp(
      "Samples for an ONNX model, a file or a folder; with --checkpoint, a folder with the four "
        + "MNIST files (train-images-idx3-ubyte ...), optionally .gz.",
      valueName: "path"))
  var data: String?

  @Option(
    help: ArgumentHelp("The number of samples to run the network on.", valueName: "n"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "A further input of an ONNX model; may be repeated.", valueName: "name=file"))
  var input: [String] = []

  @Option(
    help: ArgumentHelp(
      "What is subtracted from pictures for an ONNX model: one number, or one per channel.",
      valueName: "numbers"))
  var mean: String?

  @Option(
    help: ArgumentHelp("What they are then divided by.", valueName: "numbers"))
  var std: String?

  @Option(
    help: ArgumentHelp("Recompute the statistics and write them here.", valueName: "file"))
  var repair: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print all evidence.")
  var details = false

  @OptionGroup var page: ReportOptions

  func validate() throws {
    if !ranks.isEmpty {
      guard capture == nil, train == nil, checkpoint == nil, data == nil, repair == nil else {
        throw ValidationError("--ranks takes captures alone")
      }
      return
    }
    if let count, count < 2 { throw ValidationError("--count must be at least 2") }
    if data == nil, !input.isEmpty || mean != nil || std != nil {
      throw ValidationError("--input, --mean and --std need --data")
    }
    if capture != nil {
      if checkpoint != nil || (data == nil && count != nil) {
        throw ValidationError("--checkpoint and --count are for networks of norma train")
      }
      return
    }
    if train != nil { throw ValidationError("--train needs a capture") }
    guard checkpoint != nil, data != nil else {
      throw ValidationError(
        "Name a capture, or a checkpoint of norma train with --checkpoint and --data")
    }
  }

  func run() throws {
    let isHealthy: Bool
    do {
      isHealthy = try examine()
    } catch let error as ValidationError {
      throw error
    } catch {
      Terminal.showProgress(nil)
      warn(error)
      throw ExitCode(2)
    }
    if !isHealthy { throw ExitCode(1) }
  }

  /// Prints the findings, and returns whether nothing is wrong.
  private func examine() throws -> Bool {
    if !ranks.isEmpty {
      let found = try RankDiagnosis(
        ranks.map { try NetworkCapture(contentsOf: $0) }, names: ranks)
      Terminal.show(json ? try encoded(found) : found.description)
      return found.isHealthy
    }
    if let capture, let data {
      guard try FileFormat.isONNX(capture) else {
        throw ValidationError("--data is for ONNX models and for networks of norma train")
      }
      return try examine(model: capture, data: data)
    }
    if let capture, try FileFormat.isONNX(capture) {
      throw ValidationError(
        "\(capture) is an ONNX model, which needs data to be diagnosed: --data samples.npy; "
          + "norma inspect \(capture) shows what its values reveal")
    }
    if let capture, let report = try CheckpointReport(file: capture) {
      if train != nil || repair != nil {
        throw ValidationError(
          "--train and --repair need a capture, and \(capture) is a checkpoint; make one:\n"
            + CheckpointDiagnosis.captureLines.joined(separator: "\n"))
      }
      let text = report.text(style: Terminal.style, showsAll: details)
      Terminal.show(json ? try encoded(report) : text)
      try page.write { report.page }
      return report.diagnosis.isHealthy
    }
    if let capture {
      let report = try CaptureReport(file: capture, training: train, repair: repair)
      let text = report.text(style: Terminal.style, showsAll: details)
      Terminal.show(json ? try encoded(report) : text)
      try page.write { report.diagnosis.report(title: capture, capture: report.capture) }
      return report.diagnosis.isHealthy
    }
    guard let checkpoint, let data else { return true }
    let patient = try Patient(checkpoint: checkpoint, data: data)
    let report =
      if let repair {
        try patient.repaired(count: count ?? 256, to: repair)
      } else {
        try patient.examined(count: count ?? 256)
      }
    Terminal.showProgress(nil)
    let text = report.text(checkpoint: checkpoint, data: data, style: Terminal.style)
    Terminal.show(json ? try encoded(report) : text)
    try page.write { report.diagnosis.report(title: checkpoint) }
    return report.isHealthy
  }

  private func examine(model path: String, data: String) throws -> Bool {
    if train != nil || repair != nil {
      throw ValidationError("--train and --repair are not for ONNX models")
    }
    let preparation = ModelData.Preparation(
      mean: try Self.numbers(mean, "mean"), deviation: try Self.numbers(std, "std"))
    let model = try ONNXModel(contentsOf: path)
    let samples = try ModelData(
      data, for: model, others: try input.map(ModelInputs.pair), count: count,
      preparation: preparation)
    let report = try ModelReport(file: path, data: samples, model: model)
    let text = report.text(style: Terminal.style, showsAll: details)
    Terminal.show(json ? try encoded(report) : text)
    try page.write { report.diagnosis.report(title: path) }
    return report.isHealthy
  }

  /// `0.485,0.456,0.406` as numbers.
  private static func numbers(_ text: String?, _ name: String) throws -> [Double] {
    try (text ?? "").split(separator: ",").map { part in
      guard let number = Double(part), number.isFinite, name == "mean" || number > 0 else {
        throw ValidationError("--\(name) \(part): a number is expected")
      }
      return number
    }
  }
}
