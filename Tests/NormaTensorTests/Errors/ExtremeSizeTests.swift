import NormaTensor
import Testing

/// Public operations with sizes, counts or indices that exceed all memory: an error or a result,
/// and nothing else.
@Suite(.seeded) struct ExtremeSizeTests {
  static let numbers = [0, -1, Int.max, Int.max / 2, 1 << 62, Int.min, Int.max - 1]

  typealias Call = (Int) -> [Tensor]

  static func creation(_ n: Int) -> [() -> Any] {
    [
      { Tensor.zeros(n) }, { Tensor.zeros(2, n) }, { Tensor.ones(n, n) }, { Tensor.full([n], 1) },
      { Tensor.arange(n) }, { Tensor.arange(0, n, 1) }, { Tensor.arange(n, 0, -1) },
      { Tensor.arange(0, 5, n) }, { Tensor.linspace(0, 1, count: n) },
      { Tensor.logspace(0, 1, count: n) }, { Tensor.eye(n) }, { Tensor.eye(2, n) },
      { Tensor.rand(n) }, { Tensor.randn(n, 3) }, { Tensor.randint([2], low: 0, high: n) },
      { Tensor.randint([2], low: n, high: n) }, { Tensor.randperm(n) },
      { Tensor.bernoulli([n], p: 0.5) }, { Tensor.uniform([n], low: 0, high: 1) },
      { Tensor.normal([n]) }, { Tensor.exponential([n]) },
      { Tensor.trilIndices(n, 2) }, { Tensor.triuIndices(2, 2, offset: n) },
      { Tensor([1], shape: [n]) }, { Tensor([n]).oneHot() }, { Tensor([0, n]).oneHot(classes: 3) },
      { Tensor([0]).oneHot(classes: n) }, { Tensor([n]).binCount() },
      { Tensor([1]).binCount(minLength: n) }, { Tensor([n, 1]).repeatedInterleaved(2) },
      { Tensor([1, 2]).repeatedInterleaved(Tensor([n, 1])) },
    ]
  }

  static func views(_ n: Int) -> [() -> Any] {
    let x = Tensor.arange(24).reshaped(2, 3, 4)
    let v = Tensor.arange(5)
    return [
      { x.reshaped(n) }, { x.reshaped(n, -1) }, { x.reshaped(n, n) }, { x.flattened(from: n) },
      { x.permuted(n, 0, 1) }, { x.transposed(n, 0) }, { x.squeezed(n) }, { x.unsqueezed(n) },
      { x.broadcast(to: [n, 2, 3, 4]) }, { v.broadcast(to: [n, n, 5]) }, { x[n] }, { x[0, n] },
      { x[..., n] }, { v[AxisSlice(from: n)] }, { v[AxisSlice(to: n)] }, { v[AxisSlice(by: n)] },
      { v[AxisSlice(from: 1, to: n, by: n)] }, { v[n...] }, { v[...n] }, { v[..<n] },
      { n > 0 ? v[0...n] : v[n...0] }, { n > 0 ? v[1..<n] : v[n..<1] }, { v[Tensor([n])] },
      { v[[n, 0]] }, { x.selected(over: n, at: 0) }, { x.selected(over: 0, at: n) },
      { x.sliced(over: 1, from: n, to: n, by: n) }, { x.narrowed(over: 0, from: n, count: 1) },
      { x.narrowed(over: 0, from: 0, count: n) }, { x.narrowed(over: 0, from: n, count: n) },
      { x.narrowed(over: 0, from: Tensor(n), count: 1) }, { v.split(into: n) },
      { v.split(every: n) }, { v.split([n, 5]) }, { v.split([n, n, n]) }, { v.split(at: [n, 2]) },
      { v.chunked(n) }, { Tensor.zeros(0).chunked(n) }, { x.unbound(over: n) },
      { v.hsplit(into: n) }, { x.vsplit(into: n) }, { v.hsplit(at: [n]) },
      { v.unfolded(over: 0, size: n, step: 1) }, { v.unfolded(over: 0, size: 2, step: n) },
      { v.strided([n], strides: [1]) }, { v.strided([2], strides: [n]) },
      { v.strided([2, 2], strides: [n, n], offset: n) },
      { v.strided([1], strides: [1], offset: n) },
      { x.diagonal(offset: n) }, { v.diag(n) }, { v.diagEmbedded(offset: n) },
      { x[0].replacingDiagonal(with: Tensor(1), offset: n) }, { x.tril(n) }, { x.triu(n) },
      { x.rotated90(n) }, { x.rolled(by: [n], over: [0]) }, { v.rolled(by: n) },
      { x.flipped(over: n) }, { v.repeated([n]) }, { v.repeated([n, n]) }, { v.tiled([n, 2]) },
      { v.repeatedInterleaved(n) }, { x.padded([n, 0]) }, { x.padded([n, n]) },
      { x.padded([0, n, n, 0]) },
      { x.cast(to: .float32).padded([n, n], mode: .replicate) },
      { x.cast(to: .float32).padded([n, n], mode: .circular) },
      { x.cast(to: .float32).padded([n, n], mode: .reflect) },
      { x.movedAxis(n, to: 0) }, { x.movedAxis(0, to: n) },
      { Tensor.concatenated([v, v], over: n) }, { Tensor.stacked([v, v], over: n) },
      {
        var y = v
        y[n] = 1
        return y
      },
      { v.replacing(over: 0, at: n, with: Tensor(1)) },
      { v.replacing(over: 0, from: n, to: n, by: n, with: Tensor(1)) },
    ]
  }

