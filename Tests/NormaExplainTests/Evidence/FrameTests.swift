import NormaTensor
import Testing

@testable import NormaExplain

/// How layers see shapes: plain values.
@Suite struct FrameTests {
  private func frame(_ reach: LayerNumbers.Reach, _ shape: [Int]) -> Frame {
    LayerNumbers(name: "", reach: reach, features: 6).frame(shape)
  }

  @Test func axesOfEveryLayer() {
    let batch = frame(.batch, [4, 6, 5, 7])
    #expect(batch.axes == [0, 2, 3] && batch.parameterShape == [1, 6, 1, 1])
    #expect(batch.sliceAxis == 1 && batch.count == 140)
    let instance = frame(.instance(axes: 2), [4, 6, 5, 7])
    #expect(instance.axes == [2, 3] && instance.statisticsShape == [4, 6, 1, 1])
    let sample = frame(.instance(axes: 2), [6, 5, 7])
    #expect(sample.axes == [1, 2] && sample.parameterShape == [6, 1, 1])
    let last = frame(.axes(nil, sizes: [5, 7]), [4, 6, 5, 7])
    #expect(last.axes == [2, 3] && last.parameterShape == [1, 1, 5, 7] && last.channelAxis == 2)
    let named = frame(.axes([-3], sizes: [6]), [4, 6, 5, 7])
    #expect(named.axes == [1] && named.kept == [0, 2, 3])
  }

  @Test func groupsAreAnAxis() {
    let groups = frame(.groups(2), [4, 6, 5, 7])
    #expect(groups.shape == [4, 2, 3, 5, 7] && groups.axes == [2, 3, 4])
    #expect(groups.outerAxes == [1, 2, 3] && groups.parameterShape == [1, 2, 3, 1, 1])
    #expect(groups.words([2, 3, 4]) == "(2, 3) and the 3 channels of a group")
    #expect(groups.words([1, 2, 3, 4]) == "(1, 2, 3)" && groups.words([3, 4]) == "(2, 3)")
    #expect(groups.words([1]) == "every 3rd channel")
    #expect(groups.seen(.ones(4, 1, 5, 7)).shape == [4, 1, 1, 5, 7])
    #expect(groups.seen(.ones(5, 7)).shape == [1, 1, 1, 5, 7])
    #expect(groups.narrowed(to: 1..<3).shape == [2, 2, 3, 5, 7])
    #expect(groups.narrowed(to: 1..<3).outer == [2, 6, 5, 7])
  }

  @Test func placesInWords() {
    #expect(
      [1, 2, 3, 4, 11, 12, 22, 112].map(ordinal) == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "22nd", "112th",
      ])
  }

  @Test func weightsInOtherOrders() {
    let layer = LayerNumbers(
      name: "", reach: .groups(2), features: 6, weight: [0, 1, 2, 3, 4, 5], bias: nil)
    let frame = layer.frame([4, 6, 5])
    func weights(_ affine: Recipe.Affine) -> [Double] {
      var recipe = layer.recipe(frame)
      recipe.affine = affine
      return recipe.scaleAndShift(layer, frame).scale.values
    }
    #expect(weights(.interleaved(2)) == [0, 3, 1, 4, 2, 5])
    #expect(weights(.stretched(3)) == [0, 0, 0, 1, 1, 1])
    #expect(weights(.repeated(3)) == [0, 1, 2, 0, 1, 2])
    #expect(weights(.onePlusWeight) == [1, 2, 3, 4, 5, 6])
  }
}
