import NormaNN
import NormaTensor
import Testing

/// Layers of size 0, and errors for impossible sizes.
@Suite struct LayerEdgeTests {
  static let mistakes: [(String, @Sendable () -> Module)] = [
    ("Linear(_:): inputs must be at least 0, got -1", { Linear(-1, 2) }),
    ("Linear(_:): outputs", { Linear(2, -3) }),
    ("BatchNorm2d(_:): features must be at least 0, got -1", { BatchNorm2d(-1) }),
    ("BatchNorm1d(_:): eps must not be negative, got -0.1", { BatchNorm1d(2, eps: -0.1) }),
    ("InstanceNorm1d(_:): features", { InstanceNorm1d(-1) }),
    ("LayerNorm(_:): a size", { LayerNorm([2, -1]) }),
    ("LayerNorm(_:): eps", { LayerNorm(2, eps: -1) }),
    ("RMSNorm(_:): a size", { RMSNorm(-1) }), ("GroupNorm(_:): channels", { GroupNorm(1, -2) }),
    ("Embedding(_:): rows", { Embedding(-1, 2) }),
    ("paddingIndex 3 is out of range for 3 rows", { Embedding(3, 2, paddingIndex: 3) }),
    ("Bilinear(_:): first must be at least 1, got 0", { Bilinear(0, 1, 1) }),
    ("Conv2d(_:): inputs", { Conv2d(-1, 2, kernelSize: 3) }),
    ("Conv1d(_:): groups must be at least 1, got 0", { Conv1d(1, 2, kernelSize: 3, groups: 0) }),
    ("3 inputs cannot be divided into 2", { Conv2d(3, 4, kernelSize: 3, groups: 2) }),
    ("ConvTranspose2d(_:): outputs", { ConvTranspose2d(1, -2, kernelSize: 3) }),
    ("StdConv2d(_:): inputs", { StdConv2d(-1, 2, kernelSize: 3) }),
    ("PReLU(_:): count must be at least 0, got -1", { PReLU(-1) }),
    ("ScaleNorm(_:): features", { ScaleNorm(-1) }),
    ("ScaleNorm(_:): eps", { ScaleNorm(1, eps: -1) }),
    ("DynamicTanh(_:): features", { DynamicTanh(-1) }),
    ("GlobalResponseNorm(_:): channels", { GlobalResponseNorm(-1) }),
    ("GlobalResponseNorm(_:): eps", { GlobalResponseNorm(1, eps: -1) }),
    ("FilterResponseNorm2d(_:): features", { FilterResponseNorm2d(-1) }),
    ("EvoNorm2dB0(_:): features", { EvoNorm2dB0(-1) }),
    ("EvoNorm2dS0(_:): features", { EvoNorm2dS0(-1, groups: 1) }),
  ]

  @Test(arguments: mistakes.indices) func wrongSizesNameTheLayer(_ index: Int) {
    let (text, make) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self) { try catchingTensorErrors { _ = make() } }
    #expect(error?.description.contains(text) == true, "\(error as Any)")
  }

  /// torch.nn.Linear(0, 2)(torch.zeros(3, 0)) is its bias, which is 0; nothing is drawn for the
  /// weight.
  @Test func layersOfNoSize() throws {
    let layer = withSeed(0) { Linear(0, 2) }
    #expect(layer.weight.shape == [2, 0] && layer.bias?.value.array() == [0, 0])
    #expect(layer(.zeros(3, 0)).array() == [Double](repeating: 0, count: 6))
    #expect(Linear(2, 0)(.zeros(3, 2)).shape == [3, 0])
    let table = Embedding(0, 2)
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { table(Tensor([0])) }
    }
    #expect(
      error?.description
        == "embedding(_:weight:): index 0 is out of range for a table of 0 rows; valid are 0 ..< 0")
    #expect(table(Tensor([] as [Int64])).shape == [0, 2])
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { Embedding(3, 2)(Tensor([0, 3])) }
    }
  }
}
