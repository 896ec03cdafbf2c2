import Foundation

/// The paths through T steps that spell a target, by the forward and backward recursions in
/// logarithms.
///
/// At every step a path is in one of 2 S + 1 states: blank, first label, blank, second label, and
/// so on. It stays, advances, or skips a blank between different labels.
struct CTCPaths {
  /// The class of each state.
  let states: [Int]
  private let steps: Int
  /// The log-probability of each step and state.
  private let emissions: [Double]
  /// The log-probability of all paths that are in a state at a step, up to that step.
  private let forward: [Double]
  /// -log of the probability of all paths.
  let loss: Double

  /// - Parameter emission: the log-probability of a step and a class.
  init(_ labels: [Int], blank: Int, steps: Int, emission: (_ step: Int, _ label: Int) -> Double) {
    var states = [blank]
    for label in labels { states += [label, blank] }
    let count = states.count
    var emissions: [Double] = []
    emissions.reserveCapacity(steps * count)
    for step in 0..<steps {
      for label in states { emissions.append(emission(step, label)) }
    }
    var forward = [Double](repeating: -.infinity, count: steps * count)
    for step in 0..<steps {
      for state in 0..<count {
        var sum = step == 0 && state < 2 ? 0 : -Double.infinity
        if step > 0 {
          let before = (step - 1) * count + state
          sum = forward[before]
          if state > 0 { sum = Self.added(sum, forward[before - 1]) }
          if Self.canSkip(to: state, states) { sum = Self.added(sum, forward[before - 2]) }
        }
        forward[step * count + state] = sum + emissions[step * count + state]
      }
    }
    var total = steps == 0 && count == 1 ? 0 : -Double.infinity
    if steps > 0 {
      total = forward[steps * count - 1]
      if count > 1 { total = Self.added(total, forward[steps * count - 2]) }
    }
    (self.states, self.steps, self.emissions, self.forward) = (states, steps, emissions, forward)
    loss = 0 - total
  }

  /// Calls `body` with the share of the paths in each state at each step, from the last step to the
  /// first.
  func forEachShare(
    _ body: (_ step: Int, _ state: Int, _ share: Double) -> Void, endOfStep: (_ step: Int) -> Void
  ) {
    let count = states.count
    // The paths after a step, without the step itself, so that a probability of 0 does not discard
    // them.
    var after = [Double](repeating: -.infinity, count: count)
    for step in (0..<steps).reversed() {
      if step == steps - 1 {
        for state in max(count - 2, 0)..<count { after[state] = 0 }
      } else {
        let next = (0..<count).map { after[$0] + emissions[(step + 1) * count + $0] }
        for state in 0..<count {
          after[state] = next[state]
          if state + 1 < count { after[state] = Self.added(after[state], next[state + 1]) }
          if state + 2 < count, Self.canSkip(to: state + 2, states) {
            after[state] = Self.added(after[state], next[state + 2])
          }
        }
      }
      for state in 0..<count {
        body(step, state, exp(forward[step * count + state] + after[state] + loss))
      }
      endOfStep(step)
    }
  }

  /// Whether a path may reach a state from two states before it.
  private static func canSkip(to state: Int, _ states: [Int]) -> Bool {
    state >= 3 && state % 2 == 1 && states[state] != states[state - 2]
  }

  /// log(eᵃ + eᵇ)
  private static func added(_ a: Double, _ b: Double) -> Double {
    let largest = a > b ? a : b
    // The sum is NaN if one of them is.
    if largest == -.infinity { return a + b }
    return largest + log(exp(a - largest) + exp(b - largest))
  }
}
