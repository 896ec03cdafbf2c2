import NormaTensor

/// Instance normalization as a pure function; running statistics are read and never changed.
///
/// Formula, shapes, edge cases and cost are those of ``InstanceNorm``, for a batch. With
/// `useInputStats` each channel of each sample is normalized with its own statistics; otherwise
/// with the running ones, which are then required.
///
/// PyTorch: `torch.nn.functional.instance_norm`; its `momentum` has no counterpart here, as the
/// caller updates the running statistics.
public func instanceNorm(
  _ x: Tensor, runningMean: Tensor? = nil, runningVar: Tensor? = nil, weight: Tensor? = nil,
  bias: Tensor? = nil, useInputStats: Bool = true, eps: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try instanceNorm(
      x, channelAxis: 1, runningMean: runningMean, runningVar: runningVar, weight: weight,
      bias: bias, useInputStats: useInputStats, eps: eps, call: "instanceNorm(_:)"
    ).output
  }
}

/// The normalized input and, where they were computed, its statistics, in the input's shape with
/// the axes after the channels reduced.
package func instanceNorm(
  _ x: Tensor, channelAxis: Int, runningMean: Tensor?, runningVar: Tensor?, weight: Tensor?,
  bias: Tensor?, useInputStats: Bool, eps: Double, call: String
) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics?) {
  if x.isPoisoned { return (x, nil) }
  guard x.rank > channelAxis else {
    throw TensorError(
      call, "expected channels in axis \(channelAxis), got shape \(x.shape)")
  }
  try requireReal(x, call: call)
  try requireEpsilon(eps, call: call)
  let channels = x.shape[channelAxis]
  try requireChannels(
    channels,
    ["runningMean": runningMean, "runningVar": runningVar, "weight": weight, "bias": bias],
    call: call)
  guard (runningMean == nil) == (runningVar == nil) else {
    throw TensorError(call, "runningMean and runningVar go together; pass both or none")
  }
  let shape = x.shape.indices.map { $0 == channelAxis ? channels : 1 }
  let (weight, bias) = (weight?.reshaped(shape), bias?.reshaped(shape))
  guard useInputStats else {
    guard let runningMean, let runningVar else {
      throw TensorError(
        call, "without useInputStats the running statistics normalize: pass both of them")
    }
    let output = try x.normalized(
      mean: runningMean.reshaped(shape), variance: runningVar.reshaped(shape).cast(to: .float64),
      eps: eps, weight: weight, bias: bias, call: call)
    return (output, nil)
  }
  let axes = Array(x.shape.indices.dropFirst(channelAxis + 1))
  if axes.allSatisfy({ x.shape[$0] == 1 }) {
    throw TensorError(
      call,
      "shape \(x.shape) has one value per channel and sample, which has no variance; use larger "
        + "images, or layer or group norm")
  }
  return try x.normalized(over: axes, eps: eps, weight: weight, bias: bias, call: call)
}
