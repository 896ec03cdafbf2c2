import Norma
import NormaExplain

/// The findings of `norma doctor`, and the result of a repair.
struct DoctorReport: Encodable {
  let steps: Int
  let options: TrainingOptions
  let diagnosis: Diagnosis
  /// The accuracy for the test images, before a repair.
  let accuracy: Double
  var repair: Repair?

  struct Repair: Encodable {
    let checkpoint: String
    /// The number of training images behind the new statistics.
    let images: Int
    let layers: [RecalibratedLayer]
    let diagnosis: Diagnosis
    let accuracy: Double
  }

  /// Whether nothing is wrong with the network, or nothing any longer.
  var isHealthy: Bool { (repair?.diagnosis ?? diagnosis).isHealthy }

  func text(checkpoint: String, data: String, style: TextStyle) -> String {
    var parts = [
      "\(checkpoint): \(steps) steps of \(options.batch) images\n"
        + "test accuracy \(percent(accuracy))",
      diagnosis.text(style: style),
    ]
    if let repair {
      let rest = repair.diagnosis.isHealthy ? "" : "\n\nWhat remains:\n\n"
      parts.append(
        "Repair: the running statistics of \(repair.layers.count) layers were recomputed from "
          + "\(repair.images) training images.\n"
          + style.strong(
            "test accuracy \(percent(accuracy)) before, \(percent(repair.accuracy)) after")
          + "\ncheckpoint in \(repair.checkpoint)"
          + (rest.isEmpty ? "" : rest + repair.diagnosis.text(style: style)))
      if repair.diagnosis.isHealthy { parts.append("No problems remain.") }
    } else if diagnosis.findings.contains(where: \.defect.isRecalibrated) {
      parts.append(
        "To repair it:\n  norma doctor --checkpoint \(checkpoint) --data \(data) "
          + "--repair repaired.safetensors")
    }
    return parts.joined(separator: "\n\n")
  }

  private func percent(_ share: Double) -> String { "\(decimal(share * 100, 2)) %" }
}
