import NormaTensor

/// A transposed convolution over any number of spatial axes; use ``ConvTranspose1d``,
/// ``ConvTranspose2d`` or ``ConvTranspose3d``.
///
/// Formula, shapes and cost are those of
/// `convTranspose2d(_:weight:bias:stride:padding:outputPadding:groups:dilation:)`. Weight `[inputs,
/// outputs / groups, kernel...]` and bias `[outputs]` have PyTorch's initial values.
public class TransposedConvolution: Module, PlacedLayer {
  /// `[inputs, outputs / groups, kernel...]`.
  public let weight: Parameter
  /// `[outputs]`; nil without `bias`.
  public let bias: Parameter?
  /// The step between the output positions of neighboring inputs.
  public let stride: Extents
  /// The number of elements to remove around the result.
  public let padding: Extents
  /// The number of elements to add after the result.
  public let outputPadding: Extents
  /// The distance between elements of the kernel.
  public let dilation: Extents
  /// The number of groups of channels.
  public let groups: Int

  /// The number of spatial axes.
  var space: Int { weight.shape.count - 2 }

  init(
    space: Int, _ inputs: Int, _ outputs: Int, kernelSize: Extents, stride: Extents,
    padding: Extents, outputPadding: Extents, groups: Int, bias: Bool, dilation: Extents,
    dtype: DType, options: LayerOptions
  ) {
    let parts = options.size(groups, "groups", atLeast: 1)
    let (inputs, outputs) = (options.size(inputs, "inputs"), options.size(outputs, "outputs"))
    for (name, count) in [("inputs", inputs), ("outputs", outputs)] where count % parts != 0 {
      options.refuse("\(count) \(name) cannot be divided into \(groups) groups")
    }
    (weight, self.bias) = affineParameters(
      [inputs, outputs / parts] + kernelSize.repeated(space), outputs: outputs,
      hasBias: bias, dtype: dtype)
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
  }

  public override var optionsDescription: String {
    OptionText(weight.shape[0], weight.shape[1] * groups)
      .with("kernelSize", Extents(Array(weight.shape.dropFirst(2))))
      .with("stride", stride, unless: 1).with("padding", padding, unless: 0)
      .with("outputPadding", outputPadding, unless: 0).with("groups", groups, unless: 1)
      .with("bias", bias != nil, unless: true).with("dilation", dilation, unless: 1)
      .with("dtype", weight.dtype, unless: .float32).text
  }

  /// The transposed convolution of `[N, inputs, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn { return standIn(x, file: file, line: line) }
    return checked(file: file, line: line) { () throws(TensorError) in try apply(x, outputPadding) }
      .observed(by: self, of: x, file, line)
  }

  /// The same with a given output size, one number for each spatial axis, instead of
  /// ``outputPadding``: with a stride, the convolution has several possible output sizes. PyTorch:
  /// `layer(x, output_size)`.
  public func callAsFunction(
    _ x: Tensor, outputSize: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn = standIn as? TransposedConvolution {
      return standIn(x, outputSize: outputSize, file: file, line: line)
    }
    return checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let call = "ConvTranspose\(space)d(_:outputSize:)"
      let size = outputSize.count == space + 2 ? Array(outputSize.suffix(space)) : outputSize
      guard size.count == space, x.rank > space else {
        throw TensorError(
          call, "outputSize \(outputSize) for shape \(x.shape) needs \(space) numbers")
      }
      let (stride, padding) = (stride.repeated(space), padding.repeated(space))
      let dilation = dilation.repeated(space)
      var extra: [Int] = []
      for axis in 0..<space {
        let least =
          (x.shape[x.rank - space + axis] - 1) * stride[axis] - 2 * padding[axis]
          + dilation[axis] * (weight.shape[axis + 2] - 1) + 1
        guard (least..<least + stride[axis]).contains(size[axis]) else {
          throw TensorError(
            call,
            "size \(size[axis]) of axis \(axis) is out of range; valid sizes are \(least) ..< "
              + "\(least + stride[axis])")
        }
        extra.append(size[axis] - least)
      }
      return try apply(x, Extents(extra))
    }
  }

  private func apply(_ x: Tensor, _ outputPadding: Extents) throws(TensorError) -> Tensor {
    try convolveTransposed(
      x, weight.value, bias?.value, space, stride, padding, outputPadding, groups, dilation,
      call: "ConvTranspose\(space)d(_:)")
  }
}

/// A transposed convolution of `[N, C, L]`. PyTorch: `nn.ConvTranspose1d`.
public final class ConvTranspose1d: TransposedConvolution {
  /// A transposed convolution with PyTorch's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: some ExtentsConvertible = 0, outputPadding: some ExtentsConvertible = 0,
    groups: Int = 1, bias: Bool = true,
    dilation: some ExtentsConvertible = 1, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      space: 1, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding.asExtents,
      outputPadding: outputPadding.asExtents, groups: groups, bias: bias,
      dilation: dilation.asExtents, dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

/// A transposed convolution of images `[N, C, H, W]`. PyTorch: `nn.ConvTranspose2d`.
public final class ConvTranspose2d: TransposedConvolution {
  /// A transposed convolution with PyTorch's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: some ExtentsConvertible = 0, outputPadding: some ExtentsConvertible = 0,
    groups: Int = 1, bias: Bool = true,
    dilation: some ExtentsConvertible = 1, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      space: 2, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding.asExtents,
      outputPadding: outputPadding.asExtents, groups: groups, bias: bias,
      dilation: dilation.asExtents, dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

/// A transposed convolution of volumes `[N, C, D, H, W]`. PyTorch: `nn.ConvTranspose3d`.
public final class ConvTranspose3d: TransposedConvolution {
  /// A transposed convolution with PyTorch's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: some ExtentsConvertible = 0, outputPadding: some ExtentsConvertible = 0,
    groups: Int = 1, bias: Bool = true,
    dilation: some ExtentsConvertible = 1, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      space: 3, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding.asExtents,
      outputPadding: outputPadding.asExtents, groups: groups, bias: bias,
      dilation: dilation.asExtents, dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}
