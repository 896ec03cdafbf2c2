import NormaTensor

/// The activation between a transformer layer's linear maps.
public enum TransformerActivation: Sendable, Hashable {
  /// max(x, 0).
  case relu
  /// x Φ(x).
  case gelu

  func callAsFunction(_ x: Tensor) -> Tensor { self == .relu ? x.relu() : x.gelu() }
}

/// The options of transformer layers, with PyTorch's defaults.
public struct TransformerOptions: Sendable {
  /// The number of features between the two linear maps.
  public var dimFeedforward = 2048
  /// The probability with which elements are dropped in training.
  public var dropout = 0.1
  /// The activation between the linear maps.
  public var activation = TransformerActivation.relu
  /// Added to the variances of the layer norms.
  public var layerNormEps = 1e-5
  /// Whether the batch is the first axis.
  public var batchFirst = false
  /// Whether norms come before attention and linear maps instead of behind the sums.
  public var normFirst = false
  /// Whether linear maps and norms have biases.
  public var bias = true
  /// The type of the parameters.
  public var dtype = DType.float32

  /// PyTorch's defaults.
  public init(
    dimFeedforward: Int = 2048, dropout: Double = 0.1, activation: TransformerActivation = .relu,
    layerNormEps: Double = 1e-5, batchFirst: Bool = false, normFirst: Bool = false,
    bias: Bool = true, dtype: DType = .float32
  ) {
    (self.dimFeedforward, self.dropout, self.activation) = (dimFeedforward, dropout, activation)
    (self.layerNormEps, self.batchFirst) = (layerNormEps, batchFirst)
    (self.normFirst, self.bias, self.dtype) = (normFirst, bias, dtype)
  }

  func attention(_ dModel: Int, _ nHead: Int, _ place: LayerOptions) -> MultiheadAttention {
    MultiheadAttention(
      dModel, nHead, dropout: dropout, bias: bias, batchFirst: batchFirst, dtype: dtype,
      file: place.file, line: place.line)
  }

  func norm(_ dModel: Int) -> LayerNorm {
    LayerNorm([dModel], eps: layerNormEps, bias: bias, dtype: dtype)
  }
}

/// Self-attention and two linear maps, each with a sum around it and a layer norm.
///
/// - Shapes: `[L, N, dModel]`, or `[N, L, dModel]` with `batchFirst`, or `[L, dModel]`.
/// - Formula: x = norm1(x + attention(x)), x = norm2(x + linear2(activation(linear1(x)))); with
///   `normFirst` x = x + attention(norm1(x)), x = x + linear2(activation(linear1(norm2(x)))).
/// - Masks are those of ``MultiheadAttention``. PyTorch: `nn.TransformerEncoderLayer`.
public final class TransformerEncoderLayer: Module, PlacedLayer {
  /// The attention.
  public let selfAttn: MultiheadAttention
  /// The first linear map.
  public let linear1: Linear
  /// Drops elements between the linear maps.
  public let dropout: Dropout
  /// The second linear map.
  public let linear2: Linear
  /// The norm of the attention.
  public let norm1: LayerNorm
  /// The norm of the linear maps.
  public let norm2: LayerNorm
  private let dropout1: Dropout
  private let dropout2: Dropout
  /// The options.
  public let options: TransformerOptions
  private let nHead: Int

  /// A layer of `dModel` features and `nHead` heads.
  public init(
    _ dModel: Int, _ nHead: Int, _ options: TransformerOptions = TransformerOptions(),
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let place = LayerOptions(layer: TransformerEncoderLayer.self, file: file, line: line)
    selfAttn = options.attention(dModel, nHead, place)
    linear1 = Linear(dModel, options.dimFeedforward, bias: options.bias, dtype: options.dtype)
    linear2 = Linear(options.dimFeedforward, dModel, bias: options.bias, dtype: options.dtype)
    (norm1, norm2) = (options.norm(dModel), options.norm(dModel))
    dropout = Dropout(options.dropout)
    (dropout1, dropout2) = (Dropout(options.dropout), Dropout(options.dropout))
    (self.options, self.nHead) = (options, nHead)
  }

  /// The result for a sequence.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    self(x, mask: nil, file: file, line: line)
  }

  /// The result for a sequence, with masks as in ``MultiheadAttention``; a `cache` holds the keys
  /// and values of earlier positions.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor?, keyPaddingMask: Tensor? = nil, isCausal: Bool = false,
    cache: KeyValueCache? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    func attention(_ x: Tensor) -> Tensor {
      dropout1(
        selfAttn(
          x, keyPaddingMask: keyPaddingMask, needsWeights: false, mask: mask, isCausal: isCausal,
          cache: cache, file: file, line: line
        ).output)
    }
    func maps(_ x: Tensor) -> Tensor {
      let inner = options.activation(linear1(x, file: file, line: line))
      return dropout2(linear2(dropout(inner), file: file, line: line))
    }
    if options.normFirst {
      let sum = x + attention(norm1(x, file: file, line: line))
      return sum + maps(norm2(sum, file: file, line: line))
    }
    let sum = norm1(x + attention(x), file: file, line: line)
    return norm2(sum + maps(sum), file: file, line: line)
  }

  /// A layer of its own with the same values.
  func copy() -> TransformerEncoderLayer {
    let copy = withSeed(0) { TransformerEncoderLayer(selfAttn.embedDim, nHead, options) }
    copyParameters(from: self, to: copy)
    return copy
  }
}

