import Testing

@testable import NormaTensor

/// Patterns against the equivalent reshapes, permutations and reductions.
@Suite struct PatternTests {
  let x = withSeed(5) { Tensor.rand(2, 3, 4, 6) }

  /// Only the first call with this shape and these sizes parses a pattern.
  @Test func plansAreKept() throws {
    struct IsMade: Error {}
    let text = "n c (h q) w -> n (c q) h w"
    let first = x.rearranged(text, ["q": 2])
    let key = PatternPlan.Key(
      text: text, kind: .rearranging, shape: x.shape, sizes: ["q": 2])
    let kept = try PatternPlan.plans.value(for: key) { throw IsMade() }
    #expect(kept.shape == [2, 6, 2, 6] && isSame(first, x.rearranged(text, ["q": 2])))
    let other = PatternPlan.Key(text: text, kind: .repeating, shape: x.shape, sizes: ["q": 2])
    #expect(throws: IsMade.self) { try PatternPlan.plans.value(for: other) { throw IsMade() } }
  }

  @Test func rearranged() {
    #expect(isSame(x.rearranged("n c h w -> c (n h w)"), x.permuted(1, 0, 2, 3).reshaped(3, -1)))
    #expect(isSame(x.rearranged("n c h w -> n h w c"), x.permuted(0, 2, 3, 1)))
    #expect(
      isSame(
        x.rearranged("n c (h h2) (w w2) -> n (c h2 w2) h w", ["h2": 2, "w2": 3]),
        x.reshaped(2, 3, 2, 2, 2, 3).permuted(0, 1, 3, 5, 2, 4).reshaped(2, 18, 2, 2)))
    #expect(isSame(x.rearranged("n ... -> n (...)"), x.flattened(from: 1)))
    #expect(isSame(x.rearranged("n c ... -> ... c n"), x.permuted(2, 3, 1, 0)))
    #expect(isSame(x.rearranged("n c h w -> n 1 c () (h w)"), x.reshaped(2, 1, 3, 1, 24)))
    #expect(isSame(x[0..<1].rearranged("1 c h w -> w h c"), x[0].permuted(2, 1, 0)))
    #expect(isSame(x[0..<1].rearranged("() c ... -> c ..."), x[0]))
    #expect(isSame(x.rearranged("... -> ..."), x))
    #expect(isSame(Tensor(3).rearranged("-> 1 1"), Tensor([[3]])))
    #expect(isSame(Tensor([[3]]).rearranged("1 1 ->"), Tensor(3)))
    #expect(Tensor.zeros(0, 4).rearranged("a (b c) -> b (a c)", ["b": 2]).shape == [2, 0])
    #expect(Tensor.zeros(0, 4).rearranged("(a d) b -> a d b", ["d": 5]).shape == [0, 5, 4])
    // Where strides allow it, nothing is copied.
    let stored = x.evaluated()
    let view = stored.rearranged("n c (h a) w -> a n (c h) w", ["a": 1])
    #expect(view.withUnsafeBytes { $0.baseAddress } == stored.withUnsafeBytes { $0.baseAddress })
    #expect(stored.rearranged("n c h w -> n h w c").strides == [72, 6, 1, 24])
  }

  @Test func reduced() {
    #expect(
      isSame(x.reduced("n c h w -> 1 c 1 1", by: .mean), x.mean(over: 0, 2, 3, keepDims: true)))
    #expect(isSame(x.reduced("n c h w -> w n", by: .max), x.max(over: 1, 2).transposed()))
    #expect(isSame(x.reduced("n ... -> n", by: .sum), x.sum(over: 1, 2, 3)))
    #expect(
      isSame(x.reduced("n c (h 2) (w 3) -> n c h w", by: .max), maxPool2d(x, kernelSize: [2, 3])))
    #expect(isSame(x.reduced("n c h w ->", by: .min), x.min()))
    #expect(isSame(x.reduced("n c h w -> c", by: .variance), x.variance(over: 0, 2, 3)))
    #expect(isSame(x.reduced("n c h w -> c", by: .product), x.product(over: 0, 2, 3)))
    #expect(isSame(x.reduced("n c h w -> c", by: .std), x.std(over: 0, 2, 3)))
    #expect(
      isSame(x.reduced("n c h w -> (w h) c n", by: .sum), x.rearranged("n c h w -> (w h) c n")))
    // Pending work runs inside the reduction and is not stored.
    let sum = Tensor.rand(4, 8, 40, 40) + 1
    #expect(isSame(sum.reduced("n c h w -> c", by: .mean), sum.mean(over: 0, 2, 3)))
    #expect(sum.programDescription != nil)
    let truth = Tensor([[true, false], [true, true]])
    #expect(truth.reduced("a b -> a", by: .all).array(of: Bool.self) == [false, true])
    #expect(truth.reduced("a b -> b", by: .any).array(of: Bool.self) == [true, true])
    #expect(
      Tensor.zeros(2, 0).reduced("a b -> a", by: .any).array(of: Bool.self) == [false, false])
    #expect(Tensor.zeros(2, 0).reduced("a b -> a", by: .all).array(of: Bool.self) == [true, true])
  }

  @Test func repeated() {
    let image = x[0, 0]
    #expect(
      isSame(
        image.repeated("h w -> h w c", ["c": 3]), image.unsqueezed(2).broadcast(to: [4, 6, 3])))
    #expect(image.evaluated().repeated("h w -> c h w", ["c": 3]).strides == [0, 6, 1])
    #expect(
      isSame(image.repeated("h w -> (h 2) w"), .stacked([image, image], over: 1).reshaped(8, 6)))
    #expect(isSame(image.repeated("h w -> (2 h) w"), .concatenated([image, image])))
    #expect(isSame(image.repeated("h w -> 1 (w b) h", ["b": 1]), image.transposed().unsqueezed(0)))
    #expect(image.repeated("... -> b ...", ["b": 0]).shape == [0, 4, 6])
  }

  @Test func gradients() throws {
    let y = withSeed(6) { Tensor.rand(2, 3, 4, dtype: .float64) }
    try checkGradient(of: { $0[0].rearranged("a b (c d) -> d (a c) b", ["c": 2]).exp() }, at: [y])
    try checkGradient(of: { $0[0].reduced("a b (c 2) -> c a", by: .std) }, at: [y])
    try checkGradient(of: { $0[0].repeated("a b c -> (b 3) e c a", ["e": 2]).exp() }, at: [y])
  }

  @Test func shapes() {
    #expect(x.parsedShape("n c h w") == ["n": 2, "c": 3, "h": 4, "w": 6])
    #expect(x.parsedShape("_ c ... w") == ["c": 3, "w": 6])
    #expect(x.parsedShape("2 c _ _") == ["c": 3])
    #expect(Tensor(1).parsedShape("") == [:])
    for wrong in ["a b", "a b c d e ...", "a a _ _", "3 _ _ _", "a ... b ...", "a-b _ _ _"] {
      #expect(throws: TensorError.self, "\(wrong)") {
        try catchingTensorErrors { _ = x.parsedShape(wrong) }
      }
    }
  }

  typealias Call = @Sendable (Tensor, String) -> Tensor
  static let rearrange: Call = { $0.rearranged($1) }
  static let reduce: Call = { $0.reduced($1, by: .sum) }
  static let `repeat`: Call = { $0.repeated($1) }

  /// Pattern, reason, position and length of the carets.
  static let mistakes: [(Call, String, String, Int, Int)] = [
    (rearrange, "n c h w -> n c h", "'w' is only on the left; reduced(_:by:) removes it", 6, 1),
    (rearrange, "n c h -> n c h", "3 axes for shape [2, 3, 4, 6], which has 4", 0, 6),
    (
      rearrange, "n c h w -> n c h w b", "'b' is only on the right; repeated(_:) adds new axes",
      19, 1
    ),
    (rearrange, "n c h w", "there is no arrow '->'", 7, 1),
    (rearrange, "a -> b -> c", "a second arrow", 7, 2),
    (rearrange, "n c (h w -> n", "a '(' without its ')'", 4, 1),
    (rearrange, "n c) h w -> n", "a ')' without its '('", 3, 1),
    (rearrange, "n ((c h) w) -> n", "parentheses inside of parentheses", 3, 1),
    (rearrange, "n c h n -> n c h", "'n' occurs twice on one side", 6, 1),
    (rearrange, "n c h w -> n c (h h) w", "'h' occurs twice on one side", 18, 1),
    (
      rearrange, "n c (h a) w -> n c h w a",
      "the sizes of 'h' and 'a' are unknown; pass all but one", 4, 5
    ),
    (
      rearrange, "n c h 6 -> n c h", "an axis of size 6 needs a name to be kept, or reduced(_:by:)",
      6,
      1
    ),
    (rearrange, "n c h w -> n c h w 2", "a new axis of size 2: repeated(_:) adds it", 19, 1),
    (
      rearrange, "n c (...) -> n c ...",
      "'...' inside of parentheses on the left: its sizes would be unknown", 4, 5
    ),
    (rearrange, "n c h w -> ... n c h w", "'...' is only on the right", 11, 3),
    (
      rearrange, "n c h w! -> n c h w",
      "'w!' is not an axis; names begin with a letter, sizes are 1 or more, '...' means "
        + "several axes",
      6, 2
    ),
    (rearrange, "1 c h w -> c h w", "axis 0 has 2 elements, not 1", 0, 1),
    (reduce, "n c (h 3) w -> n c h w", "axis 2 of 4 elements is not divisible by 3", 4, 5),
    (reduce, "n c h w -> n b", "'b' is only on the right; repeated(_:) adds new axes", 13, 1),
    (`repeat`, "n c h w -> n c h w b", "'b' is new and has no size; pass [\"b\": size]", 19, 1),
    (`repeat`, "n c h w -> n c h", "'w' is only on the left; reduced(_:by:) removes it", 6, 1),
  ]

  @Test(arguments: mistakes.indices) func mistake(_ index: Int) {
    let (call, pattern, reason, place, length) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self, "\(pattern)") {
      try catchingTensorErrors { _ = call(x, pattern) }
    }
    let carets = String(repeating: " ", count: place) + String(repeating: "^", count: length)
    #expect(error?.reason == "\(reason)\n  \(pattern)\n  \(carets)")
  }

  @Test func sizesThatDoNotFit() {
    let wrong: [() -> Tensor] = [
      { x.rearranged("n c h w -> n c h w", ["z": 2]) },
      { x.rearranged("n c h w -> n c h w", ["n": 3]) },
      { x.rearranged("n c (h a) w -> n c h a w", ["a": 0]) },
      { x.repeated("n c h w -> n c h w b", ["b": -1]) },
      { x.repeated("n c h w -> n c h (w b d)", ["b": .max, "d": 2]) },
      { x.repeated("n c h w -> n c h w b", ["b": 1 << 60]) },
    ]
    for (index, call) in wrong.enumerated() {
      #expect(throws: TensorError.self, "\(index)") { try catchingTensorErrors { _ = call() } }
    }
  }
}
