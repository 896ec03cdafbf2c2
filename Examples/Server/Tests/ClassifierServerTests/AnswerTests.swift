import Foundation
import Norma
import Testing

@testable import ClassifierServer

/// One server at a time, as they share the memory of tensors that tests look at.
@Suite(.serialized) struct ServerTests {}

extension ServerTests {
  @Suite struct AnswerTests {
    private struct Body: Decodable {
      let `class`: String
      let probabilities: [String: Double]
    }

    private func read(_ answer: TestServer.Answer) throws -> Body {
      try #require(answer.status == 200, "\(answer)")
      #expect(answer.type == "application/json")
      return try JSONDecoder().decode(Body.self, from: Data(answer.text.utf8))
    }

    /// The largest difference of two answers.
    private func error(_ found: [String: Double], _ expected: [String: Double]) -> Double {
      guard found.keys.sorted() == expected.keys.sorted() else { return .infinity }
      return found.map { abs($0.value - (expected[$0.key] ?? .nan)) }
        .reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
    }

    @Test func errorsOfAnswersAreFound() {
      #expect(error(["a": 1], ["a": 1]) == 0)
      #expect(error(["a": 1, "b": 0], ["a": 1, "b": 0.5]) == 0.5)
      #expect(error(["a": .nan], ["a": 1]) == .infinity)
      #expect(error(["a": 1], ["b": 1]) == .infinity)
    }

    /// What `norma predict` prints for the same checkpoint and images.
    private static let predicted = [
      "trouser.png": [
        "Trouser": 0.986198246, "Dress": 0.00791631825, "T-shirt/top": 0.00353595428,
        "Sandal": 0.00224725297, "Shirt": 5.34088576e-05, "Ankle boot": 3.9352577e-05,
        "Coat": 5.04453783e-06, "Bag": 3.09084498e-06, "Sneaker": 7.48776756e-07,
        "Pullover": 5.72660667e-07,
      ],
      "trouser.jpg": [
        "Trouser": 0.985724509, "Dress": 0.00826977007, "T-shirt/top": 0.00364432996,
        "Sandal": 0.00225446699, "Shirt": 5.6323388e-05, "Ankle boot": 4.05810606e-05,
        "Coat": 5.41161808e-06, "Bag": 3.19389005e-06, "Sneaker": 7.73300371e-07,
        "Pullover": 6.14474402e-07,
      ],
    ]

    @Test func imagesAreClassifiedAsByTheCommand() async throws {
      try await TestServer.run(Fixture.trained()) { server in
        for (name, shares) in Self.predicted {
          let body = try read(try await server.classify(Fixture.data(name)))
          #expect(body.class == "Trouser")
          #expect(error(body.probabilities, shares) < 1e-6, "\(name): \(body)")
        }
      }
    }

    @Test func anArrayOfGrayLevelsIsAnImage() async throws {
      let pixels = try Tensor(image: Fixture.path("trouser.png")).array(of: Int.self)
      try await TestServer.run(Fixture.trained()) { server in
        let file = try await server.classify(Fixture.data("trouser.png"))
        #expect(try await server.classify(Data(" \n\(pixels)".utf8)) == file)
        let fractions = pixels.map { Double($0) / 2 }
        #expect(try await server.classify(Data("\(fractions)".utf8)).status == 200)
      }
    }

    @Test func answersAreTheNetworksOwn() async throws {
      let seed: UInt64 = 7
      let pixels = (0..<(12 * 20)).map { ($0 * 37) % 256 }
      let network = Fixture.network(seed: seed)
      network.eval()
      let input = (Tensor(pixels.map(Float.init), shape: [1, 1, 12, 20]) / 255.0 - 0.2860) / 0.3530
      let shares = withoutGradients { network(input).softmax(over: 1) }.array(of: Double.self)
      let expected = Dictionary(uniqueKeysWithValues: zip(Classifier.classNames, shares))
      try await TestServer.run(Fixture.random(seed: seed, image: "12 x 20")) { server in
        let body = try read(try await server.classify(Data("\(pixels)".utf8)))
        #expect(error(body.probabilities, expected) < 1e-6, "\(body), not \(expected)")
        #expect(body.class == expected.max { $0.value < $1.value }?.key)
      }
    }

    @Test func healthAndMetricsAreToldAsText() async throws {
      try await TestServer.run(Fixture.trained()) { server in
        #expect(
          try await server.get("health")
            == .init(status: 200, type: "text/plain; charset=utf-8", text: "ok\n"))
        _ = try await server.classify(Fixture.data("trouser.png"))
        _ = try await server.classify(Data())
        #expect(try await server.metric(#"norma_requests_total{status="200"}"#) == 2)
        #expect(try await server.metric(#"norma_requests_total{status="400"}"#) == 1)
        let used = try #require(try await server.metric("norma_tensor_memory_in_use_bytes"))
        let peak = try #require(try await server.metric("norma_tensor_memory_peak_bytes"))
        #expect(0 < used && used <= peak)
      }
    }
  }
}
