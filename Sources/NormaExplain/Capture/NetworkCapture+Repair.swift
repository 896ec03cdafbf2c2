import NormaFiles
import NormaNN
import NormaTensor

extension NetworkCapture {
  /// The buffers after exact recalibration, by name: for each batch norm the pooled mean and the
  /// variance divided by n - 1 of its inputs while all batch norms normalized with the batch, in
  /// the original types. Batch counts do not change.
  ///
  /// Layers whose moments were not captured, or are not finite, are left out.
  public func recalibratedBuffers() -> StateDict {
    var buffers = StateDict()
    for layer in layers where layer.isBatchNorm {
      guard let old = layer.runningMean, let oldVariance = layer.runningVariance,
        let total = layer.batch?.total, let count = total.count.first, count > 1
      else { continue }
      let variance = total.variance(correction: 1)
      guard (total.mean + variance).allSatisfy(\.isFinite) else { continue }
      for name in [layer.name] + layer.otherNames {
        let prefix = name.isEmpty ? "" : name + "."
        buffers[prefix + "running_mean"] = Tensor(total.mean).cast(to: Self.type(old))
        buffers[prefix + "running_var"] = Tensor(variance).cast(to: Self.type(oldVariance))
        if let tracked = layer.batchesTracked {
          buffers[prefix + "num_batches_tracked"] = Tensor(Int64(tracked))
        }
      }
    }
    return buffers
  }

  /// Half types would overflow again.
  private static func type(_ old: Tensor) -> DType {
    old.dtype == .float64 ? .float64 : .float32
  }

  /// Writes ``recalibratedBuffers()`` as a safetensors file that PyTorch loads.
  ///
  /// - Throws: `FileError` if it cannot be written, ``CaptureError`` if there is nothing to
  ///   write.
  package func writeRecalibrated(to path: String, from source: String) throws -> Int {
    let buffers = recalibratedBuffers()
    if buffers.isEmpty {
      throw CaptureError(
        path: source, problem: "has no batch norm whose statistics can be recomputed")
    }
    try SafeTensors.write(buffers, metadata: ["format": "pt"], to: path)
    return buffers.keys.filter { $0.hasSuffix("running_mean") }.count
  }
}
