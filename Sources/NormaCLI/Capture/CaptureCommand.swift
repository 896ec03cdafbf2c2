import ArgumentParser

/// `norma capture`: the script that records a network of PyTorch, Keras or Flax for `norma doctor`.
struct CaptureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Print the script that records a network for norma doctor.",
    discussion: """
      Three commands find problems with the normalization of a PyTorch network:

        $ norma capture --script > norma_capture.py

        >>> from norma_capture import capture            # where your model and a batch are
        >>> capture(model, x, "mine.safetensors")

        $ norma doctor mine.safetensors

      The script needs only torch. It leaves the model unchanged, and the capture contains \
      statistics and a few samples of each layer's input and output. Additional facts make the \
      diagnosis more certain: capture(model, x, path, batches=3000, batch_size=64, \
      data="training"). A second capture, with training data, decides whether the data or the \
      statistics are different: norma doctor mine.safetensors --train train.safetensors.

      For Keras 3 (any back end) and Flax NNX:

        $ norma capture --script --framework keras > norma_capture_numpy.py

      docs/capture-format.md defines the file, for other frameworks.
      """)

  /// The framework of a network.
  enum Framework: String, ExpressibleByArgument, CaseIterable {
    case torch, keras, flax
  }

  @Flag(help: "Print the script.")
  var script = false

  @Option(help: "The network's framework. Keras and Flax share one script.")
  var framework: Framework = .torch

  func run() throws {
    guard script else { throw CleanExit.helpRequest(self) }
    print(Self.script(for: framework), terminator: "")
  }

  /// The script as in the repository.
  static func script(for framework: Framework) -> String {
    let bytes =
      switch framework {
      case .torch: PackageResources.norma_capture_py
      case .keras, .flax: PackageResources.norma_capture_numpy_py
      }
    return String(decoding: bytes, as: UTF8.self)
  }
}
