import NormaTensor
import Testing

/// Error messages: the call, the values and shapes, and what would be valid.
@Suite struct MessageTests {
  static func message(_ body: () -> Tensor) -> String {
    do {
      _ = try catchingTensorErrors(body)
      return "nothing was wrong"
    } catch {
      return "\(error)"
    }
  }

  @Test func typicalMistakes() {
    let x = Tensor.ones(8, 3, 32, 32)
    let mistakes: [(() -> Tensor, String)] = [
      (
        { x.mean(over: 4) },
        "mean(over:): axis 4 is out of range for shape [8, 3, 32, 32]; valid axes are -4 ..< 4"
      ),
      ({ x.sum(over: 1, -3) }, "sum(over:): axis -3 appears twice in [1, -3]"),
      (
        { x + Tensor.ones(3) },
        "+: shapes [8, 3, 32, 32] and [3] do not broadcast: sizes 32 and 3 at axis -1 differ and "
          + "neither is 1"
      ),
      (
        { Tensor.ones(2, 3) / Tensor.ones(4, 3) },
        "/: shapes [2, 3] and [4, 3] do not broadcast: sizes 2 and 4 at axis -2 differ and neither "
          + "is 1"
      ),
      (
        { Tensor([1, 2]).mean() },
        "mean(over:): int64 has no mean of its own type; cast(to: .float32) first"
      ),
      (
        { Tensor.zeros(2, 0).max(over: 1) },
        "max(over:): shape [2, 0] has no elements over axes [1] to choose from"
      ),
      (
        { x[8] },
        "subscript: index 8 is out of range for axis 0 of shape [8, 3, 32, 32]; valid indices are "
          + "-8 ..< 8"
      ),
      (
        { x[0, 1..<5] },
        "subscript: range 1 ..< 5 is outside of axis 1 of shape [8, 3, 32, 32]; an AxisSlice "
          + "clamps its bounds"
      ),
      (
        { x[0, 0, 0, 0, 0] },
        "subscript: 5 indices for shape [8, 3, 32, 32], which has 4 axes"
      ),
      (
        { Tensor([200] as [UInt8]) + 300 },
        "+: 300 does not fit uint8; cast the tensor first"
      ),
      (
        { Tensor.where(x, x, x) },
        "where(_:_:_:): the condition is float32, not bool; compare it first"
      ),
      (
        { Tensor.ones(2, 3).matmul(Tensor.ones(2, 3)) },
        "matmul(_:): shapes [2, 3] and [2, 3] cannot be multiplied: 3 columns and 2 rows"
      ),
      (
        { x.permuted(0, 1) }, "permuted(_:): [0, 1] names 2 axes, but shape [8, 3, 32, 32] has 4"
      ),
      (
        { Tensor.ones(2, 3).broadcast(to: [2, 4]) },
        "broadcast(to:): shape [2, 3] does not broadcast to [2, 4]: axis 1 has the wrong size"
      ),
      (
        { Tensor([1, 2, 3], shape: [2, 2]) },
        "Tensor(_:shape:): 3 values do not fill shape [2, 2], which has 4"
      ),
      (
        { Tensor([[1, 2], [3]]) }, "Tensor(_:): rows of 2 and 1 values do not make a tensor"
      ),
      (
        { x.clamped(min: Float?.none) },
        "clamped(min:max:): at least one of min and max is required"
      ),
      (
        { Tensor(x.item()) },
        "item(): shape [8, 3, 32, 32] has 24576 elements, not one; use "
          + "array(of:) or reduce it"
      ),
    ]
    for (mistake, text) in mistakes { #expect(Self.message(mistake) == text) }
  }

  @Test func invalidShapes() {
    let x = Tensor.ones(4, 6)
    let mistakes: [(() -> Tensor, String)] = [
      (
        { x.reshaped(5, 5) },
        "reshaped(_:): shape [4, 6] has 24 elements, but [5, 5] would have 25"
      ),
      ({ x.reshaped(-1, -1) }, "reshaped(_:): more than one -1 in [-1, -1]"),
      (
        { x.reshaped(-2, 12) },
        "reshaped(_:): size -2 in [-2, 12] is negative; only one -1 is allowed"
      ),
      (
        { x.reshaped(-1, 7) },
        "reshaped(_:): 24 elements of shape [4, 6] do not divide into [-1, 7]"
      ),
      (
        { Tensor.zeros(2, 0).reshaped(-1, 0) },
        "reshaped(_:): 0 elements of shape [2, 0] do not divide into [-1, 0]"
      ),
      ({ Tensor.zeros(2, -3) }, "full(_:_:): size -3 in shape [2, -3] is negative"),
      (
        { Tensor.zeros(1 << 40, 1 << 40) },
        "full(_:_:): shape [1099511627776, 1099511627776] has more elements than memory can hold"
      ),
      (
        { x.unsqueezed(4) },
        "unsqueezed(_:): axis 4 is out of range for shape [4, 6]; valid axes are -3 ... 2"
      ),
      (
        { x.squeezed(2) },
        "squeezed(_:): axis 2 is out of range for shape [4, 6]; valid axes are -2 ..< 2"
      ),
      (
        { x.transposed(0, 2) },
        "transposed(_:_:): axis 2 is out of range for shape [4, 6]; valid axes are -2 ..< 2"
      ),
      ({ x[AxisSlice(by: 0)] }, "subscript: the step of a slice must be positive, got 0"),
      ({ x.taking([Ellipsis(), 1, Ellipsis()]) }, "subscript: more than one ellipsis"),
      (
        { x.flattened(from: 1, through: 0) },
        "flattened(from:through:): axis 1 comes after axis 0"
      ),
      ({ x.broadcast(to: [6]) }, "broadcast(to:): shape [4, 6] has more axes than [6]"),
      (
        { Tensor.arange(0, 5, -1) },
        "arange(_:_:_:): a step of -1 leads from 0 away from 5"
      ),
      ({ Tensor.arange(0, 5, 0) }, "arange(_:_:_:): a step of 0 never reaches the end"),
    ]
    for (mistake, text) in mistakes { #expect(Self.message(mistake) == text) }
  }

  /// Outside of a scope a mistake ends the process with its message, in release builds too.
  @Test func trapsKeepTheirText() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Tensor.ones(8, 3).mean(over: 2)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(
      text.contains(
        "mean(over:): axis 2 is out of range for shape [8, 3]; valid axes are -2 ..< 2"))
    #expect(text.contains("MessageTests.swift"), "the caller's file")
    let other = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Tensor.ones(8, 3) * Tensor.ones(2)
    }
    let reason = String(decoding: other?.standardErrorContent ?? [], as: UTF8.self)
    #expect(reason.contains("*: shapes [8, 3] and [2] do not broadcast"))
  }
}
