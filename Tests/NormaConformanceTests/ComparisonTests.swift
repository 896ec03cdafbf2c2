import NormaTensor
import Testing

@testable import NormaConformance

@Suite struct ComparisonTests {
  let truth = Tensor([1, 2, 4] as [Double])

  func expected(ownError: Double = 0) -> ExpectedTensor {
    ExpectedTensor(recorded: truth.cast(to: .float32), truth: truth, ownError: ownError)
  }

  func complaint(_ values: [Float], ownError: Double = 0) -> String? {
    expected(ownError: ownError).complaint(about: Tensor(values))
  }

  @Test func acceptsEqualNumbersAndTwoUlpOfTheScale() {
    #expect(complaint([1, 2, 4]) == nil)
    #expect(complaint([1 + 2 * Float(4).ulp, 2, 4]) == nil)
  }

  @Test func refusesMoreThanTheBar() {
    #expect(complaint([1 + 3 * Float(4).ulp, 2, 4]) != nil)
    #expect(complaint([1, 2.25, 4]) != nil)
    #expect(complaint([1, 2.25, 4], ownError: 0.25) == nil)
    #expect(complaint([1, 2.5, 4], ownError: 0.25) != nil)
  }

  @Test func refusesNaNAndInfinity() {
    #expect(complaint([1, .nan, 4], ownError: 100) != nil)
    #expect(complaint([1, .infinity, 4], ownError: 100) != nil)
    let holes = ExpectedTensor(
      recorded: Tensor([.nan, .infinity] as [Float]), truth: nil, ownError: 100)
    #expect(holes.complaint(about: Tensor([.nan, .infinity] as [Float])) == nil)
    #expect(holes.complaint(about: Tensor([0, .infinity] as [Float])) != nil)
    #expect(holes.complaint(about: Tensor([.nan, -.infinity] as [Float])) != nil)
    #expect(holes.complaint(about: Tensor([.nan, .nan] as [Float])) != nil)
  }

  @Test func refusesOtherShapesAndTypes() {
    #expect(complaint([1, 2]) != nil)
    #expect(complaint([1, 2, 4, 8]) != nil)
    #expect(expected().complaint(about: Tensor([1, 2, 4] as [Float]).reshaped(3, 1)) != nil)
    #expect(expected().complaint(about: truth) != nil)
  }

  @Test func comparesIntegersExactly() {
    let wanted = ExpectedTensor(recorded: Tensor([1, 1 << 60]), truth: nil, ownError: 9)
    #expect(wanted.complaint(about: Tensor([1, 1 << 60])) == nil)
    #expect(wanted.complaint(about: Tensor([1, 1 << 60 + 1])) != nil)
  }

  @Test func halfTypesHaveTheirOwnUlp() {
    let wanted = ExpectedTensor(
      recorded: Tensor([1], dtype: .float16), truth: Tensor([1.0]), ownError: 0)
    #expect(wanted.complaint(about: Tensor([1 + 0x1p-9], dtype: .float16)) == nil)
    #expect(wanted.complaint(about: Tensor([1 + 0x1p-8], dtype: .float16)) != nil)
  }
}

@Suite struct StridedInputTests {
  let x = Tensor.arange(24).reshaped(2, 3, 4)

  @Test(arguments: [[12, 4, 1], [1, 2, 6], [24, 8, 2], [40, 10, 2], [4, 8, 1], [12, 1, 3]])
  func keepsTheElementsAndHasTheStrides(strides: [Int]) throws {
    let view = try x.laidOut(strides: strides)
    #expect(view.isEqual(to: x))
    #expect(view.strides == strides)
  }

  @Test func stretchedAxesAreStretchedAgain() throws {
    let stretched = Tensor.arange(3).reshaped(3, 1).broadcast(to: [2, 3, 4])
    let view = try stretched.evaluated().laidOut(strides: [0, 1, 0])
    #expect(view.isEqual(to: stretched))
    #expect(view.strides == [0, 1, 0])
  }

  @Test func otherLayoutsStayContiguous() throws {
    let view = try x.laidOut(strides: [7, 2, 1])
    #expect(view.isEqual(to: x))
  }
}
