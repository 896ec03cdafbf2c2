import NormaTensor

// Sorting, searching in sorted values, unique elements, and counts.

let sortingOperations: [String: CaseOperation] = [
  "msort": { [try $0.tensor(0).sorted(over: 0).values] },
  "unique": { arguments in
    // Always sorted, which is one of the allowed orders.
    _ = try arguments.bool(nil, "sorted")
    let wantsInverse = try arguments.bool(nil, "return_inverse") ?? false
    let wantsCounts = try arguments.bool(nil, "return_counts") ?? false
    let (values, inverse, counts) = try arguments.tensor(0).unique(
      over: try arguments.int(nil, "dim"))
    return [values] + (wantsInverse ? [inverse] : []) + (wantsCounts ? [counts] : [])
  },
  "searchsorted": { arguments in
    let right = try arguments.bool(nil, "right")
    let side = try arguments.text("side")
    if let right, let side, right != (side == "right") {
      throw CaseObstacle.notWritable("side: is only supported through right:")
    }
    let places = try arguments.tensor(0).searchSorted(
      try arguments.tensor(1, "self"), right: right ?? (side == "right"),
      sorter: try arguments.optionalTensor(nil, "sorter"))
    return [try narrowed(places, arguments)]
  },
  "bucketize": { arguments in
    let places = try arguments.tensor(0).bucketized(
      by: try arguments.tensor(1, "boundaries"), right: try arguments.bool(nil, "right") ?? false)
    return [try narrowed(places, arguments)]
  },
  "bincount": {
    [
      try $0.tensor(0).binCount(
        weights: try $0.optionalTensor(1, "weights"), minLength: try $0.int(2, "minlength") ?? 0)
    ]
  },
  "histc": {
    [
      try $0.tensor(0).histc(
        bins: try $0.int(1, "bins") ?? 100, min: try $0.double(2, "min") ?? 0,
        max: try $0.double(3, "max") ?? 0)
    ]
  },
]

/// Indices in the requested type.
private func narrowed(_ places: Tensor, _ arguments: CaseArguments) throws -> Tensor {
  try arguments.bool(nil, "out_int32") == true ? places.cast(to: .int32) : places
}