/// Self-attention, attention to the memory, and two linear maps, each with a sum around it and a
/// layer norm.
///
/// - Shapes: target `[T, N, dModel]`, memory `[S, N, dModel]`, result `[T, N, dModel]`; with
///   `batchFirst` `[N, T, dModel]` and so on.
/// - Masks are those of ``MultiheadAttention``. PyTorch: `nn.TransformerDecoderLayer`.
public final class TransformerDecoderLayer: Module {
  /// The attention of the target to itself.
  public let selfAttn: MultiheadAttention
  /// The attention of the target to the memory.
  public let multiheadAttn: MultiheadAttention
  /// The first linear map.
  public let linear1: Linear
  /// Drops elements between the linear maps.
  public let dropout: Dropout
  /// The second linear map.
  public let linear2: Linear
  /// The norm of the first attention.
  public let norm1: LayerNorm
  /// The norm of the second attention.
  public let norm2: LayerNorm
  /// The norm of the linear maps.
  public let norm3: LayerNorm
  private let dropout1: Dropout
  private let dropout2: Dropout
  private let dropout3: Dropout
  /// The options.
  public let options: TransformerOptions
  private let nHead: Int

  /// A layer of `dModel` features and `nHead` heads.
  public init(
    _ dModel: Int, _ nHead: Int, _ options: TransformerOptions = TransformerOptions(),
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let place = LayerOptions(layer: TransformerDecoderLayer.self, file: file, line: line)
    selfAttn = options.attention(dModel, nHead, place)
    multiheadAttn = options.attention(dModel, nHead, place)
    linear1 = Linear(dModel, options.dimFeedforward, bias: options.bias, dtype: options.dtype)
    linear2 = Linear(options.dimFeedforward, dModel, bias: options.bias, dtype: options.dtype)
    (norm1, norm2, norm3) = (options.norm(dModel), options.norm(dModel), options.norm(dModel))
    dropout = Dropout(options.dropout)
    (dropout1, dropout2) = (Dropout(options.dropout), Dropout(options.dropout))
    dropout3 = Dropout(options.dropout)
    (self.options, self.nHead) = (options, nHead)
  }

  /// The result for a target and the memory, the encoder's result.
  public func callAsFunction(
    _ x: Tensor, _ memory: Tensor, mask: Tensor? = nil, memoryMask: Tensor? = nil,
    keyPaddingMask: Tensor? = nil, memoryKeyPaddingMask: Tensor? = nil, isCausal: Bool = false,
    memoryIsCausal: Bool = false, cache: KeyValueCache? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    func own(_ x: Tensor) -> Tensor {
      dropout1(
        selfAttn(
          x, keyPaddingMask: keyPaddingMask, needsWeights: false, mask: mask, isCausal: isCausal,
          cache: cache, file: file, line: line
        ).output)
    }
    func other(_ x: Tensor) -> Tensor {
      dropout2(
        multiheadAttn(
          x, memory, keyPaddingMask: memoryKeyPaddingMask, needsWeights: false, mask: memoryMask,
          isCausal: memoryIsCausal, file: file, line: line
        ).output)
    }
    func maps(_ x: Tensor) -> Tensor {
      let inner = options.activation(linear1(x, file: file, line: line))
      return dropout3(linear2(dropout(inner), file: file, line: line))
    }
    if options.normFirst {
      let first = x + own(norm1(x, file: file, line: line))
      let second = first + other(norm2(first, file: file, line: line))
      return second + maps(norm3(second, file: file, line: line))
    }
    let first = norm1(x + own(x), file: file, line: line)
    let second = norm2(first + other(first), file: file, line: line)
    return norm3(second + maps(second), file: file, line: line)
  }

  /// A layer of its own with the same values.
  func copy() -> TransformerDecoderLayer {
    let copy = withSeed(0) { TransformerDecoderLayer(selfAttn.embedDim, nHead, options) }
    copyParameters(from: self, to: copy)
    return copy
  }
}

/// Gives a module the parameters of another with the same structure.
private func copyParameters(from original: Module, to copy: Module) {
  for (old, new) in zip(original.parameters, copy.parameters) {
    new.value = old.value.detached()
  }
}
