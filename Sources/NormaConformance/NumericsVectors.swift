import NormaFiles
import NormaNN
import NormaTensor

extension NumericsCase {
  /// Mean, sum, variance and std of a vector, in all the ways recorded for PyTorch.
  func checkVector() throws -> String? {
    let dtype = json["dtype"]?.stringValue.flatMap(DType.named) ?? .float32
    guard let count = json["n"]?.intValue else { throw CaseObstacle.unreadable("no n") }
    let x = try input(json["input"], shape: [count], dtype: dtype, named: "x")
    for (key, own) in json["pytorch"]?.objectValue ?? [] {
      guard let (statistic, reference) = statistics[key] else {
        throw CaseObstacle.unsupported(key)
      }
      guard let truth = json["ref"]?[reference]?.exact else { continue }
      // In `float32`, PyTorch's error is not accepted, as sums can be taken in `float64`.
      let result = try catchingTensorErrors { statistic(x) }
      let ulps = max(2, own["ulp"]?.number ?? 0)
      if let complaint = complaint(key, result, [truth], ulps: ulps) { return complaint }
    }
    return nil
  }

  /// Functions of a few special values, one case each.
  func checkSpecial(_ report: inout ConformanceReport) {
    let x = Tensor((json["input_values"]?.numbers ?? []).map { Float($0) })
    for (key, expected) in json["pytorch"]?.objectValue ?? [] {
      report.record("\(name)/\(key)", operation: "special \(key)") {
        guard let function = specialFunctions[key] else { throw CaseObstacle.unsupported("") }
        if expected["raises"] != nil { return try refusal { function(x) } }
        let actual = try catchingTensorErrors { function(x) }
        if actual.shape != expected["shape"]?.ints ?? [] {
          return "shape \(actual.shape) instead of \(expected["shape"]?.ints ?? [])"
        }
        if actual.dtype.description != expected["dtype"]?.stringValue {
          return "dtype \(actual.dtype) instead of \(expected["dtype"]?.stringValue ?? "")"
        }
        return complaint("values", actual, expected["values"]?.numbers ?? [])
      }
    }
  }
}

extension JSON {
  /// The exact value of a reference: its bits where they are given.
  fileprivate var exact: Double? {
    self["hex64"]?.stringValue.flatMap { Double($0) } ?? self["value"]?.number
  }
}

private typealias Statistic = @Sendable (Tensor) -> Tensor

/// PyTorch's ways to compute a statistic, each with the name of the exact one.
private let statistics: [String: (Statistic, reference: String)] = [
  "mean": ({ $0.mean() }, "mean"),
  "sum": ({ $0.sum() }, "sum"),
  "var_biased": ({ $0.variance(correction: 0) }, "var_biased"),
  "std_biased": ({ $0.std(correction: 0) }, "std_biased"),
  "var_unbiased": ({ $0.variance() }, "var_unbiased"),
  "std_unbiased": ({ $0.std() }, "std_unbiased"),
  "var_mean.var": ({ $0.variance(correction: 0) }, "var_biased"),
  "var_mean.mean": ({ $0.mean() }, "mean"),
  "var_mean(dim).var": ({ $0.variance(over: 0, correction: 0) }, "var_biased"),
  "mean(dim)": ({ $0.mean(over: 0) }, "mean"),
  "mean(dim0 of (n,3))": ({ columns($0).mean(over: 0)[1] }, "mean"),
  "var(dim0 of (n,3))": ({ columns($0).variance(over: 0, correction: 0)[1] }, "var_biased"),
]

/// The vector three times, side by side in memory.
private func columns(_ x: Tensor) -> Tensor {
  let values = x.array(of: Double.self)
  return Tensor(values.flatMap { [$0, $0, $0] }, shape: [values.count, 3], dtype: x.dtype)
}

private let specialFunctions: [String: Statistic] = [
  "sum": { $0.sum() },
  "sum_keepdim": { $0.sum(over: 0, keepDims: true) },
  "mean": { $0.mean() },
  "var": { $0.variance() },
  "var0": { $0.variance(correction: 0) },
  "var_corr2": { $0.variance(correction: 2) },
  "var_corr1.5": { $0.variance(correction: 1.5) },
  "std": { $0.std() },
  "std0": { $0.std(correction: 0) },
  "amax": { $0.max() },
  "amin": { $0.min() },
  "max": { $0.max() },
  // The vector as a batch of one channel, as one sample of one channel, and as one sample.
  "batch_norm_train": { batchNorm($0.reshaped(-1, 1), training: true).flattened() },
  "group_norm": { groupNorm($0.reshaped(1, 1, -1), groups: 1).flattened() },
  "instance_norm": { instanceNorm($0.reshaped(1, 1, -1)).flattened() },
  "layer_norm": { layerNorm($0, normalizedShape: $0.shape) },
  "rms_norm": { rmsNorm($0, normalizedShape: $0.shape) },
  "normalize": { Tensor.normalize($0, axis: 0) },
  "argmax": { $0.argmax() },
  "argmin": { $0.argmin() },
  "logsumexp": { $0.logSumExp(over: 0) },
  "softmax": { $0.softmax(over: 0) },
  "log_softmax": { $0.logSoftmax(over: 0) },
  "cumsum": { $0.cumulativeSum(over: 0) },
  "sort": { $0.sorted().values },
  "topk1": { $0.topK(1).values },
  "prod": { $0.product() },
  "nansum": { $0.nanSum() },
  "nanmean": { $0.nanMean() },
  "median": { $0.median() },
  "nanmedian": { $0.nanMedian() },
  "cumprod": { $0.cumulativeProduct(over: 0) },
  "cummax": { $0.cumulativeMax(over: 0).values },
  "all": { $0.all() },
  "any": { $0.any() },
  "count_nonzero": { $0.countNonZero() },
  "norm0": { $0.norm(0) },
  "norm1": { $0.norm(1) },
  "norm2": { $0.norm() },
  "norm3": { $0.norm(3) },
  "norm_inf": { $0.norm(.infinity) },
  "norm_-inf": { $0.norm(-.infinity) },
]
