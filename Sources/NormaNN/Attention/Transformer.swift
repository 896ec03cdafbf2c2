import NormaTensor

/// Encoder layers on top of each other. PyTorch: `nn.TransformerEncoder`.
public final class TransformerEncoder: Module, PlacedLayer {
  /// The layers, named `layers.0`, `layers.1`, ...
  public let layers: [TransformerEncoderLayer]
  /// A norm behind the last layer.
  public let norm: LayerNorm?

  /// `numLayers` copies of a layer, which all begin with its values, as in PyTorch.
  public init(
    _ layer: TransformerEncoderLayer, numLayers: Int, norm: LayerNorm? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: TransformerEncoder.self, file: file, line: line)
    layers = (0..<options.size(numLayers, "numLayers")).map { _ in layer.copy() }
    self.norm = norm
  }

  /// The result of the last layer.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    self(x, mask: nil, file: file, line: line)
  }

  /// The result of the last layer, with masks as in ``MultiheadAttention`` for all layers, and a
  /// cache for each layer.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor?, keyPaddingMask: Tensor? = nil, isCausal: Bool = false,
    caches: [KeyValueCache]? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let caches, caches.count != layers.count {
      return checked(file: file, line: line, call: "TransformerEncoder(_:)") {
        () throws(TensorError) in
        throw TensorError(
          "TransformerEncoder(_:)", "\(caches.count) caches for \(layers.count) layers")
      }
    }
    let y = layers.enumerated().reduce(x) { x, next in
      next.element(
        x, mask: mask, keyPaddingMask: keyPaddingMask, isCausal: isCausal,
        cache: caches?[next.offset], file: file, line: line)
    }
    return norm?(y, file: file, line: line) ?? y
  }
}

/// Decoder layers on top of each other. PyTorch: `nn.TransformerDecoder`.
public final class TransformerDecoder: Module {
  /// The layers, named `layers.0`, `layers.1`, ...
  public let layers: [TransformerDecoderLayer]
  /// A norm behind the last layer.
  public let norm: LayerNorm?

  /// `numLayers` copies of a layer, which all begin with its values, as in PyTorch.
  public init(
    _ layer: TransformerDecoderLayer, numLayers: Int, norm: LayerNorm? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: TransformerDecoder.self, file: file, line: line)
    layers = (0..<options.size(numLayers, "numLayers")).map { _ in layer.copy() }
    self.norm = norm
  }

  /// The result of the last layer, with masks as in ``MultiheadAttention`` for all layers.
  public func callAsFunction(
    _ x: Tensor, _ memory: Tensor, mask: Tensor? = nil, memoryMask: Tensor? = nil,
    keyPaddingMask: Tensor? = nil, memoryKeyPaddingMask: Tensor? = nil, isCausal: Bool = false,
    memoryIsCausal: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let y = layers.reduce(x) {
      $1(
        $0, memory, mask: mask, memoryMask: memoryMask, keyPaddingMask: keyPaddingMask,
        memoryKeyPaddingMask: memoryKeyPaddingMask, isCausal: isCausal,
        memoryIsCausal: memoryIsCausal, file: file, line: line)
    }
    return norm?(y, file: file, line: line) ?? y
  }
}

/// An encoder and a decoder.
///
/// - Shapes: source `[S, N, dModel]`, target `[T, N, dModel]`, result `[T, N, dModel]`; with
///   `batchFirst` `[N, S, dModel]` and so on.
/// - Initial parameters are PyTorch's, bit for bit: Xavier uniform matrices.
/// - PyTorch: `nn.Transformer`. Source: Vaswani and others (2017).
public final class Transformer: Module {
  /// Encodes the source.
  public let encoder: TransformerEncoder
  /// Decodes the target.
  public let decoder: TransformerDecoder

  /// A transformer with PyTorch's defaults.
  public init(
    _ dModel: Int = 512, _ nHead: Int = 8, numEncoderLayers: Int = 6, numDecoderLayers: Int = 6,
    _ options: TransformerOptions = TransformerOptions(), file: StaticString = #fileID,
    line: UInt = #line
  ) {
    encoder = TransformerEncoder(
      TransformerEncoderLayer(dModel, nHead, options, file: file, line: line),
      numLayers: numEncoderLayers, norm: options.norm(dModel), file: file, line: line)
    decoder = TransformerDecoder(
      TransformerDecoderLayer(dModel, nHead, options, file: file, line: line),
      numLayers: numDecoderLayers, norm: options.norm(dModel), file: file, line: line)
    super.init()
    for parameter in parameters where parameter.shape.count > 1 {
      parameter.value = .xavierUniform(parameter.shape, dtype: parameter.dtype)
    }
  }

  /// The result for each position of the target; masks as in ``MultiheadAttention``.
  ///
  /// - Parameters:
  ///   - source: what the encoder reads.
  ///   - target: what the decoder continues.
  ///   - sourceMask: the encoder's mask.
  ///   - targetMask: the decoder's mask for the target.
  ///   - memoryMask: the decoder's mask for the encoder's result.
  ///   - sourceKeyPaddingMask: padding of the source for the encoder.
  ///   - targetKeyPaddingMask: padding of the target.
  ///   - memoryKeyPaddingMask: padding of the source for the decoder.
  ///   - targetIsCausal: whether each position of the target sees only those up to its own.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  public func callAsFunction(
    _ source: Tensor, _ target: Tensor, sourceMask: Tensor? = nil, targetMask: Tensor? = nil,
    memoryMask: Tensor? = nil, sourceKeyPaddingMask: Tensor? = nil,
    targetKeyPaddingMask: Tensor? = nil, memoryKeyPaddingMask: Tensor? = nil,
    targetIsCausal: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let memory = encoder(
      source, mask: sourceMask, keyPaddingMask: sourceKeyPaddingMask, file: file, line: line)
    return decoder(
      target, memory, mask: targetMask, memoryMask: memoryMask,
      keyPaddingMask: targetKeyPaddingMask, memoryKeyPaddingMask: memoryKeyPaddingMask,
      isCausal: targetIsCausal, file: file, line: line)
  }
}
