import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// Mistakes with groups, half types, padding and running statistics of single samples.
@Suite struct GroupMistakeTests {
  private func group(_ change: (inout HandMade) -> Void, scale: Double = 1) -> Explanation {
    let x = Subject.group.input(scale: scale)
    var formula = Subject.group.right
    change(&formula)
    return Subject.group.explain(x, expecting: formula(x))
  }

  @Test func interleavedGroups() {
    // Channel c is in group c % 3 instead of c / 4.
    let found = group { ($0.shape, $0.axes) = ([3, 4, 3, 5, 4], [1, 3, 4]) }
    #expect(names(found) == [.groupAssignment])
    #expect(found.causes.first?.yours == "channel c is in group c % 3")
    #expect(found.causes.first?.layers == "3 groups of 4 neighboring channels")
  }

  @Test(arguments: [2, 4, 6])
  func anotherNumberOfGroups(groups: Int) {
    let found = group { ($0.shape, $0.axes) = ([3, groups, 12 / groups, 5, 4], [2, 3, 4]) }
    #expect(names(found) == [.groupAssignment])
    #expect(found.causes.first?.yours == "\(groups) groups of \(12 / groups) channels")
  }

  @Test func reshapedAsIfChannelsCameLast() {
    let found = group { ($0.shape, $0.axes) = ([3, 20, 3, 4], [1, 3]) }
    #expect(names(found) == [.groupAssignment])
  }

  @Test func groupsOfTheWholeBatch() {
    let found = group { ($0.shape, $0.axes) = ([3, 240], [1]) }
    #expect(names(found).isEmpty == false)
    #expect(names(group { ($0.shape, $0.axes) = ([3, 3, 4, 5, 4], [0, 2, 3, 4]) }) == [.axes])
  }

  @Test func interleavedGroupsAndMore() {
    let found = group(
      {
        ($0.shape, $0.axes) = ([3, 4, 3, 5, 4], [1, 3, 4])
        $0.eps = 1e-3
        $0.correction = 1
      }, scale: 0.05)
    #expect(Set(names(found)) == [.groupAssignment, .epsilonValue, .correction])
  }

  @Test func oneWeightForEachGroup() {
    let found = group {
      func stretched(_ values: Tensor?) -> Tensor? {
        let first = (values?.array(of: Float.self) ?? []).prefix(3)
        return Tensor(first.flatMap { [$0, $0, $0, $0] }, shape: [1, 12, 1, 1])
      }
      ($0.weight, $0.bias) = (stretched($0.weight), stretched($0.bias))
    }
    #expect(names(found) == [.affine])
  }

  @Test func everyHeadByItself() {
    let x = Subject.layer.input()
    for subject in [Subject.layer, .rms] {
      var formula = subject.right
      (formula.shape, formula.axes) = ([6, 5, 4, 6], [3])
      #expect(names(subject.explain(x, expecting: formula(x))) == [.groupAssignment])
    }
  }

  @Test func weightsAlongAnotherAxis() {
    let values = (0..<8).map { Float(0.5 + 0.2 * Double($0)) }
    let norm = LayerNorm(8, bias: false)
    norm.weight?.value = Tensor(values)
    let x = Tensor(
      Subject.layer.input().array(of: Float.self).prefix(320).map { $0 }, shape: [5, 8, 8])
    var formula = HandMade(axes: [2], weight: Tensor(values, shape: [8, 1]))
    #expect(names(norm.explain(x, expecting: formula(x))) == [.affine])
    formula.weight = Tensor(values)
    #expect(names(norm.explain(x, expecting: formula(x))).isEmpty)
  }

  @Test(arguments: [DType.float16, .bfloat16])
  func halfTypesOnTheWay(type: DType) {
    let norm = RMSNorm(24, eps: 1e-5)
    norm.weight?.value = Subject.rms.right.weight ?? .ones(24)
    let x = Subject.rms.input().cast(to: type).evaluated()
    var formula = Subject.rms.right
    let weight = formula.weight?.cast(to: type)
    norm.weight?.value = weight ?? .ones(24)
    formula.weight = nil
    let normalized = formula(x.cast(to: .float32)).cast(to: type).evaluated()
    let early = (normalized * (weight ?? .ones(24))).evaluated()
    let found = norm.explain(x, expecting: early)
    #expect(names(found) == [.rounding])
    #expect(found.causes.first?.alternatives == [.orderOfOperations])
    #expect(abs((found.causes.first?.share ?? 0) - 1) < 1e-3)
    // Rounded once, at the end, as the layer does.
    formula.weight = weight?.cast(to: .float32)
    let once = formula(x.cast(to: .float32)).cast(to: type).evaluated()
    #expect(names(norm.explain(x, expecting: once)).isEmpty)
  }