  static func computation(_ n: Int) -> [() -> Any] {
    let x = Tensor.arange(24).reshaped(2, 3, 4).cast(to: .float32)
    let v = Tensor([1, 2, 3] as [Float])
    return [
      { x.sum(over: n) }, { x.mean(over: 0, n) }, { x.argmax(over: n) }, { x.max(over: n) },
      { x.cumulativeSum(over: n) }, { x.softmax(over: n) }, { x.sorted(over: n).values },
      { x.topK(n).values }, { x.topK(1, over: n).values }, { x.kthValue(n).values },
      { x.median(over: n) }, { x.medianWithIndices(over: n).values },
      { x.gathered(Tensor([[[n]]]), over: 0) },
      { x.gathered(Tensor([[[0]]]), over: n) }, { x.takenAlong(Tensor([n])) },
      { x.taken(Tensor([n])) },
      { x.putting(Tensor([n]), Tensor([1] as [Float])) },
      { x.indexSelected(Tensor([n]), over: 0) }, { x.indexSelected(Tensor([0]), over: n) },
      { v.indexAdded(Tensor([n]), Tensor([1] as [Float]), over: 0) },
      { v.indexFilled(Tensor([n]), over: 0, with: 1) },
      { v.scattered(Tensor([n]), Tensor([1] as [Float]), over: 0) },
      { v.scatteredAdding(Tensor([n]), Tensor([1] as [Float]), over: 0) },
      { v.difference(n) }, { v.difference(1, over: n) }, { v.rounded(decimals: n) },
      { v.polygamma(n) }, { Tensor([1, 2]) << n }, { Tensor([1, 2]) >> n }, { pow(Tensor([2]), n) },
      { v.histc(bins: n) }, { v.histogram(bins: n).counts }, { x.tensordot(x, axes: n) },
      { x.tensordot(x, over: [n], and: [0]) }, { x[0, 0..., 0..<3].matrixPower(n) },
      { v.cross(v, over: n) }, { x.glu(over: n) }, { x.norm(over: n) }, { x.variance(over: n) },
      { channelShuffle(x, groups: n) }, { pixelShuffle(x, upscaleFactor: n) },
      { pixelUnshuffle(x, downscaleFactor: n) }, { x.item(at: n, 0, 0) },
      { conv1d(x, weight: Tensor.ones(2, 3, 2), stride: Extents(n)) },
      { conv1d(x, weight: Tensor.ones(2, 3, 2), padding: ConvolutionPadding(Extents(n))) },
      { conv1d(x, weight: Tensor.ones(2, 3, 2), dilation: Extents(n)) },
      { conv1d(x, weight: Tensor.ones(2, 3, 2), groups: n) },
      { convTranspose1d(x, weight: Tensor.ones(3, 2, 2), stride: Extents(n)) },
      { convTranspose1d(x, weight: Tensor.ones(3, 2, 2), padding: Extents(n)) },
      { convTranspose1d(x, weight: Tensor.ones(3, 2, 2), stride: 3, outputPadding: Extents(n)) },
      { convTranspose1d(x, weight: Tensor.ones(3, 2, 2), groups: n) },
      { maxPool1d(x, kernelSize: Extents(n)) }, { maxPool1d(x, kernelSize: 2, stride: Extents(n)) },
      { maxPool1d(x, kernelSize: 2, padding: Extents(n)) },
      { maxPool1d(x, kernelSize: 2, dilation: Extents(n), ceilMode: true) },
      { avgPool1d(x, kernelSize: Extents(n)) },
      { avgPool1d(x, kernelSize: 2, stride: Extents(n), ceilMode: true) },
      { adaptiveAvgPool1d(x, outputSize: AdaptiveSize([n])) },
      { adaptiveMaxPool1d(x, outputSize: AdaptiveSize([n])) },
      { Tensor.interpolate(x, size: Extents(n)) },
      { Tensor.interpolate(x, scaleFactor: [Double(n)]) },
      { Tensor.interpolate(x, scaleFactor: [1e18], mode: .linear) },
      { Tensor.unfold(x.unsqueezed(0), kernelSize: Extents(n)) },
      { Tensor.unfold(x.unsqueezed(0), kernelSize: 2, padding: Extents(n)) },
      { Tensor.unfold(x.unsqueezed(0), kernelSize: 2, stride: Extents(n)) },
      { Tensor.fold(x, outputSize: Extents(n), kernelSize: 1) },
      { withThreads(n) { Tensor.ones(9).sum().item() } },
    ]
  }

