import ClassifierServer
import Foundation
import Logging
import ServiceLifecycle

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A server on a free port of this machine.
struct TestServer: Sendable {
  let port: Int
  private let group: ServiceGroup
  private let session = URLSession(configuration: .ephemeral)

  struct NotStarted: Error {}

  /// Lends a server to `body` and shuts it down after it.
  static func run<R: Sendable>(
    _ classifier: Classifier, _ body: @Sendable (TestServer) async throws -> R
  ) async throws -> R {
    // Tests make mistakes on purpose; their log would hide others.
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let service = ClassifierService(
      classifier, port: 0, logger: logger, onListening: { listening.yield($0) })
    let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
    async let running: Void = {
      defer { listening.finish() }
      try await group.run()
    }()
    guard let port = await ports.first(where: { _ in true }) else {
      try await running
      throw NotStarted()
    }
    let result: Result<R, any Error>
    do {
      result = .success(try await body(TestServer(port: port, group: group)))
    } catch {
      result = .failure(error)
    }
    await group.triggerGracefulShutdown()
    try await running
    return try result.get()
  }

  /// Begins to shut the server down.
  func beginShutdown() async { await group.triggerGracefulShutdown() }

  private init(port: Int, group: ServiceGroup) {
    self.port = port
    self.group = group
  }

  struct Answer: Sendable, Equatable {
    let status: Int
    let type: String
    let text: String
  }

  func get(_ path: String) async throws -> Answer { try await send("GET", path, nil) }

  func classify(_ body: Data) async throws -> Answer { try await send("POST", "classify", body) }

  func send(_ method: String, _ path: String, _ body: Data?) async throws -> Answer {
    guard let url = URL(string: "http://127.0.0.1:\(port)/\(path)") else { throw URLError(.badURL) }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.httpBody = body
    let (data, response) = try await session.data(for: request)
    guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
    return Answer(
      status: response.statusCode,
      type: response.value(forHTTPHeaderField: "Content-Type") ?? "",
      text: String(decoding: data, as: UTF8.self))
  }

  /// The number of a line of `GET /metrics`.
  func metric(_ name: String) async throws -> Int? {
    try await get("metrics").text.split(separator: "\n")
      .first { $0.hasPrefix("\(name) ") }
      .flatMap { Int($0.dropFirst(name.count + 1)) }
  }
}
