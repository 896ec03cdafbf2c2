import ArgumentParser
import Norma
import NormaExplain

/// `norma doctor`: what is wrong with the batch norm of a trained network, and its repair.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Find out why a trained network is worse than it should be, and repair it.",
    discussion: """
      Batch norm keeps running statistics for the time when the network is used. Where they do not \
      fit the network, it was good in training and is bad in evaluation, and no error says so. \
      This command shows the network training images, compares the running statistics of each \
      layer with those of the images, and says what is wrong, how one can tell and what to try. \
      It also classifies the test images.

      With --repair, it takes the running statistics anew from all training images, which changes \
      no weight, and writes the network to a new checkpoint.

      It takes checkpoints of norma train and images of the size that the network was trained on. \
      It sees batch norm alone: a wrong learning rate, or a wrong label, is not found. For networks \
      of your own, call diagnose(network, images) and recalibrate(network, over: batches).

      EXAMPLES:
        norma doctor --checkpoint norma-train.safetensors --data DIR
        norma doctor --checkpoint bad.safetensors --data DIR --repair good.safetensors

      EXIT STATUS:
        0 when nothing is wrong, or nothing is left after --repair; 1 when something is; 2 when a \
      file cannot be used; 64 for wrong options.
      """)

  @Option(help: ArgumentHelp("What norma train has written.", valueName: "file"))
  var checkpoint: String

  @Option(
    help: ArgumentHelp(
      "A folder with train-images-idx3-ubyte and its three companions, with .gz or without.",
      valueName: "dir"))
  var data: String

  @Option(
    help: ArgumentHelp("How many training images to show the network at once.", valueName: "n"))
  var count = 256

  @Option(
    help: ArgumentHelp("Take the statistics anew and write the network here.", valueName: "file"))
  var repair: String?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if count < 2 { throw ValidationError("--count must be at least 2") }
  }

  func run() throws {
    let report: DoctorReport
    do {
      let patient = try Patient(checkpoint: checkpoint, data: data)
      if let repair {
        report = try patient.repaired(count: count, to: repair)
      } else {
        report = try patient.examined(count: count)
      }
      Terminal.showProgress(nil)
      let text = report.text(checkpoint: checkpoint, data: data, style: Terminal.style)
      Terminal.show(json ? try encoded(report) : text)
    } catch {
      Terminal.showProgress(nil)
      warn("\(error)")
      throw ExitCode(2)
    }
    if !report.isHealthy { throw ExitCode(1) }
  }
}
