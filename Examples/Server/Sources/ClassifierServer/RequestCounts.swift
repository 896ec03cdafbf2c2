import Hummingbird
import Norma
import Synchronization

/// Counts answers by their status, for `GET /metrics`.
final class RequestCounts: Sendable {
  private let counts = Mutex<[Int: Int]>([:])

  func add(_ status: HTTPResponse.Status) {
    counts.withLock { $0[status.code, default: 0] += 1 }
  }

  /// The counts and the memory of tensors in Prometheus' text format.
  var text: String {
    let answered = counts.withLock { $0.sorted { $0.key < $1.key } }
    let memory = TensorMemory.usage
    var text = "# TYPE norma_requests_total counter\n"
    for (code, count) in answered { text += "norma_requests_total{status=\"\(code)\"} \(count)\n" }
    for (name, bytes) in [
      ("in_use", memory.inUse), ("cached", memory.cached), ("peak", memory.peak),
    ] {
      text += "# TYPE norma_tensor_memory_\(name)_bytes gauge\n"
      text += "norma_tensor_memory_\(name)_bytes \(bytes)\n"
    }
    return text
  }
}

/// Answers errors as plain text, and counts all answers.
struct PlainErrors<Context: RequestContext>: RouterMiddleware {
  let counts: RequestCounts

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let response: Response
    do {
      response = try await next(request, context)
    } catch let error as HTTPError {
      response = .plain(error.body ?? error.status.reasonPhrase, error.status)
    } catch let error as any HTTPResponseError {
      response = .plain(error.status.reasonPhrase, error.status)
    }
    counts.add(response.status)
    return response
  }
}

extension Response {
  /// A line of text.
  static func plain(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
  }
}
