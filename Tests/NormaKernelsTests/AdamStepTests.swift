import CNormaLoops
import NormaKernels
import Testing

/// The loop of Adam's step, number by number.
@Suite(.serialized) struct AdamStepTests {
  @Test(arguments: [0, 1, 16, 47, 17_003], [0, 0.25])
  func everyLevelGivesTheBitsOfItsOperations(_ count: Int, _ joined: Double) {
    func values(_ factor: Float) -> [Float] {
      (0..<count).map { Float($0 % 1013) * factor - 200 * factor }
    }
    let (value, gradient, mean) = (values(0.37), values(-0.011), values(0.003))
    let square = values(0.7).map(\.magnitude)
    let (decay, meanShare, squareKept, squareShare) = (0.999, 0.1, 0.95, 0.05)
    let (size, scale, eps) = (0.01, 1.25, 1e-8)
    let step = AdamStep(
      decay: decay, joined: joined, meanShare: meanShare, squareKept: squareKept,
      squareShare: squareShare, size: size, scale: scale, eps: eps)

    var wanted: [[Float]] = [[], [], []]
    for i in 0..<count {
      let p = value[i]
      let g = joined == 0 ? gradient[i] : gradient[i] + p * Float(joined)
      let m = mean[i] + (g - mean[i]) * Float(meanShare)
      let v = square[i] * Float(squareKept) + g * g * Float(squareShare)
      let root = v.squareRoot() * Float(scale) + Float(eps)
      wanted[0].append(p * Float(decay) - m * Float(size) / root)
      wanted[1].append(m)
      wanted[2].append(v)
    }

    defer { norma_loops_select(norma_loops_best_level()) }
    for level in 0...norma_loops_best_level() {
      norma_loops_select(level)
      for (threads, isStreamed, offset) in [(1, false, 0), (2, true, 0), (3, true, 4)] {
        var next = [[Float]](repeating: [Float](repeating: .nan, count: count + 4), count: 3)
        value.withUnsafeBytes { value in
          gradient.withUnsafeBytes { gradient in
            mean.withUnsafeBytes { mean in
              square.withUnsafeBytes { square in
                next.run(
                  step, count, (value, gradient, mean, square), offset, isStreamed, threads)
              }
            }
          }
        }
        let got = next.map { $0[(offset / 4)...].prefix(count).map(\.bitPattern) }
        #expect(got == wanted.map { $0.map(\.bitPattern) }, "level \(level), \(threads) threads")
      }
    }
  }
}

extension [[Float]] {
  /// Runs the step in place on these three, from a byte offset on.
  fileprivate mutating func run(
    _ step: AdamStep, _ count: Int,
    _ operands: (
      UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer
    ), _ offset: Int, _ isStreamed: Bool, _ threads: Int
  ) {
    var (value, mean, square) = (self[0], self[1], self[2])
    value.withUnsafeMutableBytes { value in
      mean.withUnsafeMutableBytes { mean in
        square.withUnsafeMutableBytes { square in
          guard let a = operands.0.baseAddress, let b = operands.1.baseAddress,
            let c = operands.2.baseAddress, let d = operands.3.baseAddress,
            let to = value.baseAddress, let toMean = mean.baseAddress,
            let toSquare = square.baseAddress
          else { return }
          step.run(
            count,
            AdamStep.Memory(
              value: a, gradient: b, mean: c, square: d,
              into: (to + offset, toMean + offset, toSquare + offset)),
            isStreamed: isStreamed, threads: threads)
        }
      }
    }
    self = [value, mean, square]
  }
}
