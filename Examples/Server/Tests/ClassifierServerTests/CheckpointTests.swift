import Foundation
import Norma
import Testing

@testable import ClassifierServer

extension ServerTests {
  @Suite struct CheckpointTests {
    private func problem(_ notes: [String: String], width: Int = 2) throws -> String {
      let network = ResidualNetwork(width: width, classes: Classifier.classNames.count)
      return try Fixture.withCheckpoint(network, notes: notes) { path in
        do {
          _ = try Classifier(contentsOf: path)
          return "none"
        } catch let error as CheckpointError {
          #expect(error.path == path)
          return error.problem
        }
      }
    }

    @Test func othersAreRefused() throws {
      let options = #"{"width": 2}"#
      #expect(try problem(["training": options, "image": "28 x 28"]) == "none")
      for notes in [
        [:], ["training": options], ["image": "28 x 28"],
        ["training": "{}", "image": "28 x 28"], ["training": "no JSON", "image": "28 x 28"],
      ] {
        #expect(try problem(notes) == "was not written by norma train")
      }
      for image in ["0 x 28", "28", "28 x -1", "x", "28 x 5000"] {
        #expect(try problem(["training": options, "image": image]).contains("which cannot be"))
      }
      for width in ["0", "-1", "5000"] {
        let notes = ["training": #"{"width": \#(width)}"#, "image": "28 x 28"]
        #expect(try problem(notes).contains("which cannot be"))
      }
      let other = try problem(["training": options, "image": "28 x 28"], width: 3)
      #expect(other.hasPrefix("does not fit the network: "))
    }

    @Test func brokenFilesAreErrors() throws {
      #expect(throws: FileError.self) { try Classifier(contentsOf: "/nowhere.safetensors") }
      #expect(throws: FileError.self) {
        try Classifier(contentsOf: Fixture.path("trouser.png"))
      }
    }
  }
}
