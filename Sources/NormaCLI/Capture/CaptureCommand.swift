import ArgumentParser

/// `norma capture`: the script that records a network of PyTorch, Keras or Flax for `norma doctor`.
struct CaptureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Print the script that records a network for norma doctor.",
    discussion: """
      Three commands find out what is wrong with the normalization of a PyTorch network:

        $ norma capture --script > norma_capture.py

        >>> from norma_capture import capture            # where your model and a batch are
        >>> capture(model, x, "mine.safetensors")

        $ norma doctor mine.safetensors

      The script needs torch alone. It leaves the model as it was, and the capture holds \
      statistics and a few samples of each layer's input and output. Whatever you know makes the \
      diagnosis surer: capture(model, x, path, batches=3000, batch_size=64, data="training"). A \
      second capture, of data of training, decides between data and statistics: \
      norma doctor mine.safetensors --train train.safetensors.

      For Keras 3 (any back end) and Flax NNX:

        $ norma capture --script --framework keras > norma_capture_numpy.py

      docs/capture-format.md defines the file, for other frameworks.
      """)

  /// What a network is written in.
  enum Framework: String, ExpressibleByArgument, CaseIterable {
    case torch, keras, flax
  }

  @Flag(help: "Print the script.")
  var script = false

  @Option(help: "The network's framework. Keras and Flax have one script in common.")
  var framework: Framework = .torch

  func run() throws {
    guard script else { throw CleanExit.helpRequest(self) }
    print(Self.script(for: framework), terminator: "")
  }

  /// The script as it stands in the repository.
  static func script(for framework: Framework) -> String {
    let bytes =
      switch framework {
      case .torch: PackageResources.norma_capture_py
      case .keras, .flax: PackageResources.norma_capture_numpy_py
      }
    return String(decoding: bytes, as: UTF8.self)
  }
}
