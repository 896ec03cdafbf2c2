import NormaTensor

/// ``BatchNorm1d`` without a number of channels: `LazyBatchNorm1d()` takes it from its first input.
/// PyTorch: `torch.nn.LazyBatchNorm1d`.
public typealias LazyBatchNorm1d = BatchNorm1d
/// ``BatchNorm2d`` without a number of channels: `LazyBatchNorm2d()` takes it from its first input.
/// PyTorch: `torch.nn.LazyBatchNorm2d`.
public typealias LazyBatchNorm2d = BatchNorm2d
/// ``BatchNorm3d`` without a number of channels: `LazyBatchNorm3d()` takes it from its first input.
/// PyTorch: `torch.nn.LazyBatchNorm3d`.
public typealias LazyBatchNorm3d = BatchNorm3d
/// ``InstanceNorm1d`` without a number of channels: `LazyInstanceNorm1d()` takes it from its first
/// input. PyTorch: `torch.nn.LazyInstanceNorm1d`.
public typealias LazyInstanceNorm1d = InstanceNorm1d
/// ``InstanceNorm2d`` without a number of channels: `LazyInstanceNorm2d()` takes it from its first
/// input. PyTorch: `torch.nn.LazyInstanceNorm2d`.
public typealias LazyInstanceNorm2d = InstanceNorm2d
/// ``InstanceNorm3d`` without a number of channels: `LazyInstanceNorm3d()` takes it from its first
/// input. PyTorch: `torch.nn.LazyInstanceNorm3d`.
public typealias LazyInstanceNorm3d = InstanceNorm3d

/// A layer whose number of channels may be unknown at first. Until then, its parameters and
/// statistics have the shape `[0]`.
protocol LazyChannels: Module {
  var features: Int { get set }
  var weight: Parameter? { get }
  var bias: Parameter? { get }
  var runningMean: Buffer? { get }
  var runningVar: Buffer? { get }
}

extension LazyChannels {
  /// Takes the number of channels from a loaded state, or else uses this one.
  func begin(with channels: Int) {
    guard features == 0, channels > 0 else { return }
    let loaded = [weight?.shape[0], runningMean?.value.shape[0]].compactMap { $0 }.max() ?? 0
    features = loaded > 0 ? loaded : channels
    guard loaded == 0 else { return }
    if let weight { weight.value = .ones(features, dtype: weight.dtype) }
    if let bias { bias.value = .zeros(features, dtype: bias.dtype) }
    if let runningMean { runningMean.value = .zeros(features, dtype: runningMean.value.dtype) }
    if let runningVar { runningVar.value = .ones(features, dtype: runningVar.value.dtype) }
  }
}
