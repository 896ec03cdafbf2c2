import Foundation
import Hummingbird
import Logging
import NIOCore
import Norma
import ServiceLifecycle

/// A service that classifies images: `POST /classify`, `GET /health` and `GET /metrics`.
public struct ClassifierService: Service {
  private let classifier: Classifier
  private let address: BindAddress
  private let logger: Logger
  private let onListening: @Sendable (Int) async -> Void

  /// A service that listens when it is run.
  /// - Parameters:
  ///   - classifier: what answers.
  ///   - host: the address to listen at.
  ///   - port: the port to listen at; 0 for a free one.
  ///   - logger: gets what is not the client's mistake.
  ///   - onListening: called with the port once connections are accepted.
  public init(
    _ classifier: Classifier, host: String = "127.0.0.1", port: Int,
    logger: Logger = Logger(label: "norma-server"),
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) {
    self.classifier = classifier
    self.address = .hostname(host, port: port)
    self.logger = logger
    self.onListening = onListening
  }

  /// Serves until the group it belongs to shuts down; answers under way are finished first.
  public func run() async throws {
    let application = Application(
      router: router(),
      // A client that says nothing for so long is disconnected.
      server: .http1(configuration: .init(idleTimeout: .seconds(30))),
      configuration: ApplicationConfiguration(address: address, serverName: "norma-server"),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
      logger: logger)
    try await application.run()
  }

  /// Serves until SIGTERM or SIGINT, and then for at most five seconds more.
  public func runUntilSignal() async throws {
    var configuration = ServiceGroupConfiguration(
      services: [self], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    try await ServiceGroup(configuration: configuration).run()
  }

  private func router() -> Router<BasicRequestContext> {
    let counts = RequestCounts()
    let router = Router()
    router.add(middleware: PlainErrors(counts: counts))
    router.get("health") { _, _ in Response.plain("ok") }
    router.get("metrics") { _, _ in Response.plain(counts.text) }
    router.post("classify") { request, context in
      let body = try await request.body.collect(upTo: RequestImage.byteLimit)
      return try classify(Array(buffer: body), context.logger)
    }
    return router
  }

  private struct Answer: Encodable {
    let `class`: String
    let probabilities: [String: Double]
  }

  private func classify(_ body: [UInt8], _ logger: Logger) throws -> Response {
    let image = try RequestImage.decode(body, shape: classifier.imageShape)
    let shares: [Double]
    do {
      shares = try classifier.probabilities(of: image)
    } catch let error as TensorError {
      // The image was checked, so this is no mistake of the client: memory, or the network.
      logger.error("\(error)")
      throw HTTPError(.internalServerError, message: "the image could not be classified")
    }
    // A network whose training diverged answers NaN, which is no JSON.
    guard shares.allSatisfy(\.isFinite),
      let best = zip(Classifier.classNames, shares).max(by: { $0.1 < $1.1 })
    else {
      logger.error("the network's probabilities are \(shares)")
      throw HTTPError(.internalServerError, message: "the network has no answer to this image")
    }
    let answer = Answer(
      class: best.0,
      probabilities: Dictionary(uniqueKeysWithValues: zip(Classifier.classNames, shares)))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(answer))))
  }
}
