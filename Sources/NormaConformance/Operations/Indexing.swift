import NormaNN
import NormaTensor

let indexingOperations: [String: CaseOperation] = [
  "cat": { [.concatenated(try $0.tensors(0, "tensors"), over: try $0.int(1, "dim") ?? 0)] },
  "stack": { [.stacked(try $0.tensors(0, "tensors"), over: try $0.int(1, "dim") ?? 0)] },
  "split": { arguments in
    let size = try arguments.int(1, "split_size_or_sections") ?? 1
    return try arguments.tensor(0).split(every: size, over: try arguments.int(2, "dim") ?? 0)
  },
  "split@list_args": splitBySizes,
  "split_with_sizes": splitBySizes,
  "chunk": {
    try $0.tensor(0).chunked(try $0.int(1, "chunks") ?? 1, over: try $0.int(2, "dim") ?? 0)
  },
  "unbind": { try $0.tensor(0).unbound(over: try $0.int(1, "dim") ?? 0) },
  "gather": {
    [try $0.tensor(0).gathered(try $0.tensor(2, "index"), over: try $0.int(1, "dim") ?? 0)]
  },
  "index_select": {
    [try $0.tensor(0).indexSelected(try $0.tensor(2, "index"), over: try $0.int(1, "dim") ?? 0)]
  },
  "scatter_add": {
    [
      try $0.tensor(0).scatteredAdding(
        try $0.tensor(2, "index"), try $0.tensor(3, "src"), over: try $0.int(1, "dim") ?? 0)
    ]
  },
  "cumsum": { arguments in
    var x = try arguments.tensor(0)
    if let dtype = try arguments.dtype(nil) { x = x.cast(to: dtype) }
    return [x.cumulativeSum(over: try arguments.int(1, "dim") ?? 0)]
  },
  "argmax": {
    [
      try $0.tensor(0).argmax(
        over: try $0.int(1, "dim"), keepDims: try $0.bool(2, "keepdim") ?? false)
    ]
  },
  "argmin": {
    [
      try $0.tensor(0).argmin(
        over: try $0.int(1, "dim"), keepDims: try $0.bool(2, "keepdim") ?? false)
    ]
  },
  "sort": { arguments in
    let (axis, descending) = try order(arguments)
    let (values, indices) = try arguments.tensor(0).sorted(over: axis, descending: descending)
    return [values, indices]
  },
  "argsort": { arguments in
    let (axis, descending) = try order(arguments)
    return [try arguments.tensor(0).argsorted(over: axis, descending: descending)]
  },
  "topk": { arguments in
    let k = try arguments.int(1, "k") ?? 1
    let axis = try arguments.int(2, "dim") ?? -1
    let largest = try arguments.bool(3, "largest") ?? true
    _ = try arguments.bool(4, "sorted")
    let (values, indices) = try arguments.tensor(0).topK(k, over: axis, largest: largest)
    return [values, indices]
  },
  "nn.functional.one_hot": { arguments in
    let classes = try arguments.int(1, "num_classes")
    return [try arguments.tensor(0).oneHot(classes: classes == -1 ? nil : classes)]
  },
  "nn.functional.linear": {
    [
      Tensor.linear(
        try $0.tensor(0), weight: try $0.tensor(1, "weight"), bias: try $0.optionalTensor(2, "bias")
      )
    ]
  },
]

private let splitBySizes: CaseOperation = { arguments in
  let sizes = try arguments.ints(1, "split_size_or_sections") ?? []
  return try arguments.tensor(0).split(sizes, over: try arguments.int(2, "dim") ?? 0)
}

private func order(_ arguments: CaseArguments) throws -> (axis: Int, descending: Bool) {
  let axis = try arguments.int(1, "dim") ?? -1
  let descending = try arguments.bool(2, "descending") ?? false
  _ = try arguments.bool(nil, "stable")
  return (axis, descending)
}
