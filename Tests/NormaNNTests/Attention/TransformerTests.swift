import NormaNN
import NormaTensor
import Testing

/// Transformer layers against PyTorch in float64.
@Suite(.seeded) struct TransformerTests {
  static let options: [String: TransformerOptions] = [
    "plain": TransformerOptions(dimFeedforward: 12, dropout: 0, dtype: .float64),
    "norm_first": TransformerOptions(
      dimFeedforward: 12, dropout: 0, activation: .gelu, normFirst: true, dtype: .float64),
    "no_bias": TransformerOptions(
      dimFeedforward: 12, dropout: 0, layerNormEps: 1e-3, batchFirst: true, bias: false,
      dtype: .float64),
  ]

  @Test(arguments: options.keys.sorted()) func encoderLayers(_ name: String) throws {
    let layer = TransformerEncoderLayer(8, 2, try #require(Self.options[name]))
    try SequenceFixture("encoder_layer.\(name)").check(layer) {
      [layer($0["x"] ?? .poisoned, mask: nil, keyPaddingMask: $0["padding"])]
    }
  }

  @Test(arguments: options.keys.sorted()) func decoderLayers(_ name: String) throws {
    let layer = TransformerDecoderLayer(8, 2, try #require(Self.options[name]))
    try SequenceFixture("decoder_layer.\(name)").check(layer) {
      [
        layer(
          $0["x"] ?? .poisoned, $0["memory"] ?? .poisoned, mask: $0["mask"],
          memoryKeyPaddingMask: $0["padding"])
      ]
    }
  }

  @Test func stacks() throws {
    let options = try #require(Self.options["plain"])
    let encoder = TransformerEncoder(
      TransformerEncoderLayer(8, 2, options), numLayers: 2,
      norm: LayerNorm([8], dtype: .float64))
    try SequenceFixture("encoder").check(encoder) { [encoder($0["x"] ?? .poisoned)] }
    var batchFirst = options
    batchFirst.batchFirst = true
    let whole = Transformer(8, 2, numEncoderLayers: 2, numDecoderLayers: 2, batchFirst)
    try SequenceFixture("transformer").check(whole) {
      [whole($0["x"] ?? .poisoned, $0["y"] ?? .poisoned, targetIsCausal: true)]
    }
  }

  @Test func initialParametersOfPyTorch() throws {
    let options = TransformerOptions(dimFeedforward: 12)
    try SequenceFixture("initial.encoder").checkInitial {
      TransformerEncoder(TransformerEncoderLayer(8, 2, options), numLayers: 2)
    }
    try SequenceFixture("initial.transformer").checkInitial {
      Transformer(8, 2, numEncoderLayers: 1, numDecoderLayers: 1, options)
    }
  }

  /// Copies share nothing with their original.
  @Test func layersOfAStackAreCopies() {
    let layer = TransformerEncoderLayer(8, 2, TransformerOptions(dimFeedforward: 12))
    let stack = TransformerEncoder(layer, numLayers: 2)
    layer.linear1.weight.value = .zeros(layer.linear1.weight.shape)
    let (a, b) = (stack.layers[0].linear1.weight, stack.layers[1].linear1.weight)
    #expect(a.value.isEqual(to: b.value) && a !== b)
    #expect(a.value.abs().max().item() > 0)
  }

  @Test func cachesOfAllLayers() {
    let stack = TransformerEncoder(
      TransformerEncoderLayer(
        8, 2, TransformerOptions(dimFeedforward: 12, batchFirst: true, dtype: .float64)),
      numLayers: 2)
    stack.eval()
    let x = Tensor.randn([2, 5, 8], dtype: .float64)
    let whole = stack(x, mask: nil, isCausal: true)
    let caches = [KeyValueCache(), KeyValueCache()]
    let parts = (0..<5).map {
      stack(x[0..., $0..<($0 + 1)], mask: nil, isCausal: true, caches: caches)
    }
    #expect((Tensor.concatenated(parts, over: 1) - whole).abs().max().item() < 1e-13)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = stack(x, mask: nil, caches: [KeyValueCache()]) }
    }
  }
}
