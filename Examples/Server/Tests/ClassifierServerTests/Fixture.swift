import Foundation
import Norma

@testable import ClassifierServer

/// Files of the tests, and checkpoints that they make.
enum Fixture {
  static func path(_ name: String) throws -> String {
    guard let folder = Bundle.module.resourceURL else { throw CocoaError(.fileNoSuchFile) }
    return folder.appendingPathComponent("Fixtures/\(name)").path
  }

  static func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }

  /// What a few hundred steps of `norma train` on Fashion-MNIST have written.
  static func trained() throws -> Classifier {
    try Classifier(contentsOf: path("trained.safetensors"))
  }

  static func network(seed: UInt64) -> ResidualNetwork {
    withSeed(seed) { ResidualNetwork(width: 2, classes: Classifier.classNames.count) }
  }

  /// A checkpoint in the form of `norma train`, in a file that is deleted after `body`.
  static func withCheckpoint<R>(
    _ network: ResidualNetwork, notes: [String: String], _ body: (String) throws -> R
  ) throws -> R {
    var checkpoint = Checkpoint(model: network.stateDict())
    checkpoint.notes = notes
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("norma-server-\(UUID().uuidString).safetensors").path
    try checkpoint.write(to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// A classifier of random weights for images of any size.
  static func random(seed: UInt64 = 0, image: String) throws -> Classifier {
    try withCheckpoint(
      network(seed: seed), notes: ["training": #"{"width": 2}"#, "image": image]
    ) { try Classifier(contentsOf: $0) }
  }
}
