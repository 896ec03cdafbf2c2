import NormaTensor

extension Tensor {
  /// The rows of a table at integer indices.
  ///
  /// - Shapes: integers of any shape `[...]`, table `[rows, features]`, result `[..., features]`.
  /// - Parameters:
  ///   - indices: row indices, from 0.
  ///   - weight: the table.
  ///   - paddingIndex: a row that gets no gradient.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - PyTorch: `F.embedding`.
  public static func embedding(
    _ indices: Tensor, weight: Tensor, paddingIndex: Int? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "embedding(_:weight:)"
      if indices.isPoisoned || weight.isPoisoned { return .poisoned }
      guard weight.rank == 2 else {
        throw TensorError(call, "a table of shape [rows, features] is needed, got \(weight.shape)")
      }
      if indices.dtype.isInteger, indices.count > 0 {
        let (low, high) = (indices.min(), indices.max())
        let wrong = [low, high].map { $0.item(as: Int.self) }
          .first { !(0..<weight.shape[0]).contains($0) }
        if let wrong {
          throw TensorError(
            call,
            "index \(wrong) is out of range for a table of \(weight.shape[0]) rows; valid are 0 "
              + "..< \(weight.shape[0])")
        }
      }
      var table = weight
      if let padding = paddingIndex {
        let rows = weight.shape[0]
        guard padding >= -rows && padding < rows else {
          throw TensorError(call, "paddingIndex \(padding) is out of range for \(rows) rows")
        }
        let row = padding < 0 ? padding + rows : padding
        let isOther = (Tensor.arange(rows) .!= row).unsqueezed(1)
        // The same values, but without a gradient for the padding row.
        table = Tensor.where(isOther, weight, weight.detached())
      }
      return table.indexSelected(indices.flattened(), over: 0, file: file, line: line)
        .reshaped(indices.shape + [weight.shape[1]])
    }
  }
}

/// A table of vectors that is indexed with integers, initially normal random numbers. PyTorch:
/// `nn.Embedding`.
public final class Embedding: Module, PlacedLayer {
  /// `[rows, features]`.
  public let weight: Parameter
  /// The row for padding, which stays zero.
  public let paddingIndex: Int?

  /// A table of `rows` vectors of `features` numbers. The row at `paddingIndex` is initially zero
  /// and gets no gradient.
  public init(
    _ rows: Int, _ features: Int, paddingIndex: Int? = nil, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: Embedding.self, file: file, line: line)
    let (rows, features) = (options.size(rows, "rows"), options.size(features, "features"))
    if let paddingIndex, !(-rows..<rows).contains(paddingIndex) {
      options.refuse("paddingIndex \(paddingIndex) is out of range for \(rows) rows")
    }
    self.paddingIndex = paddingIndex
    var table = Tensor.normal([rows, features], mean: 0, std: 1, dtype: dtype)
    if let paddingIndex {
      let row = paddingIndex < 0 ? paddingIndex + rows : paddingIndex
      table = Tensor.where((Tensor.arange(rows) .== row).unsqueezed(1), 0, table)
    }
    weight = Parameter(table.evaluated())
  }

  public override var optionsDescription: String {
    OptionText(weight.shape[0], weight.shape[1]).with("paddingIndex", paddingIndex as Any)
      .with("dtype", weight.dtype, unless: .float32).text
  }

  /// The vectors at the indices in `x`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.embedding(x, weight: weight.value, paddingIndex: paddingIndex, file: file, line: line)
      .observed(by: self, of: x, file, line)
  }
}

/// y = x₁ᵀ W x₂ + b, with one matrix per output. PyTorch: `nn.Bilinear`.
public final class Bilinear: Module {
  /// `[outputs, first, second]`.
  public let weight: Parameter
  /// `[outputs]`; nil without `bias`.
  public let bias: Parameter?

  /// A map from two vectors to `outputs` numbers.
  public init(
    _ first: Int, _ second: Int, _ outputs: Int, bias: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: Bilinear.self, file: file, line: line)
    let (first, second) = (options.size(first, "first", atLeast: 1), options.size(second, "second"))
    let outputs = options.size(outputs, "outputs")
    let bound = 1 / Double(first).squareRoot()
    func draw(_ shape: [Int]) -> Parameter {
      Parameter(.uniform(shape, low: -bound, high: bound, dtype: dtype))
    }
    weight = draw([outputs, first, second])
    self.bias = bias ? draw([outputs]) : nil
  }

  public override var optionsDescription: String {
    OptionText(weight.shape[1], weight.shape[2], weight.shape[0])
      .with("bias", bias != nil, unless: true)
      .with("dtype", weight.dtype, unless: .float32).text
  }

  /// The map of the last axes of `a` and `b`, whose other axes must be equal.
  public func callAsFunction(
    _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    bilinear(a, b, weight: weight.value, bias: bias?.value, file: file, line: line)
  }
}

/// y[o] = Σ a[i] weight[o, i, j] b[j] + bias[o] over the last axes. PyTorch: `F.bilinear`.
public func bilinear(
  _ a: Tensor, _ b: Tensor, weight: Tensor, bias: Tensor? = nil, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "bilinear(_:_:weight:)"
    if a.isPoisoned || b.isPoisoned || weight.isPoisoned { return .poisoned }
    guard weight.rank == 3, a.rank > 0, a.shape.dropLast() == b.shape.dropLast(),
      a.shape.last == weight.shape[1], b.shape.last == weight.shape[2]
    else {
      throw TensorError(
        call, "inputs \(a.shape) and \(b.shape) do not fit the weight \(weight.shape)")
    }
    let (outputs, first, second) = (weight.shape[0], weight.shape[1], weight.shape[2])
    let rows = a.reshaped(-1, first)
    // Not one of the products that mixed precision converts.
    let left = autocast(nil) {
      rows.matmul(weight.permuted(1, 0, 2).reshaped(first, outputs * second))
    }
    let products = left.reshaped(-1, outputs, second) * b.reshaped(-1, 1, second)
    let result = products.sum(over: -1).reshaped(a.shape.dropLast() + [outputs])
    return bias.map { result + $0 } ?? result
  }
}
