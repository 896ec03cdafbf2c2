import ArgumentParser
import NormaConformance

/// Runs recorded cases and reports those that fail.
@main struct Conformance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Compares Norma with results of PyTorch and of exact arithmetic.",
    discussion: """
      Prints a line for each case that fails, what is not supported, and the counts. Exits with 1 \
      when a case fails. Tools/make-torch-fixtures.py writes folders of PyTorch's calls.
      """)

  @Argument(help: "A folder of recorded PyTorch calls, with a manifest.json.")
  var torch: String?

  @Option(help: "A folder of recorded random numbers, with rng.json.")
  var rng: String?

  @Option(help: "A folder of exactly known statistics, with numerics.json.")
  var numerics: String?

  @Option(help: "A folder of formulas that differ from a layer, with the known causes.")
  var explain: String?

  @Option(help: "A folder of trained networks with a known defect of their normalization, or none.")
  var doctor: String?

  @Flag(help: "Print each explanation and diagnosis.")
  var verbose = false

  @Option(help: "A folder of third-party model files, with manifest.json.")
  var models: String?

  @Option(
    help: ArgumentHelp(
      "A folder with the wheels of --models, packed or unpacked; may be repeated.",
      valueName: "dir"))
  var wheels: [String] = []

  @Option(help: "A folder of the ONNX standard's cases, such as onnx/backend/test/data.")
  var onnx: String?

  @Option(
    help: ArgumentHelp(
      "Write networks as ONNX into this folder, for Tools/check-onnx-export.py.",
      valueName: "dir"))
  var export: String?

  @Option(help: "Run only the entries whose name matches this regular expression.")
  var only: String?

  func validate() throws {
    if export != nil { return }
    if [torch, rng, numerics, explain, doctor, models, onnx].allSatisfy({ $0 == nil }) {
      throw ValidationError("Name a folder of cases.")
    }
  }

  func run() throws {
    if let export { return try writeONNXExports(to: export) }
    let pattern = try only.map { try Regex($0) }
    func isWanted(_ name: String) -> Bool {
      guard let pattern else { return true }
      return name.contains(pattern)
    }
    var report = ConformanceReport()
    if let torch { report.add(try runTorchCases(in: torch, isWanted: isWanted)) }
    if let rng { report.add(try runRandomCases(in: rng, isWanted: isWanted)) }
    if let numerics { report.add(try runNumericsCases(in: numerics, isWanted: isWanted)) }
    if let explain {
      report.add(try runExplainCases(in: explain, isVerbose: verbose, isWanted: isWanted))
    }
    if let doctor {
      report.add(try runDoctorCases(in: doctor, isVerbose: verbose, isWanted: isWanted))
    }
    if let models {
      report.add(
        try runModelCases(
          in: models, packages: wheels, isVerbose: verbose, isWanted: isWanted))
    }
    if let onnx {
      report.add(try runONNXCases(in: onnx, isVerbose: verbose, isWanted: isWanted))
    }
    print(report.text)
    if report.passed + report.failures.count == 0 {
      throw ValidationError("No case ran: nothing matches --only, or nothing is supported.")
    }
    if !report.failures.isEmpty { throw ExitCode.failure }
  }
}
