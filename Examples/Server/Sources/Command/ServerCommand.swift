import ArgumentParser
import ClassifierServer
import Foundation
import Norma

/// `norma-server`: answers with a network that `norma train` has trained.
@main
struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "norma-server",
    abstract: "Classify images over HTTP with a network that norma train has trained.")

  @Option(help: "What norma train has written.")
  var checkpoint: String

  @Option(help: "The address to listen at.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen at; 0 takes a free one.")
  var port = 8080

  func run() async throws {
    // An image that unpacks to many pixels is refused; its memory is not kept for the next one.
    TensorMemory.cacheLimit = 16 << 20
    let host = host
    let service = ClassifierService(
      try Classifier(contentsOf: checkpoint), host: host, port: port,
      onListening: { port in
        try? FileHandle.standardOutput.write(
          contentsOf: Data("listening at http://\(host):\(port)\n".utf8))
      })
    try await service.runUntilSignal()
  }

  func validate() throws {
    if !(0...65535).contains(port) { throw ValidationError("--port must be from 0 to 65535") }
  }
}
