/// Answers questions that a capture may not contain: what layers see with another epsilon, and the
/// effect of a single layer. A live network is called again; a file has only what was written.
protocol CaptureProber {
  /// What every layer sees, by name, when some layers have another epsilon; nil if unknown.
  func moments(epsilon: Double, layers: [String]) -> [String: SampleMoments]?
  /// The network's result when only one layer normalizes with the batch; nil if unknown.
  func result(alone layer: String) -> [Double]?
}

/// The answers in a file.
struct WrittenProbes: CaptureProber {
  let capture: NetworkCapture

  func moments(epsilon: Double, layers: [String]) -> [String: SampleMoments]? {
    capture.probes.first {
      Set($0.layers) == Set(layers) && abs($0.epsilon - epsilon) <= 1e-6 * epsilon
    }?.moments
  }

  func result(alone layer: String) -> [Double]? { capture[layer]?.aloneResult }
}