  @Test func anInputRoundedFirst() {
    let x = Subject.layer.input()
    let rounded = x.cast(to: .bfloat16).cast(to: .float32).evaluated()
    let found = Subject.layer.explain(x, expecting: Subject.layer.right(rounded))
    #expect(names(found) == [.rounding])
  }

  @Test func paddingLeftOut() {
    let x = Subject.layer.input()
    let lengths = [24, 17, 9, 24, 20, 12]
    let kept = lengths.flatMap { length in (0..<24).map { Float($0 < length ? 1 : 0) } }
    let mask = Tensor(kept, shape: [6, 1, 24])
    let counts = mask.sum(over: 2, keepDims: true).evaluated()
    for correction in [0.0, 1.0] {
      let mean = ((x * mask).sum(over: 2, keepDims: true) / counts).evaluated()
      let squares = ((x - mean).squared() * mask).sum(over: 2, keepDims: true)
      let variance = (squares / (counts - correction)).evaluated()
      let y = ((x - mean) / (variance + 1e-5).sqrt()).evaluated()
      let found = InstanceNorm1d(5).explain(x, expecting: y, mask: mask)
      #expect(names(found) == (correction == 0 ? [.mask] : [.mask, .correction]))
    }
  }

  @Test func oneSampleWithoutABatch() {
    let x = Tensor(
      Subject.instance.input().array(of: Float.self).prefix(252).map { $0 }, shape: [6, 7, 6])
    let norm = InstanceNorm2d(6)
    let right = HandMade(axes: [1, 2])
    #expect(norm.explain(x, expecting: right(x)).agrees)
    #expect(norm.explain(x).statistics.unit == "channel")
    let found = norm.explain(x, expecting: HandMade(axes: [0, 1, 2])(x))
    #expect(names(found) == [.axes])
  }

  @Test func runningStatisticsOfInstances() {
    let norm = InstanceNorm2d(6, affine: true, trackRunningStats: true)
    let x = Subject.instance.input()
    let mean = x.mean(over: 0, 2, 3)
    let own = x.variance(over: 2, 3).mean(over: 0)
    #expect(names(norm.explain(x, expectingRunningMean: (0.1 * mean).evaluated())).isEmpty)
    let right = (0.9 + 0.1 * own).evaluated()
    #expect(names(norm.explain(x, expectingRunningVariance: right)).isEmpty)
    let biased = (0.9 + 0.1 * x.variance(over: [2, 3], correction: 0).mean(over: 0)).evaluated()
    #expect(
      names(norm.explain(x, expectingRunningVariance: biased)) == [.runningVarianceCorrection])
    let whole = (0.9 + 0.1 * x.variance(over: 0, 2, 3)).evaluated()
    #expect(names(norm.explain(x, expectingRunningVariance: whole)) == [.axes])
    norm.eval()
    norm.runningMean?.value = mean
    norm.runningVar?.value = own
    let found = norm.explain(x, expecting: HandMade(axes: [2, 3])(x))
    #expect(names(found) == [.runningVersusBatch])
    #expect(found.statistics.axes == [0, 2, 3] && found.statistics.unit == "channel")
  }

  @Test func mistakesInTheCallAreErrors() {
    let x = Tensor.ones(4, 6, 5)
    let calls: [() -> Explanation] = [
      { LayerNorm(4).explain(x) },
      { LayerNorm([6, 4]).explain(x) },
      { LayerNorm(5).explain(x, expecting: .ones(4, 6)) },
      { LayerNorm(5).explain(x, mask: .ones(3, 6, 5)) },
      { RMSNorm(5).explain(.ones(0, 5)) },
      { GroupNorm(2, 4).explain(x) },
      { GroupNorm(2, 2).explain(.ones(1, 2, 1)) },
      { InstanceNorm2d(5, affine: true).explain(x) },
      { InstanceNorm1d(6).explain(.ones(4, 6, 1)) },
      { LayerNorm(5).explain(Tensor([1, 2, 3, 4, 5] as [Int32])) },
    ]
    for (index, call) in calls.enumerated() {
      #expect(throws: TensorError.self, "call \(index)") { try catchingTensorErrors { call() } }
    }
  }

  @Test func namedAxes() {
    let x = Subject.image.input()
    let norm = LayerNorm(6, axis: 1, elementwiseAffine: false)
    #expect(norm.explain(x, expecting: HandMade(axes: [1])(x)).agrees)
    #expect(norm.explain(x).statistics.axes == [1])
    #expect(names(norm.explain(x, expecting: HandMade(axes: [3])(x))) == [.axes])
    #expect(
      names(norm.explain(x, expecting: HandMade(axes: [1], correction: 1)(x))) == [.correction])
  }
}
