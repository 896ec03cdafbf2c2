import NormaReference
import Testing

@Suite struct ReferenceTensorTests {
  let x = ReferenceTensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])

  @Test func viewsMoveElements() {
    #expect(x.permuted([1, 0]) == ReferenceTensor(shape: [3, 2], values: [1, 4, 2, 5, 3, 6]))
    #expect(x.permuted([-1, 0]) == x.permuted([1, 0]))
    #expect(x.reshaped([3, 2]).values == x.values)
    #expect(x.sliced(1, from: 0, by: 2) == ReferenceTensor(shape: [2, 2], values: [1, 3, 4, 6]))
    #expect(x.sliced(0, from: 2).shape == [0, 3])
    let row = ReferenceTensor(shape: [3], values: [7, 8, 9])
    #expect(row.broadcast(to: [2, 3]).values == [7, 8, 9, 7, 8, 9])
    #expect(ReferenceTensor(3).broadcast(to: [2, 0]).values == [])
  }

  @Test func broadcastingAlignsLastAxes() {
    let column = ReferenceTensor(shape: [2, 1], values: [10, 20])
    #expect((x + column).values == [11, 12, 13, 24, 25, 26])
    #expect((x - ReferenceTensor(1)).values == [0, 1, 2, 3, 4, 5])
    #expect(broadcastShape([4, 1, 3], [2, 1]) == [4, 2, 3])
    #expect(broadcastShape([0], [1]) == [0])
  }

  @Test func chosenAndOrderedNumbers() {
    let condition = ReferenceTensor(shape: [3], values: [1, 0, 1])
    #expect(ReferenceTensor.choose(condition, x, x * -1.0).values == [1, -2, 3, 4, -5, 6])
    let holes = ReferenceTensor(shape: [3], values: [.nan, 9, 0])
    #expect(Array(ReferenceTensor.maximum(x, holes).values[1...2]) == [9, 3])
    #expect(ReferenceTensor.maximum(x, holes).values[0].isNaN)
    #expect(ReferenceTensor.minimum(holes, x).values[0].isNaN)
  }

  @Test func reductionsTakeAnyAxes() {
    let y = ReferenceTensor(shape: [2, 3, 2], values: (1...12).map(Double.init))
    #expect(y.sum(over: [0, 2]) == ReferenceTensor(shape: [3], values: [18, 26, 34]))
    #expect(y.sum(over: [-1], keepDims: true).shape == [2, 3, 1])
    #expect(y.sum() == ReferenceTensor(78))
    #expect(y.mean(over: [1]).values == [3, 4, 9, 10])
    #expect(y.max(over: [0]).values == [7, 8, 9, 10, 11, 12])
    #expect(y.min(over: [0, 1]).values == [1, 2])
    #expect(y.variance(over: [0]).values == [Double](repeating: 18, count: 6))
    #expect(y.std(over: [0], correction: 0).values == [Double](repeating: 3, count: 6))
  }

  @Test func degenerateReductions() {
    let empty = ReferenceTensor(shape: [2, 0], values: [])
    #expect(empty.sum(over: [1]).values == [0, 0])
    #expect(empty.mean(over: [1]).values.allSatisfy { $0.isNaN })
    #expect(ReferenceMoments([5]).variance().isNaN)
    #expect(ReferenceMoments([5]).variance(0) == 0)
    #expect(ReferenceMoments([1, .nan]).variance().isNaN)
    #expect(ReferenceTensor(shape: [2], values: [1, .nan]).max().values[0].isNaN)
    #expect(ReferenceTensor(shape: [2], values: [1, .infinity]).sum().values == [.infinity])
  }

  @Test func momentsKeepTheirDigitsFarFromZero() {
    let moments = ReferenceMoments([1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4])
    #expect(moments.mean == 1e9 + 2.5)
    #expect(moments.m2 == 5)
    #expect(compensatedSum([1, 1e100, 1, -1e100]) == 2)
  }

  @Test func products() {
    let square = ReferenceTensor(shape: [3, 2], values: [1, 0, 0, 1, 1, 1])
    #expect(x.matmul(square) == ReferenceTensor(shape: [2, 2], values: [4, 5, 10, 11]))
    let vector = ReferenceTensor(shape: [3], values: [1, 1, 1])
    #expect(x.matmul(vector) == ReferenceTensor(shape: [2], values: [6, 15]))
    #expect(vector.matmul(square) == ReferenceTensor(shape: [2], values: [2, 2]))
    #expect(vector.matmul(vector) == ReferenceTensor(3))
    let batch = ReferenceTensor(shape: [2, 1, 3], values: [1, 0, 0, 0, 0, 1])
    #expect(batch.matmul(square).shape == [2, 1, 2])
    #expect(batch.matmul(square).values == [1, 0, 1, 1])
  }
}

@Suite struct ReferenceBatchNormTests {
  let x = ReferenceTensor(shape: [2, 2, 2], values: [1, 3, 10, 10, 5, 7, 10, 10])

  @Test func trainingUsesTheBatchAndMovesTheRunningStatistics() throws {
    var norm = ReferenceBatchNorm(
      weight: [2, 1], bias: [1, -1], runningMean: [0, 0], runningVariance: [1, 1])
    let y = norm.trainingForward(x)
    // Channel 0 has mean 4 and variance 5, channel 1 is constant.
    let unit = 1 / (5 + 1e-5).squareRoot()
    let truth = [1 - 6 * unit, 1 - 2 * unit, -1, -1, 1 + 2 * unit, 1 + 6 * unit, -1, -1]
    #expect(try worstError(actual: y.values, expected: truth).ulps <= 4)
    let mean = try #require(norm.runningMean)
    let variance = try #require(norm.runningVariance)
    #expect(try worstError(actual: mean, expected: [0.4, 1]).ulps <= 1)
    #expect(try worstError(actual: variance, expected: [0.9 + 0.1 * 20 / 3, 0.9]).ulps <= 2)
    #expect(norm.batches == 1)
  }

  @Test func cumulativeAverage() {
    var norm = ReferenceBatchNorm(runningMean: [0, 0], runningVariance: [1, 1])
    norm.momentum = nil
    _ = norm.trainingForward(x)
    _ = norm.trainingForward(x * 3.0)
    #expect(norm.runningMean == [8, 20])
  }

  @Test func evaluationUsesTheRunningStatistics() throws {
    var norm = ReferenceBatchNorm(runningMean: [1, 10], runningVariance: [4, 1])
    norm.eps = 0
    #expect(norm.evaluationForward(x).values == [0, 1, 0, 0, 2, 3, 0, 0])
  }
}
