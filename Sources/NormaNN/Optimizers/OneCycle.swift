import Foundation
import NormaTensor

/// Rises from maximum / `initialDivisor` to the maximum, then falls to the initial rate /
/// `finalDivisor`, while momentum falls and rises. PyTorch: `OneCycleLR`. Source: Smith and Topin
/// (2017).
public struct OneCycle: LearningRateSchedule {
  private let maximum: Double
  private let ends: [Double]
  private let momenta: [Double]?
  private let rates: [Double]
  private let isLinear: Bool

  /// A cycle of `totalSteps` steps, of which the fraction `warmup` rises; the last of these is
  /// already at the maximum. `momentum` is lowest where the rate is highest; nil leaves it
  /// unchanged.
  ///
  /// With `threePhases` the fall to the initial rate is as long as the rise, so `warmup` is at most
  /// one half.
  public init(
    maximum: Double, totalSteps: Int, warmup: Double = 0.3, isLinear: Bool = false,
    momentum: ClosedRange<Double>? = 0.85...0.95, initialDivisor: Double = 25,
    finalDivisor: Double = 1e4, threePhases: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let longest = threePhases ? 0.5 : 1
    var problem: String?
    if totalSteps < 1 { problem = "totalSteps must be positive, got \(totalSteps)" }
    if !(warmup >= 0 && warmup <= longest) {
      problem = "warmup must be in 0 ... \(longest), got \(warmup)"
    }
    if !(initialDivisor > 0 && finalDivisor > 0) {
      problem = "divisors must be positive, got \(initialDivisor) and \(finalDivisor)"
    }
    if let problem = problem ?? negativeOption(("maximum", maximum)) {
      report(TensorError("OneCycle(maximum:totalSteps:)", problem), file: file, line: line)
    }
    self.maximum = maximum
    self.isLinear = isLinear
    let total = Double(totalSteps)
    let (first, last) = (maximum / initialDivisor, maximum / initialDivisor / finalDivisor)
    if threePhases {
      ends = [warmup * total - 1, 2 * warmup * total - 2, total - 1]
      rates = [first, maximum, first, last]
      momenta = momentum.map { [$0.upperBound, $0.lowerBound, $0.upperBound, $0.upperBound] }
    } else {
      ends = [warmup * total - 1, total - 1]
      rates = [first, maximum, last]
      momenta = momentum.map { [$0.upperBound, $0.lowerBound, $0.upperBound] }
    }
  }

  /// The learning rate at a step; `base` is ignored.
  public func learningRate(at step: Int, base: Double) -> Double { value(rates, at: step) }

  /// The momentum at a step.
  public func momentum(at step: Int) -> Double? { momenta.map { value($0, at: step) } }

  private func value(_ values: [Double], at step: Int) -> Double {
    let at = Double(step)
    var start = 0.0
    for (phase, end) in ends.enumerated() {
      if at <= end || phase == ends.count - 1 {
        // A phase of length 0 is over when it starts.
        let part = end > start ? min((at - start) / (end - start), 1) : 1
        let (from, to) = (values[phase], values[phase + 1])
        return isLinear
          ? (to - from) * part + from : to + (from - to) / 2 * (1 + cos(Double.pi * part))
      }
      start = end
    }
    return values[values.count - 1]
  }
}
