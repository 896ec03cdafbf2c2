import NormaTensor

/// Divides every vector along an axis by its Euclidean length.
///
/// y = x / max(‖x‖, eps); for details see the pure function `normalize(_:p:axis:eps:)`. Keras:
/// `UnitNormalization`.
public final class UnitNorm: Module, PlacedLayer {
  /// The axis of the vectors.
  public let axis: Int
  /// The smallest length that a vector is divided by.
  public let eps: Double

  /// A layer for vectors along the last axis, or another one.
  public init(axis: Int = -1, eps: Double = 1e-12) { (self.axis, self.eps) = (axis, eps) }

  /// Divides every vector by its length.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.normalize(x, axis: axis, eps: eps, file: file, line: line).observed(
      by: self, of: x, file, line)
  }
}

/// Scales every vector along the last axis to a learned length.
///
/// y = scale * x / max(‖x‖, eps), with one scale for all, initially √features.
///
/// - Shapes: input and output `[..., features]`.
/// - Accuracy and cost: those of `normalize(_:p:axis:eps:)`.
/// - Source: Nguyen and Salazar, "Transformers without Tears" (2019).
public final class ScaleNorm: Module, PlacedLayer {
  /// The smallest length that a vector is divided by.
  public let eps: Double
  /// The length of all results, a single number.
  public let scale: Parameter

  /// A layer for vectors of `features` numbers.
  public init(
    _ features: Int, eps: Double = 1e-5, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let options = LayerOptions(layer: ScaleNorm.self, file: file, line: line)
    let features = options.size(features, "features")
    self.eps = options.eps(eps)
    scale = Parameter(.full([], Double(features).squareRoot(), dtype: dtype))
  }

  /// Scales every vector to the learned length.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    (Tensor.normalize(x, axis: -1, eps: eps, file: file, line: line) * scale.value).observed(
      by: self, of: x, file, line)
  }
}

/// Normalizes the queries and keys of attention, so that their products stay small.
///
/// Each goes through its own ``RMSNorm`` over the last axis, that of a head.
///
/// - Shapes: queries, keys and results `[..., headSize]`.
/// - In state dictionaries `q_norm.weight` and `k_norm.weight`, as in Qwen 3 and OLMo 2.
/// - Source: Henry, Dachapally, Pawar and Chen, "Query-Key Normalization for Transformers" (2020),
///   with lengths instead of root mean squares; Dehghani et al., "Scaling Vision Transformers to 22
///   Billion Parameters" (2023).
public final class QKNorm: Module {
  /// The norm of the queries.
  public let qNorm: RMSNorm
  /// The norm of the keys.
  public let kNorm: RMSNorm

  /// Norms for heads of `headSize` numbers.
  public init(_ headSize: Int, eps: Double? = 1e-6, dtype: DType = .float32) {
    qNorm = RMSNorm(headSize, eps: eps, dtype: dtype)
    kNorm = RMSNorm(headSize, eps: eps, dtype: dtype)
  }

  /// The normalized queries and keys.
  public func callAsFunction(
    queries: Tensor, keys: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> (queries: Tensor, keys: Tensor) {
    (qNorm(queries, file: file, line: line), kNorm(keys, file: file, line: line))
  }
}

/// A substitute for a norm: learned squashing without statistics.
///
/// y = weight * tanh(alpha x) + bias, with one alpha for all.
///
/// - Shapes: input and output `[..., features]`, or with the features in another axis; weight and
///   bias `[features]`, alpha `[1]`.
/// - Types: real ones.
/// - Cost: one read and one write.
/// - Source: Zhu, Chen, He, LeCun and Liu, "Transformers without Normalization" (2025).
public final class DynamicTanh: Module, PlacedLayer {
  /// The axis of the features.
  public let axis: Int
  /// The slope at 0.
  public let alpha: Parameter
  /// The scale γ of each feature, initially 1.
  public let weight: Parameter
  /// The shift β of each feature, initially 0.
  public let bias: Parameter

  /// A layer for `features` features in the last axis, or another one.
  public init(
    _ features: Int, axis: Int = -1, alpha: Double = 0.5, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: DynamicTanh.self, file: file, line: line)
    let features = options.size(features, "features")
    self.axis = axis
    self.alpha = Parameter(.full([1], alpha, dtype: dtype))
    weight = Parameter(.ones(features, dtype: dtype))
    bias = Parameter(.zeros(features, dtype: dtype))
  }

  /// Squashes every element.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let call = "DynamicTanh(_:)"
      let front = try Shape.axis(axis, of: x.shape, call: call)
      guard x.rank > front, x.shape[front] == weight.shape[0] else {
        throw TensorError(
          call, "axis \(axis) of shape \(x.shape) does not have \(weight.shape[0]) features")
      }
      let shape = x.shape.indices.map { $0 == front ? x.shape[front] : 1 }
      return (x * alpha.value).tanh() * weight.value.reshaped(shape) + bias.value.reshaped(shape)
    }.observed(by: self, of: x, file, line)
  }
}
