import Foundation
import Norma

/// `norma bench --memory`: whether the memory of a training loop stays constant.
///
/// Runs a thousand steps of a small residual network, and prints the memory of the process and of
/// tensors every hundred steps.
struct MemoryCheck {
  var steps = 1000
  var every = 100

  struct Point: Encodable {
    let step: Int
    /// The resident memory according to the system, in bytes; nil if unknown.
    let resident: Int?
    let tensors, cached: Int
  }

  func run(_ show: (Point) throws -> Void) rethrows {
    let network = ResidualNetwork(width: 8)
    let optimizer = AdamW(network.parameters, learningRate: 1e-3)
    let x = Tensor.randn(16, 1, 28, 28)
    let labels = Tensor.randint([16], low: 0, high: 10)
    for step in 1...steps {
      let loss = crossEntropy(network(x), labels)
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
      if step % every == 0 {
        let usage = TensorMemory.usage
        try show(
          Point(
            step: step, resident: MemoryCheck.resident, tensors: usage.inUse, cached: usage.cached))
      }
    }
  }

  static func line(_ point: Point) -> String {
    func megabytes(_ bytes: Int) -> String { decimal(Double(bytes) / 1e6, 1) }
    return "step \(point.step): resident \(point.resident.map(megabytes) ?? "?") MB, tensors "
      + "\(megabytes(point.tensors)) MB, kept for reuse \(megabytes(point.cached)) MB"
  }

  /// The resident memory of this process.
  static var resident: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return nil
    }
    return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      .map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
  }
}
