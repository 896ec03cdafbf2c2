import Foundation

/// A connection that sends what no well-behaved client would: half of a request, or no HTTP at all.
final class Connection: Sendable {
  private let descriptor: Int32

  struct Failure: Error {
    let call: String
    let code = errno
  }

  init(port: Int) throws {
    #if os(Linux)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { throw Failure(call: "socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else {
      let failure = Failure(call: "connect")
      close(descriptor)
      throw failure
    }
  }

  deinit { close(descriptor) }

  func send(_ data: Data) throws {
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Failure(call: "write") }
      rest = rest.dropFirst(count)
    }
  }

  /// What the server sends until it closes the connection. Waits on a thread that no task needs.
  func readToEnd() async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result { try self.received() }) }
    }
  }

  private func received() throws -> String {
    var found: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { throw Failure(call: "read") }
      if count == 0 { return String(decoding: found, as: UTF8.self) }
      found += buffer[..<count]
    }
  }
}
