import NormaTensor
import Testing

@testable import NormaExplain

/// What a search keeps: for most recipes only the first samples of their statistics.
@Suite struct KeptSamplesTests {
  @Test func mostRecipesKeepFewSamples() {
    // With a target that nothing reproduces, so that the search tries all changes.
    let (x, target) = withSeed(3) {
      (Tensor.randn(8, 4, 8, 16).evaluated(), Tensor.randn(8, 4, 8, 16).evaluated())
    }
    let layer = LayerNumbers(name: "BatchNorm2d(4)", features: 4)
    let evidence = Evidence(input: x, target: target, layer: layer)
    #expect(evidence.places.count == 4096)
    _ = RecipeSearch(evidence: evidence, right: layer.recipe(evidence.frame, .float32)).run()
    let kept = evidence.samples.values.map { $0.mean.count + $0.variance.count }
    let few = 2 * RecipeSearch.coarse
    #expect(kept.count > 100, "\(kept.count) recipes")
    #expect(
      kept.count { $0 > few } <= kept.count / 4, "\(kept.count { $0 > few }) of \(kept.count)")
    #expect(kept.reduce(0, +) <= kept.count * 2 * 4096 / 3, "\(kept.reduce(0, +)) numbers")
  }
}
