import Foundation
import NormaNN
import NormaTensor

/// The recorded gradients of a model's first call, and its buffers after it.
///
/// The gradient of output number j is cos(0), cos(1), ... in row-major order. Of gradients with
/// more than 4096 elements the first 1024 are recorded.
struct ModelGradients {
  let item: ModelCase
  let model: any LoadedModel
  let isTraining: Bool

  func add(to report: inout ConformanceReport) {
    report.record("\(item.name)/gradients", operation: item.name) {
      guard let module = model.module else { throw CaseObstacle.unsupported("gradients") }
      if isTraining { module.train() } else { module.eval() }
      defer { module.eval() }
      module.zeroGrad()
      try catchingTensorErrors {
        let outputs = try model.outputs(for: item.inputs(of: 0, after: [:]))
        for (name, _) in item.calls[0].outputs {
          guard let output = outputs[name] else { continue }
          let upstream = (0..<output.count).map { Float(cos(Double($0))) }
          output.backward(upstream: Tensor(upstream).reshaped(output.shape), retainGraph: true)
        }
      }
      var actual: [String: Tensor] = [:]
      for (name, parameter) in module.namedParameters { actual[name] = parameter.grad }
      return try complaint("grad.", about: actual)
    }
    if item.names(after: "after.").isEmpty { return }
    report.record("\(item.name)/buffers", operation: item.name) {
      guard let module = model.module else { throw CaseObstacle.unsupported("buffers") }
      var actual: [String: Tensor] = [:]
      for (name, buffer) in module.namedBuffers { actual[name] = buffer.value }
      return try complaint("after.", about: actual)
    }
  }

  private func complaint(_ prefix: String, about actual: [String: Tensor]) throws -> String? {
    for name in item.names(after: prefix) {
      guard let found = actual[name] else { return "\(name) is missing" }
      let truth = try item.tensor("\(prefix)\(name).f64").flattened()
      let bound = ErrorBound(
        truth: truth, peer: try item.tensor("\(prefix)\(name).f32").flattened())
      let shown =
        found.count > 4096 && truth.count == 1024
        ? found.flattened()[0..<1024] : found.flattened()
      if let complaint = bound.complaint(about: shown) { return "\(name): \(complaint)" }
    }
    return nil
  }
}
