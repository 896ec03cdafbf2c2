import NormaNN
import Testing

/// What `print` says of layers, networks, parameters, buffers and optimizers.
@Suite struct DescriptionTests {
  /// Options as in the calls that make the layers; those with default values are left out.
  @Test func layers() {
    let cases: [(any Layer, String)] = [
      (Linear(4, 2), "Linear(4, 2)"),
      (Linear(4, 2, bias: false, dtype: .float64), "Linear(4, 2, bias: false, dtype: .float64)"),
      (
        Conv2d(3, 16, kernelSize: 3, padding: 1, bias: false),
        "Conv2d(3, 16, kernelSize: 3, padding: 1, bias: false)"
      ),
      (
        Conv2d(
          4, 8, kernelSize: [3, 5], stride: 2, padding: .same, groups: 2, paddingMode: .reflect),
        "Conv2d(4, 8, kernelSize: [3, 5], stride: 2, padding: .same, groups: 2, "
          + "paddingMode: .reflect)"
      ),
      (
        ConvTranspose1d(4, 6, kernelSize: 2, stride: 2, outputPadding: 1, groups: 2),
        "ConvTranspose1d(4, 6, kernelSize: 2, stride: 2, outputPadding: 1, groups: 2)"
      ),
      (StdConv2d(3, 4, kernelSize: 1), "StdConv2d(3, 4, kernelSize: 1, bias: false, eps: 1e-06)"),
      (MaxPool2d(kernelSize: 2), "MaxPool2d(kernelSize: 2)"),
      (
        MaxPool2d(kernelSize: 3, stride: 2, padding: 1),
        "MaxPool2d(kernelSize: 3, stride: 2, padding: 1)"
      ),
      (
        AvgPool1d(kernelSize: 2, countIncludePad: false),
        "AvgPool1d(kernelSize: 2, countIncludePad: false)"
      ),
      (LPPool2d(2, kernelSize: 3), "LPPool2d(2.0, kernelSize: 3)"),
      (AdaptiveAvgPool2d([7, nil]), "AdaptiveAvgPool2d(outputSize: [7, nil])"),
      (ConstantPad1d(2, value: 0.5), "ConstantPad1d(padding: 2, value: 0.5)"),
      (
        Upsample(scaleFactor: [2]),
        "Upsample(scaleFactor: [2.0], mode: .nearest, recomputeScaleFactor: false)"
      ),
      (Embedding(10, 4, paddingIndex: 0), "Embedding(10, 4, paddingIndex: 0)"),
      (Dropout(), "Dropout(p: 0.5)"), (Flatten(), "Flatten(from: 1, through: -1)"),
      (Identity(), "Identity()"), (ReLU(), "ReLU()"), (GELU(), "GELU()"),
      (LeakyReLU(), "LeakyReLU(slope: 0.01)"), (PReLU(3), "PReLU(3)"),
      (Softmax(over: -1), "Softmax(over: -1)"),
      (Threshold(0.5, value: 0), "Threshold(0.5, value: 0.0)"),
    ]
    for (layer, text) in cases { #expect("\(layer)" == text) }
  }

  @Test func norms() {
    let cases: [(any Layer, String)] = [
      (BatchNorm2d(64), "BatchNorm2d(64, eps: 1e-05, momentum: 0.1)"),
      (
        BatchNorm1d(8, momentum: .cumulative, affine: false, trackRunningStats: false),
        "BatchNorm1d(8, eps: 1e-05, momentum: .cumulative, affine: false, trackRunningStats: false)"
      ),
      (BatchNorm1d(8, bias: false), "BatchNorm1d(8, eps: 1e-05, momentum: 0.1, bias: false)"),
      (
        GhostBatchNorm(8, partSize: 4), "GhostBatchNorm(8, eps: 1e-05, momentum: 0.1, partSize: 4)"
      ),
      (InstanceNorm2d(3), "InstanceNorm2d(3, eps: 1e-05, momentum: 0.1)"),
      (
        InstanceNorm2d(3, affine: true, trackRunningStats: true),
        "InstanceNorm2d(3, eps: 1e-05, momentum: 0.1, affine: true, trackRunningStats: true)"
      ),
      (GroupNorm(2, 8, affine: false), "GroupNorm(2, 8, eps: 1e-05, affine: false)"),
      (LayerNorm([10, 20]), "LayerNorm([10, 20], eps: 1e-05)"),
      (
        LayerNorm(16, bias: false), "LayerNorm(16, eps: 1e-05, bias: false)"
      ),
      (RMSNorm(16), "RMSNorm(16)"), (RMSNorm(16, eps: 1e-6), "RMSNorm(16, eps: 1e-06)"),
      (FrozenBatchNorm2d(4), "FrozenBatchNorm2d(4, eps: 1e-05)"),
      (UnitNorm(), "UnitNorm(axis: -1, eps: 1e-12)"),
      (
        GlobalResponseNorm(4), "GlobalResponseNorm(axis: 1, eps: 1e-06, weight: [4], bias: [4])"
      ),
    ]
    for (layer, text) in cases { #expect("\(layer)" == text) }
  }

  @Test func settingsOfBatchNorm() {
    let norm = BatchNorm2d(4)
    norm.statistics = .running
    norm.freeze()
    #expect(
      "\(norm)" == "BatchNorm2d(4, eps: 1e-05, momentum: 0.1, statistics: .running, isFrozen: true)"
    )
  }

  private enum Activation { case relu, gelu }

  private final class Block: Module, Layer {
    let conv = Conv2d(3, 16, kernelSize: 3, padding: 1, bias: false)
    let norm = BatchNorm2d(16)
    let act = ReLU()
    func callAsFunction(_ x: Tensor) -> Tensor { act(norm(conv(x))) }
  }

  /// A module without a text of its own: what its properties hold.
  private final class Network: Module {
    let heads = 4
    let ratio: Double? = nil
    let long = [Int](repeating: 0, count: 9)
    let name = "small"
    let activation = Activation.gelu
    let scale = Parameter(.ones(1))
    let table = Buffer(.zeros(2, 3))
    let cache = Tensor.zeros(5)
    let blocks = [Block()]
    let head = Sequential(Flatten(), Linear(16, 2))
  }

  @Test func networks() {
    #expect(
      "\(Network())" == """
        Network(heads: 4, name: "small", activation: .gelu, scale: [1], table: [2, 3]
          (blocks.0): Block(
            (conv): Conv2d(3, 16, kernelSize: 3, padding: 1, bias: false), 432 parameters
            (norm): BatchNorm2d(16, eps: 1e-05, momentum: 0.1), 32 parameters
            (act): ReLU()
          ), 464 parameters
          (head): Sequential(
            (0): Flatten(from: 1, through: -1)
            (1): Linear(16, 2), 34 parameters
          ), 34 parameters
        ), 499 parameters
        """)
  }

