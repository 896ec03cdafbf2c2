import NormaNN
import NormaTensor
import Testing

/// Batch norm against numbers of PyTorch 2.13.
@Suite struct BatchNormFixtureTests {
  static let x = Tensor(
    [
      -1.75, -4.0, 2.125, 3.375, 0.0, 0.0, -5.0, -4.375, 2.625, -2.625, 4.25, -3.625, -1.875,
      -3.875, -1.75, 3.625, 1.875, 1.75, -5.0, -4.5, 4.5, -1.375, 3.875, 0.75,
    ] as [Float], shape: [3, 2, 2, 2])

  static func expectClose(
    _ found: Tensor?, _ expected: [Double], within bound: Double = 5e-7,
    location: SourceLocation = #_sourceLocation
  ) {
    let values = found?.array(of: Double.self) ?? []
    #expect(values.count == expected.count, sourceLocation: location)
    for (a, b) in zip(values, expected) {
      #expect(abs(a - b) <= bound * max(abs(b), 1), sourceLocation: location)
    }
  }

  @Test func trainingThenEvaluation() {
    let bn = BatchNorm2d(2)
    bn.weight?.value = Tensor([1.5, -0.5] as [Float])
    bn.bias?.value = Tensor([0.25, 2] as [Float])
    let y = bn(Self.x)
    Self.expectClose(
      y[0...1],
      [
        -0.3403360843658447, -1.3686635494232178, 1.430672287940979, 2.001965284347534,
        1.9256722927093506, 1.9256722927093506, 2.7365195751190186, 2.6351637840270996,
        1.6591894626617432, -0.7402412295341492, 2.4018702507019043, -1.1972756385803223,
        2.2297401428222656, 2.554079055786133, 2.2094688415527344, 1.3378080129623413,
      ])
    Self.expectClose(bn.runningMean?.value, [-0.04583333432674408, -0.04583333432674408])
    Self.expectClose(bn.runningVar?.value, [2.075094699859619, 1.9370266199111938])
    _ = bn(Self.x * 2 + 1)
    Self.expectClose(bn.runningMean?.value, [-0.03291666880249977, -0.03291666880249977])
    Self.expectClose(bn.runningVar?.value, [6.567963600158691, 5.891430377960205])
    #expect(bn.numBatchesTracked?.value.item() == 2)
    bn.eval()
    Self.expectClose(
      bn(Self.x)[2],
      [
        1.3666961193084717, 1.2935340404510498, -2.6572141647338867, -2.3645660877227783,
        1.0662362575531006, 2.2764639854431152, 1.1949838399887085, 1.8387221097946167,
      ])
  }

  @Test func theAverageOfAllBatches() {
    let bn = BatchNorm2d(2, momentum: nil)
    for k in 0..<3 { _ = bn(Self.x * Float(k + 1) + Float(k)) }
    Self.expectClose(bn.runningMean?.value, [0.08333335071802139, 0.08333335071802139])
    Self.expectClose(bn.runningVar?.value, [54.83774948120117, 48.39457321166992])
  }

  @Test func halfTypes() {
    let bn = BatchNorm2d(2)
    let y = bn(Self.x.cast(to: .bfloat16))
    #expect(y.dtype == .bfloat16 && bn.runningMean?.value.dtype == .float32)
    Self.expectClose(
      y[0],
      [
        -0.39453125, -1.078125, 0.7890625, 1.171875, 0.1484375, 0.1484375, -1.4765625, -1.2734375,
      ], within: 0x1p-8)
  }

  @Test func rows() {
    let bn = BatchNorm1d(3)
    let y = bn(Self.x.reshaped(8, 3))
    Self.expectClose(y[0], [-0.13707342743873596, -0.8869547843933105, 0.551447868347168])
    Self.expectClose(y[7], [-0.015230391174554825, 1.3260412216186523, -0.019462868571281433])
    Self.expectClose(
      bn.runningVar?.value, [1.9825613498687744, 2.347209930419922, 1.5629185438156128])
  }
}
