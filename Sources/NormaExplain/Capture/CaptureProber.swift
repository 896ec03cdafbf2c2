/// Answers what a capture alone may not hold: what layers see with another epsilon, and the effect of
/// one layer. A live network is called again; a file has what was written.
protocol CaptureProber {
  /// What every layer sees when some have another epsilon, by name; nil where that is not known.
  func moments(epsilon: Double, layers: [String]) -> [String: SampleMoments]?
  /// The network's result when one layer alone normalizes with the batch; nil where that is not known.
  func result(alone layer: String) -> [Double]?
}

/// A file, which has what was written.
struct WrittenProbes: CaptureProber {
  let capture: NetworkCapture

  func moments(epsilon: Double, layers: [String]) -> [String: SampleMoments]? {
    capture.probes.first {
      Set($0.layers) == Set(layers) && abs($0.epsilon - epsilon) <= 1e-6 * epsilon
    }?.moments
  }

  func result(alone layer: String) -> [Double]? { capture[layer]?.aloneResult }
}