  @Test func parametersAndBuffers() throws {
    let network = Sequential(Linear(2, 1), BatchNorm1d(1))
    let linear = try #require(network.layers[0] as? Linear)
    let bias = try #require(linear.bias)
    let mean = try #require((network.layers[1] as? BatchNorm1d)?.runningMean)
    linear.weight.value = Tensor([[1, 2]] as [[Float]])
    bias.value = Tensor([0.5] as [Float])
    #expect("\(bias)" == "Parameter float32 [1]: [0.5000]")
    #expect(network.parameters.count == 4)
    #expect("\(bias)" == "Parameter 0.bias float32 [1]: [0.5000]")
    #expect("\(linear.weight)" == "Parameter 0.weight float32 [1, 2]: [[1., 2.]]")
    network.freeze()
    #expect("\(bias)" == "Parameter 0.bias float32 [1]: [0.5000], frozen")
    #expect("\(mean)" == "Buffer 1.running_mean float32 [1]: [0.]")
    #expect("\(Buffer(Tensor([1.0, 2])))".hasSuffix(" [2]: [1., 2.]"))
    #expect("\(Parameter(.ones([2, 2])))" == "Parameter float32 [2, 2]: [[1., 1.], [1., 1.]]")
    #expect("\(Parameter(Tensor(3 as Float)))" == "Parameter float32 []: 3.")
    #expect("\(Parameter(.ones(0)))" == "Parameter float32 [0] empty")
    #expect("\(Parameter(.ones(9)))" == "Parameter float32 [9] mean 1 std 0 range 1 ... 1")
    let labels = Mirror(reflecting: bias).children.map { $0.label ?? "" }
    #expect(labels == ["name", "value", "grad"])
    #expect(Mirror(reflecting: mean).children.map { $0.label ?? "" } == ["name", "value"])
  }

  @Test func optimizers() {
    let parameters = [Parameter(.ones(2, 3)), Parameter(.ones(3))]
    let optimizer = SGD([parameters[0]], learningRate: 0.1, momentum: 0.9)
    optimizer.addGroup([parameters[1]]) { $0.learningRate = 0.01 }
    #expect(
      "\(optimizer)" == """
        SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.0, weightDecay: 0.0, nesterov: false, \
        maximize: false): 1 parameter, 6 elements
        SGD(learningRate: 0.01, momentum: 0.9, dampening: 0.0, weightDecay: 0.0, nesterov: false, \
        maximize: false): 1 parameter, 3 elements
        """)
  }
}
