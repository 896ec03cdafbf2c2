import NormaTensor

/// A convolution over any number of spatial axes; use ``Conv1d``, ``Conv2d`` or ``Conv3d``.
///
/// Formula, shapes and cost are those of `conv2d(_:weight:bias:stride:padding:dilation:groups:)`.
/// Weight `[outputs, inputs / groups, kernel...]` and bias `[outputs]` have PyTorch's initial
/// values.
public class Convolution: Module, PlacedLayer {
  /// `[outputs, inputs / groups, kernel...]`.
  public let weight: Parameter
  /// `[outputs]`; nil without `bias`.
  public let bias: Parameter?
  /// The step between neighboring windows.
  public let stride: Extents
  /// The padding around the input.
  public let padding: ConvolutionPadding
  /// The distance between elements of the kernel.
  public let dilation: Extents
  /// The number of groups of channels.
  public let groups: Int
  /// The kind of padding around the input.
  public let paddingMode: PaddingMode

  /// The number of spatial axes.
  var space: Int { 2 }
  /// The weight that the convolution uses.
  var convolvingWeight: Tensor { weight.value }

  init(
    space: Int, _ inputs: Int, _ outputs: Int, kernelSize: Extents, stride: Extents,
    padding: ConvolutionPadding, dilation: Extents, groups: Int, bias: Bool,
    paddingMode: PaddingMode, dtype: DType, options: LayerOptions
  ) {
    let kernel = kernelSize.repeated(space)
    let parts = options.size(groups, "groups", atLeast: 1)
    let (inputs, outputs) = (options.size(inputs, "inputs"), options.size(outputs, "outputs"))
    for (name, count) in [("inputs", inputs), ("outputs", outputs)] where count % parts != 0 {
      options.refuse("\(count) \(name) cannot be divided into \(groups) groups")
    }
    (weight, self.bias) = affineParameters(
      [outputs, inputs / parts] + kernel, outputs: outputs, hasBias: bias, dtype: dtype)
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.paddingMode = paddingMode
  }

  public override func multiplyAdds(for output: [Int]) -> Int {
    product(output + weight.shape.dropFirst())
  }

  public override var optionsDescription: String {
    OptionText(weight.shape[1] * groups, weight.shape[0])
      .with("kernelSize", Extents(Array(weight.shape.dropFirst(2))))
      .with("stride", stride, unless: 1).with("padding", padding, unless: 0)
      .with("dilation", dilation, unless: 1).with("groups", groups, unless: 1)
      .with("bias", bias != nil, unless: true).with("paddingMode", paddingMode, unless: .zeros)
      .with("dtype", weight.dtype, unless: .float32).text
  }

  /// The convolution of `[N, inputs, space...]` or of a single sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn { return standIn(x, file: file, line: line) }
    return checked(file: file, line: line) { () throws(TensorError) in
      let call = "Conv\(space)d(_:)"
      if paddingMode == .zeros {
        return try convolve(
          x, convolvingWeight, bias?.value, space, stride, padding, dilation, groups, call: call)
      }
      let amounts = try padding.amounts(
        kernel: Array(weight.shape.dropFirst(2)), stride: stride, dilation: dilation, call: call)
      let padded = x.padded(amounts, mode: paddingMode, file: file, line: line)
      return try convolve(
        padded, convolvingWeight, bias?.value, space, stride, .valid, dilation, groups, call: call)
    }.observed(by: self, of: x, file, line)
  }
}

/// A convolution of `[N, C, L]`. PyTorch: `nn.Conv1d`.
public final class Conv1d: Convolution {
  override var space: Int { 1 }

  /// A convolution with PyTorch's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: some PaddingConvertible = 0, dilation: some ExtentsConvertible = 1, groups: Int = 1,
    bias: Bool = true,
    paddingMode: PaddingMode = .zeros, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      space: 1, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding.asPadding,
      dilation: dilation.asExtents, groups: groups, bias: bias, paddingMode: paddingMode,
      dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

/// A convolution of images `[N, C, H, W]`. PyTorch: `nn.Conv2d`.
public final class Conv2d: Convolution {
  /// A convolution with PyTorch's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: some PaddingConvertible = 0, dilation: some ExtentsConvertible = 1, groups: Int = 1,
    bias: Bool = true,
    paddingMode: PaddingMode = .zeros, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      space: 2, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding.asPadding,
      dilation: dilation.asExtents, groups: groups, bias: bias, paddingMode: paddingMode,
      dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

/// A convolution of volumes `[N, C, D, H, W]`. PyTorch: `nn.Conv3d`.
public final class Conv3d: Convolution {
  override var space: Int { 3 }

  /// A convolution with PyTorch's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: some PaddingConvertible = 0, dilation: some ExtentsConvertible = 1, groups: Int = 1,
    bias: Bool = true,
    paddingMode: PaddingMode = .zeros, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      space: 3, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding.asPadding,
      dilation: dilation.asExtents, groups: groups, bias: bias, paddingMode: paddingMode,
      dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

extension Extents {
  /// One number for each of `count` axes; anything but one number or `count` numbers is returned
  /// unchanged.
  func repeated(_ count: Int) -> [Int] {
    values.count == 1 ? Array(repeating: values[0], count: count) : values
  }
}