  @Test func anErrorOrAResult() async {
    let result = await #expect(
      processExitsWith: .success,
      observing: [\.standardOutputContent, \.standardErrorContent]
    ) {
      var (count, results, errors) = (0, 0, 0)
      for number in ExtremeSizeTests.numbers + ExtremeSizeTests.longAxes {
        let isLength = ExtremeSizeTests.longAxes.contains(number)
        let others = [
          ExtremeSizeTests.creation, ExtremeSizeTests.furtherCreation, ExtremeSizeTests.views,
          ExtremeSizeTests.furtherViews, ExtremeSizeTests.computation, ExtremeSizeTests.reductions,
          ExtremeSizeTests.windows,
        ]
        let lists = (isLength ? [] : others) + [ExtremeSizeTests.lengths]
        let calls = lists.flatMap { $0(number) }
        count = max(count, calls.count)
        for (index, call) in calls.enumerated() {
          let name = "call \(index) with \(number)"
          do {
            try catchingTensorErrors {
              // Pending results are computed, unless they only broadcast one element.
              if let tensor = call() as? Tensor, tensor.count < 1 << 20 { tensor.evaluated() }
            }
            results += 1
          } catch let error as TensorError {
            demand(!error.reason.isEmpty && !error.call.isEmpty, "\(name): \(error)")
            errors += 1
          } catch {
            demand(false, "\(name): \(error)")
          }
        }
      }
      let text =
        "\(count) calls with \(ExtremeSizeTests.numbers.count) numbers each: \(results) results, "
        + "\(errors) errors"
      print(text)
      demand(count >= 385 && results > 300 && errors > 1700, text)
    }
    // The counts, or what went wrong.
    let output = (result?.standardOutputContent ?? []) + (result?.standardErrorContent ?? [])
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
    for line in lines where line.contains("each") || line.contains("Fatal") { print(line) }
  }
}
