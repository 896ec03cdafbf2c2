import NormaOneDNN
import Testing

@testable import NormaTensor

/// Large images are convolved a few rows at a time.
@Suite struct ConvolutionPartTests {
  private func shape(
    _ source: [Int], _ weights: [Int], stride: Int, padding: Int, dilation: Int
  ) throws -> ConvolutionShape {
    try ConvolutionShape(
      source: source, weights: weights, stride: Extents(stride),
      padding: ConvolutionPadding(Extents(padding)),
      dilation: Extents(dilation), groups: 1, call: "")
  }

  /// Parts cover every row once; each window has the part's rows as its result.
  @Test func windowsMakeTheirRows() throws {
    for stride in 1...3 {
      for padding in [0, 1, 4] {
        for dilation in [1, 2] {
          for kernel in [1, 3, 5] {
            let whole = try shape(
              [2, 1, 61, 3], [4, 1, kernel, 1], stride: stride, padding: padding,
              dilation: dilation)
            let parts = ConvolutionPart.all(of: whole, rowBytes: 16, most: 64)
            #expect(parts.count > 2)
            for image in 0..<2 {
              let rows = parts.filter { $0.images == image..<image + 1 }.flatMap { Array($0.rows) }
              #expect(rows == Array(0..<whole.destination[2]))
            }
            for part in parts {
              let (window, first) = whole.window(of: part)
              let room = window.source[2] + window.before[0] + window.after[0]
              let reach = dilation * (kernel - 1) + 1
              #expect((room - reach) / stride + 1 == part.rows.count)
              #expect(first - window.before[0] == part.rows.lowerBound * stride - padding)
              #expect(first + window.source[2] <= 61 && window.after[0] >= 0)
            }
          }
        }
      }
    }
  }

  @Test func smallImagesStayWhole() throws {
    let whole = try shape([5, 1, 20, 20], [4, 1, 3, 3], stride: 1, padding: 1, dilation: 1)
    let parts = ConvolutionPart.all(of: whole, rowBytes: 20, most: 1000)
    #expect(parts.map(\.images) == [0..<2, 2..<4, 4..<5])
    #expect(parts.allSatisfy { $0.rows == 0..<20 })
  }

  @Test(.enabled(if: OneDNN.isAvailable)) func rowsEqualTheDefinition() throws {
    for (stride, padding, dilation) in [(1, 1, 1), (2, 3, 2), (1, 0, 3)] {
      let x = withSeed(1) { Tensor.randn(1, 4, 220, 120) }
      let weights = withSeed(2) { Tensor.randn(32, 4, 3, 3) }
      let bias = withSeed(3) { Tensor.randn(32) }
      let residual = withSeed(4) {
        Tensor.randn(
          conv2d(x, weight: weights, stride: stride, padding: padding, dilation: dilation).shape)
      }
      let plain = try PlainConvolution(
        shape: shape(
          x.shape, weights.shape, stride: stride, padding: padding, dilation: dilation)
      ).forward(x, weights, bias)
      let (found, steps) = withThreads(1) {
        ExecutionLog.recording {
          (conv2d(
            x, weight: weights, bias: bias, stride: stride, padding: padding, dilation: dilation)
            + residual.channelsLast()).relu().evaluated()
        }
      }
      #expect(steps.contains { $0.traits.contains(.inCache) })
      #expect((found - (plain + residual).relu()).abs().max().item() < 1e-4)
    }
  }

  @Test func stridesAreThoseOfTheLayout() {
    for shape in [[2, 3, 5], [1, 4, 1, 6], [3, 1, 2, 1, 7]] {
      let layout = ConvolutionShape.layout(shape)
      for axis in shape.indices where shape[axis] > 1 {
        #expect(ConvolutionShape.strides(shape)[axis] == layout.strides[axis])
      }
    }
  }

  /// Products in short rows take longer.
  @Test func fewResultsInARowAreNotSmall() throws {
    #expect(try shape([1, 4, 8, 8], [8, 4, 3, 3], stride: 1, padding: 1, dilation: 1).isSmall)
    #expect(try shape([1, 8, 1, 1], [64, 8, 1, 1], stride: 1, padding: 0, dilation: 1).isSmall)
    #expect(try !shape([1, 8, 1, 1], [65, 8, 1, 1], stride: 1, padding: 0, dilation: 1).isSmall)
  }
}
