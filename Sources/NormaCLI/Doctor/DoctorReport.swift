import Norma
import NormaExplain

/// What `norma doctor` found, and what a repair made of it.
struct DoctorReport: Encodable {
  let steps: Int
  let options: TrainingOptions
  let diagnosis: Diagnosis
  /// Of the test images, as the network is.
  let accuracy: Double
  var repair: Repair?

  struct Repair: Encodable {
    let checkpoint: String
    /// How many training images the new statistics rest on.
    let images: Int
    let layers: [RecalibratedLayer]
    let diagnosis: Diagnosis
    let accuracy: Double
  }

  /// Whether nothing is wrong with the network, or nothing any more.
  var isHealthy: Bool { (repair?.diagnosis ?? diagnosis).isHealthy }

  func text(checkpoint: String, data: String, style: TextStyle) -> String {
    var parts = [
      "\(checkpoint): \(steps) steps of \(options.batch) images\n"
        + "test accuracy \(percent(accuracy))",
      diagnosis.text(style: style),
    ]
    if let repair {
      let rest = repair.diagnosis.isHealthy ? "" : "\n\nWhat is left:\n\n"
      parts.append(
        "Repair: the running statistics of \(repair.layers.count) layers come anew from "
          + "\(repair.images) training images.\n"
          + style.strong(
            "test accuracy \(percent(accuracy)) before, \(percent(repair.accuracy)) after")
          + "\ncheckpoint in \(repair.checkpoint)"
          + (rest.isEmpty ? "" : rest + repair.diagnosis.text(style: style)))
      if repair.diagnosis.isHealthy { parts.append("Nothing is wrong any more.") }
    } else if diagnosis.findings.contains(where: \.defect.isRecalibrated) {
      parts.append(
        "To repair it:\n  norma doctor --checkpoint \(checkpoint) --data \(data) "
          + "--repair repaired.safetensors")
    }
    return parts.joined(separator: "\n\n")
  }

  private func percent(_ share: Double) -> String { "\(decimal(share * 100, 2)) %" }
}
