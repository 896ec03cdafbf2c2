import NormaTensor

let factoryOperations: [String: CaseOperation] = [
  "zeros": { [.zeros(try size($0), dtype: try $0.dtype(nil) ?? .float32)] },
  "ones": { [.ones(try size($0), dtype: try $0.dtype(nil) ?? .float32)] },
  "full": { arguments in
    let shape = try arguments.ints(0, "size") ?? []
    return [full(shape, try number(arguments, "fill_value"), try arguments.dtype(nil))]
  },
  "zeros_like": { arguments in
    let x = try arguments.tensor(0)
    return [.zeros(x.shape, dtype: try arguments.dtype(nil) ?? x.dtype)]
  },
  "ones_like": { arguments in
    let x = try arguments.tensor(0)
    return [.ones(x.shape, dtype: try arguments.dtype(nil) ?? x.dtype)]
  },
  "full_like": { arguments in
    let x = try arguments.tensor(0)
    let value = try number(arguments, "fill_value")
    return [full(x.shape, value, try arguments.dtype(nil) ?? x.dtype)]
  },
  "arange": arange,
]

private func size(_ arguments: CaseArguments) throws -> [Int] {
  arguments.count == 0 && arguments.value(nil, "size") == nil
    ? [] : try arguments.variadicInts(from: 0, "size")
}

private func number(_ arguments: CaseArguments, _ name: String) throws -> any TensorElement {
  guard case .number(let value) = try arguments.operand(1, name) else {
    throw arguments.mistyped(name, "a number")
  }
  return value
}

private func full(_ shape: [Int], _ value: some TensorElement, _ dtype: DType?) -> Tensor {
  .full(shape, value, dtype: dtype)
}

/// `arange(end)`, `arange(start, end)`, `arange(start, end, step)`: real if one of them is.
@Sendable private func arange(_ arguments: CaseArguments) throws -> [Tensor] {
  // The output tensor determines the type.
  let dtype = try arguments.dtype(nil) ?? arguments.optionalTensor(nil, "out")?.dtype
  let names = arguments.count == 1 ? ["end"] : ["start", "end", "step"]
  var bounds = try names.prefix(max(arguments.count, 1)).enumerated().map { position, name in
    guard case .number(let value) = try arguments.operand(position, name) else {
      throw arguments.mistyped(name, "a number")
    }
    return value
  }
  if bounds.count == 1 { bounds.insert(0, at: 0) }
  let whole = bounds.compactMap { $0 as? Int }
  if whole.count == bounds.count {
    return [.arange(whole[0], whole[1], whole.count > 2 ? whole[2] : nil, dtype: dtype)]
  }
  let real = bounds.map(\.asDouble)
  return [.arange(real[0], real[1], real.count > 2 ? real[2] : nil, dtype: dtype)]
}
