// A service: eight tasks answer requests with one network, and outlive bad ones.

import Norma

final class Classifier: Module, Layer {
  let hidden = Linear(16, 32)
  let out = Linear(32, 3)

  func callAsFunction(_ x: Tensor) -> Tensor { out(hidden(x).relu()) }
}

struct Request: Sendable {
  /// Rows of numbers, a few at a time.
  let parts: [[[Float]]]
}

struct Service: Sendable {
  let network: Snapshot<Classifier>
  let names = ["cat", "dog", "bird"]

  /// A name for each row, drawn as likely as the network says. All tasks draw from one generator.
  func answer(_ request: Request) async throws -> [String] {
    var found: [String] = []
    for part in request.parts {
      // Norma does not look at cancellation inside of a call: look between calls.
      try Task.checkCancellation()
      found += try name(part)
      await Task.yield()
    }
    return found
  }

  private func name(_ rows: [[Float]]) throws -> [String] {
    try catchingTensorErrors {
      try withThreads(1) {
        try network { network in
          let scores = try network(Tensor(rows)).validated()
          return Tensor.categorical(logits: scores).array(of: Int.self).map { names[$0] }
        }
      }
    }
  }
}

actor Journal {
  private(set) var answered = 0, cancelled = 0
  private(set) var mistakes: [String: Int] = [:]

  func note(_ result: Result<[String], any Error>) {
    switch result {
    case .success: answered += 1
    case .failure(let error as TensorError):
      let place = "\(error.file ?? "?"):\(error.line ?? 0), layer \(error.layer ?? "?")"
      mistakes["\(place): \(error.reason)", default: 0] += 1
    case .failure(is CancellationError): cancelled += 1
    case .failure(let error): mistakes["\(error)", default: 0] += 1
    }
  }
}

manualSeed(0)
let service = Service(network: try Snapshot(of: Classifier()) { Classifier() })
let journal = Journal()

let requests = (0..<400).map { number in
  // Every 50th client sends 17 numbers where the network takes 16.
  let width = number % 50 == 9 ? 17 : 16
  let row = (0..<width).map { Float(($0 * 7 + number) % 5) - 2 }
  return Request(parts: Array(repeating: [row, row], count: 4))
}

await withTaskGroup { group in
  for worker in 0..<8 {
    group.addTask {
      for number in stride(from: worker, to: requests.count, by: 8) {
        let task = Task { try await service.answer(requests[number]) }
        if number % 40 == 3 { task.cancel() }  // the client has gone
        await journal.note(await task.result)
      }
    }
  }
}

print(await journal.answered, "answered,", await journal.cancelled, "cancelled")
for (text, count) in await journal.mistakes { print(count, "times:", text) }
print(TensorMemory.usage.inUse, "bytes in use")
