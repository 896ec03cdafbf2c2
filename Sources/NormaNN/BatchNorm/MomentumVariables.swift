import NormaTensor

// Overloads for momentum in a variable. A literal can be a ``Momentum``, but a variable is a
// number.

extension BatchNorm {
  /// A layer with PyTorch's momentum, the share of a new batch, as a number.
  public convenience init(
    _ features: Int, eps: Double = 1e-5, momentum: some BinaryFloatingPoint, affine: Bool = true,
    bias: Bool = true, trackRunningStats: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      features, eps: eps, momentum: .pytorch(Double(momentum)), affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }

  /// A layer that infers its number of channels, with PyTorch's momentum as a number.
  public convenience init(
    eps: Double = 1e-5, momentum: some BinaryFloatingPoint, affine: Bool = true,
    bias: Bool = true, trackRunningStats: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      eps: eps, momentum: .pytorch(Double(momentum)), affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }
}

extension InstanceNorm {
  /// A layer with PyTorch's momentum, the share of a new batch, as a number.
  public convenience init(
    _ features: Int, eps: Double = 1e-5, momentum: some BinaryFloatingPoint, affine: Bool = false,
    bias: Bool = true, trackRunningStats: Bool = false, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      features, eps: eps, momentum: .pytorch(Double(momentum)), affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }

  /// A layer that infers its number of channels, with PyTorch's momentum as a number.
  public convenience init(
    eps: Double = 1e-5, momentum: some BinaryFloatingPoint, affine: Bool = false,
    bias: Bool = true, trackRunningStats: Bool = false, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      eps: eps, momentum: .pytorch(Double(momentum)), affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }
}

extension GhostBatchNorm {
  /// A layer with PyTorch's momentum, the share of a new batch, as a number.
  public convenience init(
    _ features: Int, partSize: Int, eps: Double = 1e-5, momentum: some BinaryFloatingPoint,
    affine: Bool = true, bias: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      features, partSize: partSize, eps: eps, momentum: .pytorch(Double(momentum)), affine: affine,
      bias: bias, trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }
}

extension SplitBatchNorm2d {
  /// A layer with PyTorch's momentum, the share of a new batch, as a number.
  public convenience init(
    _ features: Int, splits: Int = 2, eps: Double = 1e-5, momentum: some BinaryFloatingPoint,
    affine: Bool = true, bias: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      features, splits: splits, eps: eps, momentum: .pytorch(Double(momentum)), affine: affine,
      bias: bias, trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }
}

extension ConditionalBatchNorm2d {
  /// A layer with PyTorch's momentum, the share of a new batch, as a number.
  public convenience init(
    _ features: Int, classes: Int, eps: Double = 1e-5, momentum: some BinaryFloatingPoint,
    dtype: DType = .float32
  ) {
    self.init(
      features, classes: classes, eps: eps, momentum: .pytorch(Double(momentum)), dtype: dtype)
  }
}

extension EvoNorm2dB0 {
  /// A layer with PyTorch's momentum, the share of a new batch, as a number.
  public convenience init(
    _ features: Int, eps: Double = 1e-3, momentum: some BinaryFloatingPoint,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      features, eps: eps, momentum: .pytorch(Double(momentum)), dtype: dtype, file: file,
      line: line)
  }
}
