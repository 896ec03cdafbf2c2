import NormaReference
import NormaTensor
import Testing

/// Fusion never changes a number: random programs give the same bits as their instructions run
/// separately.
@Suite struct FusionTests {
  static let shapes = [[2, 3, 4, 5], [65, 33], [7], [3, 1800], [2, 40, 30], []]

  @Test(arguments: 0..<6)
  func cutAtEveryInstruction(part: Int) {
    var random = TestRandom(for: "\(#function) \(part)")
    for _ in 0..<part { _ = random.next() }
    for round in 0..<60 {
      let shape = Self.shapes[round % Self.shapes.count]
      var program = RandomProgram(shape, &random)
      for _ in 0..<2 + Int(random.next() % 11) { program.extend(&random) }
      // The last first: the others that it needs are computed along the way.
      for (number, value) in program.values.enumerated().reversed() {
        if !isSame(value.fused, value.cut) {
          let text = program.text.joined(separator: "\n")
          Issue.record("%\(number) differs in round \(round) of part \(part)\n\(text)")
          break
        }
      }
    }
  }

  /// Statistics in the middle, which run before the program or slice by slice with it.
  @Test(arguments: 0..<6)
  func statisticsInTheMiddle(part: Int) {
    var random = TestRandom(for: "\(#function) \(part)")
    for _ in 0..<part { _ = random.next() }
    let shapes = [[16, 300], [8, 12, 20], [3, 4, 4, 40], [20, 20], [6, 6, 6], [2, 16, 5, 5]]
    for round in 0..<60 {
      var program = RandomProgram(shapes[round % shapes.count], &random, inputs: 2)
      for _ in 0..<2 + Int(random.next() % 9) { program.extend(&random, reductions: true) }
      for (number, value) in program.values.enumerated().reversed() {
        if !isSame(value.fused, value.cut) {
          let text = program.text.joined(separator: "\n")
          Issue.record("%\(number) differs in round \(round) of part \(part)\n\(text)")
          break
        }
      }
    }
  }

  /// The same with a reduction at the end, over every subset of axes.
  @Test(arguments: 0..<4)
  func reductionsAtTheEnd(part: Int) {
    var random = TestRandom(for: "\(#function) \(part)")
    for _ in 0..<part { _ = random.next() }
    for shape in [[3, 4, 5], [20, 70], [2, 3, 8, 9], [64, 2]] {
      for subset in subsets(shape.count) {
        var program = RandomProgram(shape, &random, inputs: 2)
        for _ in 0..<1 + Int(random.next() % 5) { program.extend(&random) }
        guard let (fused, cut) = program.values.last else { continue }
        let axes = subset.filter { $0 < fused.rank }
        let real: DType = fused.dtype.isFloatingPoint ? fused.dtype : .float32
        for reduction in [Statistic.sum, .variance, .maximum, .mean] {
          let isReal = reduction == .variance || reduction == .mean
          let (a, b) = isReal ? (fused.cast(to: real), cut.cast(to: real)) : (fused, cut)
          let expected = reduction.of(b.evaluated(), axes, keepDims: false)
          if !isSame(reduction.of(a, axes, keepDims: false), expected) {
            Issue.record("\(reduction) over \(axes)\n\(program.text.joined(separator: "\n"))")
          }
        }
      }
    }
  }

  /// Views of pending values, and reductions of views.
  @Test(arguments: 0..<3)
  func viewsOfPendingValues(part: Int) {
    var random = TestRandom(for: "\(#function) \(part)")
    for _ in 0..<part { _ = random.next() }
    for _ in 0..<60 {
      var program = RandomProgram([3, 4, 10], &random, inputs: 2)
      for _ in 0..<1 + Int(random.next() % 4) { program.extend(&random) }
      guard let (fused, cut) = program.values.last else { continue }
      let (first, second) = (random.next() >> 8, random.next() >> 8)
      func end(_ x: Tensor) -> [Tensor] {
        let view = x.viewed(first)
        let more = (view.cast(to: .float32) * 2).viewed(second)
        return [view, more, more.sum(over: 0), more.std(over: -1), more.max()]
      }
      for (a, b) in zip(end(fused), end(cut)) {
        #expect(isSame(a, b), "\(program.text) \(first % 5) \(second % 5)")
      }
    }
  }

  /// A printed program runs as printed: the inputs it names are evaluated.
  @Test func programsCanBePrinted() {
    let x = Tensor([200, 100] as [UInt8])
    let y = (x + 100) / 2
    #expect(
      y.programDescription == """
        %0 = input uint8 [2]
        %1 = 100
        %3 = 2
        %2 = add uint8 %0, %1
        %4 = to float32 %2
        %5 = divide float32 %4, %3
        """)
    y.evaluated()
    #expect(y.programDescription == nil)
  }
}
