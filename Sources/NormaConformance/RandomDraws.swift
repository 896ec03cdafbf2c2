import NormaTensor

/// A tensor whose elements are drawn from the default generator, in memory order.
func drawn(
  _ shape: [Int], _ dtype: DType,
  _ draw: (inout Generator, UnsafeMutableRawPointer, Int) -> Void
) -> Tensor {
  Tensor(shape: shape, dtype: dtype) { bytes in
    guard let start = bytes.baseAddress else { return }
    withDefaultGenerator { draw(&$0, start, shape.reduce(1, *)) }
  }
}

/// Numbers in `low ..< high`.
func uniform(
  _ shape: [Int], _ dtype: DType = .float32, low: Double = 0, high: Double = 1
) -> Tensor {
  .uniform(shape, low: low, high: high, dtype: dtype)
}

/// Normal numbers.
func normal(
  _ shape: [Int], _ dtype: DType = .float32, mean: Double = 0, std: Double = 1
) -> Tensor {
  .normal(shape, mean: mean, std: std, dtype: dtype)
}

/// Normal numbers as PyTorch draws them for memory with gaps or in another order.
private func scatteredNormal(_ shape: [Int]) -> Tensor {
  drawn(shape, .float32) { $0.normal($1, count: $2, dtype: .float32, isContiguous: false) }
}

/// Dropout of ones: a mask of probability 1 - p, divided by 1 - p.
func dropoutOfOnes(_ shape: [Int], _ dtype: DType, p: Double) -> Tensor {
  Tensor.ones(shape, dtype: dtype)
    * (Tensor.bernoulli(shape, p: 1 - p, dtype: dtype) / (1 - p))
}

/// Alpha dropout of ones, which keeps mean 0 and variance 1 after SELU.
func alphaDropoutOfOnes(_ shape: [Int], _ dtype: DType, p: Double) -> Tensor {
  let alpha = 1.7580993408473766
  let scale = 1 / ((alpha * alpha * p + 1) * (1 - p)).squareRoot()
  let mask = Tensor.bernoulli(shape, p: 1 - p, dtype: dtype)
  let shift = (mask - 1) * (alpha * scale) + alpha * scale * p
  return Tensor.ones(shape, dtype: dtype) * (mask * scale) + shift
}

/// The draw named by a case, such as `uniform(-0.37,0.81)_f32`, or nil if it is unknown.
func draw(_ call: CallText, count: Int) -> Tensor? {
  let suffixes: [String: DType] = [
    "f16": .float16, "bf16": .bfloat16, "f32": .float32, "f64": .float64, "u8": .uint8,
    "i8": .int8, "i16": .int16, "u16": .uint16, "i32": .int32, "u32": .uint32, "i64": .int64,
    "u64": .uint64, "bool": .bool,
  ]
  var name = call.name ?? ""
  var ending = call.suffix.drop { $0 == "_" }
  if case .word = call, let cut = name.lastIndex(of: "_") {
    ending = name[cut...].dropFirst()
    name = String(name[..<cut])
  }
  guard let dtype = suffixes[String(ending)] else { return nil }
  let shape = [count]
  let numbers = call.arguments.compactMap(\.number)
  switch (name, numbers.count) {
  case ("rand", 0): return .rand(shape, dtype: dtype)
  case ("randn", 0): return .randn(shape, dtype: dtype)
  case ("randperm", 0): return .randperm(count)
  case ("uniform", 2): return uniform(shape, dtype, low: numbers[0], high: numbers[1])
  case ("normal", 2): return normal(shape, dtype, mean: numbers[0], std: numbers[1])
  case ("bernoulli_scalar", 1): return .bernoulli(shape, p: numbers[0], dtype: dtype)
  case ("bernoulli_tensor", 1): return .bernoulli(.full(shape, numbers[0], dtype: dtype))
  case ("dropout", 1): return dropoutOfOnes(shape, dtype, p: numbers[0])
  case ("alpha_dropout", 1): return alphaDropoutOfOnes(shape, dtype, p: numbers[0])
  case ("randint", 2):
    return .randint(shape, low: Int(numbers[0]), high: Int(numbers[1]), dtype: dtype)
  case ("random_", 0): return drawn(shape, dtype) { $0.integers($1, count: $2, dtype: dtype) }
  case ("exponential", 1): return .exponential(shape, rate: numbers[0], dtype: dtype)
  case ("geometric", 1): return .geometric(shape, p: numbers[0], dtype: dtype)
  case ("cauchy", 2):
    return .cauchy(shape, median: numbers[0], sigma: numbers[1], dtype: dtype)
  case ("log_normal", 2):
    return .logNormal(shape, mean: numbers[0], std: numbers[1], dtype: dtype)
  default: return nil
  }
}

/// One step of a sequence of draws, such as `randn(5)f32`, or nil if it is unknown.
func sequenceStep(_ text: String) -> Tensor? {
  switch text {
  case "empty(4,6).t().uniform_()": return uniform([4, 6]).transposed(0, 1)
  case "empty(4,6).t().normal_()":
    return scatteredNormal([4, 6]).transposed(0, 1)
  case "empty(2,3,4,5) channels_last .normal_()":
    return scatteredNormal([2, 4, 5, 3]).permuted(0, 3, 1, 2)
  case "zeros(6,8)[:,::2].uniform_()": return uniform([6, 4])
  case "zeros(6,8)[1:5].normal_() (contiguous view)": return normal([4, 8])
  case "bernoulli_(0.5)x6 f32": return .bernoulli([6], p: 0.5)
  default: break
  }
  guard let call = CallText(text), let sizes = call.ints else { return nil }
  let dtype: DType = call.suffix == "f64" ? .float64 : .float32
  switch (call.name, sizes.count) {
  case ("rand", 1): return .rand(sizes, dtype: dtype)
  case ("randn", 1): return .randn(sizes, dtype: dtype)
  case ("randperm", 1): return .randperm(sizes[0])
  case ("randint", 3): return .randint([sizes[2]], low: sizes[0], high: sizes[1], dtype: .int64)
  default: return nil
  }
}
