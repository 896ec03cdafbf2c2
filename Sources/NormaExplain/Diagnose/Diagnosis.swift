/// Defects of a network's batch normalization, as far as one batch and the layers' own values show.
/// It prints as text and encodes to JSON.
public struct Diagnosis: Sendable, Hashable, Codable {
  /// The findings, most important first; empty for a healthy network.
  public let findings: [DefectFinding]
  /// The layers in the order of their first calls.
  public let layers: [LayerDiagnosis]
  /// The number of samples in the batch.
  public let samples: Int
  /// The layers without running statistics, whose samples were compared with their formula.
  public let formulas: [FormulaDiagnosis]
  /// How much the network's result changes when all batch norms normalize with the batch, relative
  /// to the result's own spread; nil if unknown.
  public let effect: Double?
  /// The network's framework, which is the language of the repairs in the text.
  public let framework: NetworkCapture.Framework

  /// A diagnosis.
  init(
    findings: [DefectFinding], layers: [LayerDiagnosis], samples: Int,
    formulas: [FormulaDiagnosis] = [], effect: Double? = nil,
    framework: NetworkCapture.Framework = .pytorch
  ) {
    self.framework = framework
    self.findings = findings
    self.layers = layers
    self.samples = samples
    self.formulas = formulas
    self.effect = effect
  }

  /// Whether nothing is wrong; there may still be notes.
  public var isHealthy: Bool { findings.allSatisfy { $0.severity == .note } }
}

/// A number with three significant digits.
package func short(_ value: Double) -> String {
  if !value.isFinite { return "\(value)" }
  if value == 0 { return "0" }
  let rounded = roundedTo(digits: 3, value)
  return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
}
