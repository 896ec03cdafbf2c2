import Foundation
import Norma
import Testing

@testable import ClassifierServer

extension ServerTests {
  @Suite struct BadRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let body: Data
      var status = 400
      /// What the answer says.
      let text: String

      init(_ name: String, _ body: Data, status: Int = 400, _ text: String) {
        testDescription = name
        self.body = body
        self.status = status
        self.text = text
      }

      init(_ name: String, _ body: String, _ text: String) {
        self.init(name, Data(body.utf8), text)
      }
    }

    private static func cases() throws -> [Case] {
      let (png, jpeg) = (try Fixture.data("trouser.png"), try Fixture.data("trouser.jpg"))
      let row = Array(repeating: "0", count: 784)
      func array(_ last: String) -> String {
        "[\((row.dropLast() + [last]).joined(separator: ","))]"
      }
      var damaged = png
      damaged[png.count / 2] ^= 0xff
      return [
        Case("nothing", "", "is not a supported image"),
        Case("text", "no image at all", "is not a supported image"),
        Case("an object", #"{"image": []}"#, "is not a supported image"),
        Case("half a PNG", png.prefix(png.count / 2), "is not a valid PNG image"),
        Case("a PNG's first bytes", png.prefix(8), "is not a valid PNG image"),
        Case("a damaged PNG", damaged, "is not a valid PNG image"),
        Case("half a JPEG", jpeg.prefix(jpeg.count / 2), "is not a valid JPEG image"),
        Case("16 bits", try Fixture.data("sixteen-bits.png"), "16 bits a pixel"),
        Case("64 million pixels", try Fixture.data("bomb.png"), "8000 x 8000 pixels"),
        Case("no numbers", "[]", "has 0 numbers; 28 x 28 = 784 are needed"),
        Case("a number too few", "[\(row.dropLast().joined(separator: ","))]", "has 783 numbers"),
        Case("a number too many", "[\((row + ["0"]).joined(separator: ","))]", "has 785 numbers"),
        Case("half an array", String(array("0").dropLast(9)), "no array of numbers"),
        Case("NaN", array("NaN"), "no array of numbers"),
        Case("null", array("null"), "no array of numbers"),
        Case("text among numbers", array(#""0""#), "no array of numbers"),
        Case("a large number", array("256"), "no gray levels from 0 to 255"),
        Case("a negative number", array("-1"), "no gray levels from 0 to 255"),
        Case("rows", "[[0, 0], [0, 0]]", "no array of numbers"),
        Case("deep", String(repeating: "[", count: 60_000), "no array of numbers"),
        Case("no UTF-8", Data([0x5b, 0xff, 0xfe, 0x5d]), "no array of numbers"),
        Case("large", Data(count: RequestImage.byteLimit + 1), status: 413, "Content Too Large"),
        Case("very large", Data(count: 8 << 20), status: 413, "Content Too Large"),
      ]
    }

    @Test func areAnsweredWithTheReason() async throws {
      let cases = try Self.cases()
      try await TestServer.run(Fixture.trained()) { server in
        for request in cases {
          let answer = try await server.classify(request.body)
          #expect(answer.status == request.status, "\(request.testDescription): \(answer)")
          #expect(answer.text.contains(request.text), "\(request.testDescription): \(answer)")
          #expect(answer.type.hasPrefix("text/plain"), "\(request.testDescription): \(answer)")
        }
        #expect(try await server.classify(Fixture.data("trouser.png")).status == 200)
      }
    }

    /// Of more than Float's range: Foundation may read it as infinity or refuse it.
    @Test func numbersBeyondFloatAreRefused() async throws {
      let body = "[\(Array(repeating: "1e99", count: 784).joined(separator: ","))]"
      try await TestServer.run(Fixture.trained()) { server in
        let answer = try await server.classify(Data(body.utf8))
        #expect(answer.status == 400)
      }
    }

    @Test func imagesOfAnotherSizeAreRefused() async throws {
      try await TestServer.run(Fixture.random(image: "30 x 28")) { server in
        let answer = try await server.classify(Fixture.data("trouser.png"))
        #expect(answer.status == 400)
        #expect(answer.text.contains("28 x 28 pixels; the network was trained on 30 x 28"))
      }
    }

    @Test func otherPathsAndMethodsAreNotFound() async throws {
      try await TestServer.run(Fixture.trained()) { server in
        let answers = [
          try await server.get("nowhere"), try await server.get("classify"),
          try await server.send("POST", "health", Data()),
        ]
        #expect(answers.map(\.status) == [404, 404, 404])
        #expect(answers.map(\.text) == Array(repeating: "Not Found\n", count: 3))
        #expect(try await server.metric(#"norma_requests_total{status="404"}"#) == 3)
      }
    }

    @Test func aNetworkWithoutAnswersIsTheServersFault() async throws {
      let network = Fixture.network(seed: 0)
      network.fc.weight.value = network.fc.weight.value * Float.nan
      let classifier = try Classifier(network, width: 2, imageShape: [28, 28])
      try await TestServer.run(classifier) { server in
        let answer = try await server.classify(Fixture.data("trouser.png"))
        #expect(answer.status == 500)
        #expect(answer.text == "the network has no answer to this image\n")
      }
    }

    /// Every fifth request of eight clients is a bad one.
    @Test func goodRequestsBesideThemAreAnswered() async throws {
      let bad = try Self.cases()
      let good = try Fixture.data("trouser.png")
      try await TestServer.run(Fixture.trained()) { server in
        let expected = try await server.classify(good)
        @Sendable func round() async throws {
          try await withThrowingTaskGroup { group in
            for client in 0..<8 {
              group.addTask {
                for number in stride(from: client, to: 240, by: 8) {
                  let request = number % 5 == 0 ? bad[number / 5 % bad.count] : nil
                  let answer = try await server.classify(request?.body ?? good)
                  if let request {
                    #expect(answer.status == request.status, "\(request.testDescription)")
                  } else {
                    #expect(answer == expected)
                  }
                }
              }
            }
            try await group.waitForAll()
          }
        }
        // Networks are made for requests that are answered at the same time, and kept.
        try await round()
        try await round()
        let before = try #require(try await server.metric("norma_tensor_memory_in_use_bytes"))
        try await round()
        let after = try #require(try await server.metric("norma_tensor_memory_in_use_bytes"))
        #expect(after <= before)
        #expect(try await server.metric(#"norma_requests_total{status="200"}"#) == 1 + 3 * 192 + 2)
      }
    }
  }
}
