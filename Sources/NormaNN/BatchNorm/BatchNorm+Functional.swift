import NormaTensor

/// Batch normalization as a pure function; running statistics are read and never changed.
///
/// Formula, shapes, edge cases and cost are those of ``BatchNorm``. With `training`, the batch is
/// normalized with its own statistics; otherwise with the running ones, which are then required.
///
/// PyTorch: `torch.nn.functional.batch_norm`; its `momentum` has no counterpart here, as the caller
/// updates the running statistics.
public func batchNorm(
  _ x: Tensor, runningMean: Tensor? = nil, runningVar: Tensor? = nil, weight: Tensor? = nil,
  bias: Tensor? = nil, training: Bool = false, eps: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try batchNorm(
      x, runningMean: runningMean, runningVar: runningVar, weight: weight, bias: bias,
      training: training, eps: eps, call: "batchNorm(_:)"
    ).output
  }
}

/// The normalized batch and, where they were computed, its statistics.
package func batchNorm(
  _ x: Tensor, runningMean: Tensor?, runningVar: Tensor?, weight: Tensor?, bias: Tensor?,
  training: Bool, eps: Double, allowsSingleValues: Bool = false, call: String
) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics?) {
  // An empty vector has no channels and nothing to normalize; PyTorch returns it unchanged.
  if x.shape == [0] { return (x, nil) }
  try requireEpsilon(eps, call: call)
  guard x.rank >= 2 else {
    throw TensorError(call, "expected a batch with channels in axis 1, got shape \(x.shape)")
  }
  guard x.dtype.isFloatingPoint else {
    throw TensorError(call, "\(x.dtype) cannot be normalized; cast(to: .float32) first")
  }
  let channels = x.shape[1]
  for (name, tensor) in [
    ("runningMean", runningMean), ("runningVar", runningVar), ("weight", weight), ("bias", bias),
  ] {
    if let tensor, tensor.shape != [channels] {
      throw TensorError(
        call, "\(name) has shape \(tensor.shape); the input has \(channels) channels")
    }
  }
  var shape = [Int](repeating: 1, count: x.rank)
  shape[1] = channels
  let (weight, bias) = (weight?.reshaped(shape), bias?.reshaped(shape))

  guard training else {
    guard let runningMean, let runningVar else {
      throw TensorError(call, "evaluation needs runningMean and runningVar; or pass training: true")
    }
    let output = try x.normalized(
      mean: runningMean.reshaped(shape),
      variance: runningVar.reshaped(shape), eps: eps, weight: weight,
      bias: bias, call: call)
    return (output, nil)
  }
  guard eps > 0 else {
    throw TensorError(call, "eps must be positive in training, got \(eps)")
  }
  let axes = x.shape.indices.filter { $0 != 1 }
  if x.count == channels && !allowsSingleValues {
    throw TensorError(
      call,
      "shape \(x.shape) has one value per channel, which has no variance: train with a larger "
        + "batch (drop the last one if it is short), call eval(), or use group or layer norm")
  }
  let (output, statistics) = try x.normalized(
    over: axes, eps: eps, weight: weight, bias: bias, call: call)
  return (output, x.count == 0 ? nil : statistics)
}
