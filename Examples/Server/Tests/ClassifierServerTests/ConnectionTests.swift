import Foundation
import Testing

@testable import ClassifierServer

extension ServerTests {
  @Suite struct ConnectionTests {
    private static let head = "POST /classify HTTP/1.1\r\nHost: norma\r\n"

    @Test func clientsThatGoAwayLeaveTheServerRunning() async throws {
      let image = try Fixture.data("trouser.png")
      try await TestServer.run(Fixture.trained()) { server in
        for _ in 0..<20 {
          let connection = try Connection(port: server.port)
          try connection.send(Data("\(Self.head)Content-Length: \(image.count)\r\n\r\n".utf8))
          try connection.send(image.prefix(image.count / 2))
        }
        #expect(try await server.classify(image).status == 200)
      }
    }

    @Test func whatIsNoHTTPIsRefused() async throws {
      try await TestServer.run(Fixture.trained()) { server in
        for bytes in [Data("no request\r\n\r\n".utf8), Data((0..<200).map { UInt8($0) })] {
          let connection = try Connection(port: server.port)
          try connection.send(bytes)
          #expect(try await connection.readToEnd().hasPrefix("HTTP/1.1 400 "))
        }
        #expect(try await server.get("health").status == 200)
      }
    }

    /// A connection that waits for its next request does not keep the server from its end.
    @Test func shutdownClosesIdleConnections() async throws {
      let idle = try await TestServer.run(Fixture.trained()) { server in
        let idle = try Connection(port: server.port)
        try idle.send(Data("GET /health HTTP/1.1\r\nHost: norma\r\n\r\n".utf8))
        #expect(try await server.get("health").status == 200)
        return (connection: idle, port: server.port)
      }
      #expect(try await idle.connection.readToEnd().hasPrefix("HTTP/1.1 200 "))
      #expect(throws: Connection.Failure.self) { try Connection(port: idle.port) }
    }

    /// A request that is under way is answered, although the server no longer takes others.
    @Test func shutdownWaitsForAnswers() async throws {
      let image = try Fixture.data("trouser.png")
      try await TestServer.run(Fixture.trained()) { server in
        let connection = try Connection(port: server.port)
        try connection.send(Data("\(Self.head)Content-Length: \(image.count)\r\n\r\n".utf8))
        try connection.send(image.prefix(image.count / 2))
        // The server must have read this much: it does not wait for a request that it never saw.
        try await Task.sleep(for: .seconds(1))
        await server.beginShutdown()
        try await Task.sleep(for: .milliseconds(200))
        #expect(throws: Connection.Failure.self) { try Connection(port: server.port) }
        try connection.send(image.suffix(image.count - image.count / 2))
        let answer = try await connection.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.contains(#""class":"Trouser""#))
      }
    }
  }
}
