import NormaTensor

extension Tensor {
  /// y = x weightᵀ + bias over the last axis.
  ///
  /// - Shapes: input `[..., inputs]`, weight `[outputs, inputs]`, bias `[outputs]`, output
  ///   `[..., outputs]`.
  /// - Cost: one matrix product; the bias is fused with the operations that follow. PyTorch:
  ///   `F.linear`.
  public static func linear(
    _ x: Tensor, weight: Tensor, bias: Tensor? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned || weight.isPoisoned { return .poisoned }
      guard weight.rank == 2 || weight.rank == 1, x.rank > 0, x.shape.last == weight.shape.last
      else {
        throw TensorError(
          "linear(_:weight:)",
          "input \(x.shape) and weight \(weight.shape) do not match; the last axes must be "
            + "equal")
      }
      let isNarrow = Autocast.type != nil
      guard isNarrow || x.dtype == weight.dtype else {
        throw TensorError(
          "linear(_:weight:)",
          "input is \(x.dtype) and the weight \(weight.dtype); write x.cast(to: .\(weight.dtype))")
      }
      let (weight, bias) = isNarrow ? (weight.narrowed, bias?.narrowed) : (weight, bias)
      let product = x.matmul(
        weight.rank == 2 ? weight.transposed() : weight, file: file, line: line)
      guard let bias else { return product }
      guard bias.shape == Array(weight.shape.dropLast()) else {
        throw TensorError(
          "linear(_:weight:)", "the bias has shape \(bias.shape), the weight \(weight.shape)")
      }
      return product + bias
    }
  }
}

/// A linear map of the last axis: y = x weightᵀ + bias.
///
/// Weight `[outputs, inputs]` and bias are initially uniform within ±1 / √inputs, bit for bit as
/// PyTorch draws them. PyTorch: `nn.Linear`.
public final class Linear: Module, PlacedLayer {
  /// `[outputs, inputs]`.
  public let weight: Parameter
  /// `[outputs]`; nil without `bias`.
  public let bias: Parameter?

  /// A map from `inputs` to `outputs` numbers. Sizes may be 0: without inputs the result is the
  /// bias.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: Linear.self, file: file, line: line)
    let (inputs, outputs) = (options.size(inputs, "inputs"), options.size(outputs, "outputs"))
    (weight, self.bias) = affineParameters(
      [outputs, inputs], outputs: outputs, hasBias: bias, dtype: dtype)
  }

  public override var optionsDescription: String {
    OptionText(weight.shape[1], weight.shape[0]).with("bias", bias != nil, unless: true)
      .with("dtype", weight.dtype, unless: .float32).text
  }

  /// The map of the last axis of `x`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn { return standIn(x, file: file, line: line) }
    return Tensor.linear(x, weight: weight.value, bias: bias?.value, file: file, line: line)
      .observed(by: self, of: x, file, line)
  }

  public override func multiplyAdds(for output: [Int]) -> Int {
    product(output + [weight.shape[1]])
  }
}

/// Returns its input unchanged: a placeholder for a layer that is left out. PyTorch: `nn.Identity`.
public final class Identity: Module, PlacedLayer {
  /// `x`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor { x }
}

/// Merges the axes `from ... through` into one; by default all but the first. PyTorch:
/// `nn.Flatten`.
public final class Flatten: Module, PlacedLayer {
  private let from: Int
  private let through: Int

  /// Merges the axes from `from` to `through`.
  public init(from: Int = 1, through: Int = -1) {
    self.from = from
    self.through = through
  }

  /// `x` with these axes merged.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    x.flattened(from: from, through: through, file: file, line: line).observed(
      by: self, of: x, file, line)
  }
}

/// Applies layers one after the other; parameters are named `0.weight`, `1.bias`. PyTorch:
/// `nn.Sequential`.
public final class Sequential: Module, PlacedLayer {
  /// The layers in order.
  public let layers: [any Layer]

  /// Applies these layers in order.
  public init(_ layers: any Layer...) { self.layers = layers }

  /// Applies these layers in order.
  public init(_ layers: [any Layer]) { self.layers = layers }

  /// The layers by index.
  public override var children: [(name: String, module: Module)] {
    layers.enumerated().map { ("\($0)", $1.current) }
  }

  /// The layer at an index.
  public subscript(
    _ index: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> any Layer {
    if layers.indices.contains(index) { return layers[index] }
    report(
      TensorError(
        "Sequential[_:]",
        "layer \(index) is out of range; valid layers are 0 ..< \(layers.count)"),
      file: file, line: line)
    return MissingLayer()
  }

  /// The result of the last layer.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    var index = 0
    let outer = CallFrame.current
    let frame = CallFrame { [self] in
      let layer = layers[index]
      let place = knownName.map { "\($0).\(index)" } ?? "\(index)"
      let title = "\(place) (\(type(of: layer)))"
      return knownName == nil ? outer.map { "\($0.description), \(title)" } ?? title : title
    }
    return CallFrame.$current.withValue(frame) {
      layers.reduce(x) {
        defer { index += 1 }
        return $1($0, file: file, line: line)
      }
    }
  }
}

/// Replaces a layer that does not exist, inside `catchingTensorErrors`.
private final class MissingLayer: Module, Layer {
  func callAsFunction(_ x: Tensor) -> Tensor { .poisoned }
}
