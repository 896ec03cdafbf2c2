import Foundation
import NormaNN
import NormaTensor
import Testing

/// What Tools/make-training-fixtures.py recorded of schedules and loaders.
struct Recorded: Decodable {
  let rates: [String: [[Double]]]
  struct Order: Decodable {
    let batches: [[[Int]]]
    let next: Double
  }
  let order: [String: [String: Order]]
  let split: [[Int]]

  static func load() throws -> Recorded {
    try JSONDecoder().decode(
      Recorded.self,
      from: Data(contentsOf: URL(fileURLWithPath: fixture("schedules.json"))))
  }
}

/// Learning rates against PyTorch's over 200 steps.
@Suite struct ScheduleTests {
  static let schedules: [(String, any LearningRateSchedule)] = [
    ("step", StepDecay(every: 30, factor: 0.5)),
    ("multi_step", MultiStepDecay(at: [30, 80, 150])),
    ("exponential", ExponentialDecay(factor: 0.97)),
    ("linear", LinearWarmup(from: 0.1, steps: 50)),
    ("cosine", CosineAnnealing(steps: 200, minimum: 0.001)),
    ("restarts", CosineAnnealing(steps: 20, minimum: 0.001, restarts: true, growth: 2)),
    ("polynomial", PolynomialDecay(steps: 150, power: 2)),
    ("one_cycle", OneCycle(maximum: 0.3, totalSteps: 200)),
    (
      "one_cycle_linear", OneCycle(maximum: 0.3, totalSteps: 200, isLinear: true, threePhases: true)
    ),
    (
      "sequential",
      SequentialSchedule(
        [LinearWarmup(from: 0.1, steps: 20), ExponentialDecay(factor: 0.97)], at: [20])
    ),
    (
      "chained", ChainedSchedule(LinearWarmup(from: 0.1, steps: 20), ExponentialDecay(factor: 0.97))
    ),
  ]

  @Test(arguments: schedules.indices) func ratesOfPyTorch(_ index: Int) throws {
    let (name, schedule) = Self.schedules[index]
    let expected = try #require(try Recorded.load().rates[name])
    let optimizer = SGD([Parameter(Tensor([0.0]))], learningRate: 0.1, momentum: 0.9)
    let scheduler = Scheduler(optimizer, schedule)
    for (step, values) in expected.enumerated() {
      let group = optimizer.groups[0]
      #expect(abs(group.learningRate - values[0]) <= 1e-12 + 1e-10 * values[0], "\(name) \(step)")
      #expect(abs(group.momentum - values[1]) <= 1e-12, "\(name) \(step)")
      scheduler.step()
    }
  }

  @Test func plateau() throws {
    let expected = try #require(try Recorded.load().rates["plateau"])
    let optimizer = SGD([Parameter(Tensor([0.0]))], learningRate: 0.1)
    let plateau = ReduceOnPlateau(optimizer, factor: 0.5, patience: 2, cooldown: 1)
    for values in expected {
      plateau.step(values[0])
      #expect(abs(optimizer.groups[0].learningRate - values[1]) < 1e-12)
    }
  }
}
