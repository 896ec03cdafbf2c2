import NormaTensor

/// Connectionist temporal classification: -log of the probability that T steps spell the target,
/// where labels may be repeated and separated by blanks.
///
/// - Shapes: log-probabilities `[T, N, C]`, as `logSoftmax(over: -1)` returns them, or `[T, C]` for
///   one sample; targets `[N, S]` with any padding, or all targets concatenated, `[Σ lengths]`;
///   `[S]` for one sample.
/// - Parameters:
///   - x: log-probabilities of C classes.
///   - targets: classes, of an integer type; none is the blank.
///   - inputLengths: the number of steps of each sample; T by default.
///   - targetLengths: the number of labels of each sample; S by default.
///   - blank: the class for no label.
///   - reduction: `.mean` divides each loss by the length of its target, at least 1, and takes the
///     mean.
///   - zeroInfinity: whether the loss is 0, without a gradient, if the target is too long for
///     the steps.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Edge cases: the loss of an empty target is that of blanks only. A target that is too long (its
///   labels, and one more for each pair of equal neighbors) has loss ∞ and gradient NaN, or 0 with
///   `zeroInfinity`.
/// - Gradient: eˣ minus the probability that a step belongs to the class, as in PyTorch. This
///   assumes log-probabilities whose probabilities always add up to 1; through `logSoftmax` the
///   gradient is exact. There are no second derivatives; differentiating the gradient is an error.
/// - Accuracy: probabilities are summed as logarithms, in `float64`.
/// - Cost: for each sample 3 T (2 S + 1) exponentials and T (2 S + 1) numbers of memory, twice that
///   with a gradient; samples are processed one after the other. The gradient is one more tensor of
///   the input's size.
/// - PyTorch: `F.ctc_loss`, `nn.CTCLoss`. Source: Graves and others (2006).
public func ctcLoss(
  _ x: Tensor, _ targets: Tensor, inputLengths: [Int]? = nil, targetLengths: [Int]? = nil,
  blank: Int = 0, reduction: LossReduction = .mean, zeroInfinity: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || targets.isPoisoned { return .poisoned }
    let call = "ctcLoss(_:_:)"
    guard x.rank == 2 || x.rank == 3, x.dtype.isFloatingPoint else {
      throw TensorError(
        call,
        "log-probabilities [T, N, C] or [T, C] of a real type are needed, got \(x.dtype) \(x.shape)"
      )
    }
    let result = x.widened.dtype
    let isHalf = result == .float16 || result == .bfloat16
    let wide = isHalf ? x.cast(to: .float32) : x.widened
    let batch = x.rank == 3 ? wide : wide.unsqueezed(1)
    let samples = try CTCSamples(
      batch.shape, targets, inputLengths, targetLengths, blank: blank, call: call)
    var values = samples.losses(batch.detached())
    if zeroInfinity { values = values.map { $0 == .infinity ? 0 : $0 } }
    var losses = Tensor(values).cast(to: batch.dtype)
      .recorded(call, from: [batch], saving: [batch], runsAtOnce: true) { rule in
        let (x, upstream) = (rule.saved[0], rule.upstream)
        let gradient = samples.gradient(
          x.detached(), upstream: upstream.detached(), zeroInfinity: zeroInfinity)
        return [
          gradient.recorded(call, from: [x, upstream], runsAtOnce: true) { _ in
            report(
              TensorError(call, "there are no second derivatives"), file: #fileID, line: #line)
            return [.poisoned, .poisoned]
          }
        ]
      }
    if reduction == .mean {
      losses =
        losses / Tensor(samples.labels.map { Double(max($0.count, 1)) }).cast(to: losses.dtype)
    }
    if x.rank == 2 { losses = losses.squeezed(0) }
    return reduction(losses).cast(to: result)
  }
}

/// The targets of a batch, for the paths that spell them.
private struct CTCSamples: Sendable {
  let steps: Int
  let classes: Int
  let blank: Int
  let labels: [[Int]]
  let lengths: [Int]

  init(
    _ shape: [Int], _ targets: Tensor, _ inputLengths: [Int]?, _ targetLengths: [Int]?, blank: Int,
    call: String
  ) throws(TensorError) {
    (steps, classes, self.blank) = (shape[0], shape[2], blank)
    let count = shape[1]
    guard 0..<classes ~= blank else {
      throw TensorError(call, "blank \(blank) is not among the \(classes) classes")
    }
    lengths = inputLengths ?? [Int](repeating: shape[0], count: count)
    guard lengths.count == count, lengths.allSatisfy({ 0...shape[0] ~= $0 }) else {
      throw TensorError(
        call, "input lengths \(lengths) are not \(count) numbers in 0 ... \(shape[0])")
    }
    guard targets.dtype.isInteger, targets.rank == 1 || targets.rank == 2 else {
      throw TensorError(
        call,
        "targets [N, S] or [Σ lengths] of an integer type are needed, got \(targets.dtype) "
          + "\(targets.shape)")
    }
    let isPadded = targets.rank == 2
    let width = isPadded ? targets.shape[1] : targets.count / max(count, 1)
    let sizes = targetLengths ?? [Int](repeating: width, count: count)
    let longest = isPadded ? width : targets.count
    guard sizes.count == count, sizes.allSatisfy({ 0...longest ~= $0 }),
      isPadded ? targets.shape[0] == count : sizes.reduce(0, +) == targets.count
    else {
      throw TensorError(
        call, "targets \(targets.shape) do not hold \(count) targets of the lengths \(sizes)")
    }
    let all = targets.array(of: Int.self)
    var (labels, start): ([[Int]], Int) = ([], 0)
    for (number, size) in sizes.enumerated() {
      let first = isPadded ? number * width : start
      labels.append(Array(all[first..<(first + size)]))
      start += size
    }
    if let wrong = labels.joined().first(where: { $0 == blank || !(0..<shape[2] ~= $0) }) {
      throw TensorError(
        call,
        wrong == blank
          ? "a target has the blank, \(blank), as a label"
          : "target \(wrong) is not among the \(classes) classes")
    }
    self.labels = labels
  }

  /// -log of the probability of each target.
  func losses(_ x: Tensor) -> [Double] {
    reading(x) { at in labels.indices.map { paths($0, at).loss } }
  }

  /// The gradient of the losses, weighted by `upstream`.
  func gradient(_ x: Tensor, upstream: Tensor, zeroInfinity: Bool) -> Tensor {
    var (counted, factors) = (lengths.map(Int64.init), [Double](repeating: 1, count: labels.count))
    let shares = Tensor(shape: x.shape, dtype: x.dtype) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      var sums = [Double](repeating: 0, count: classes)
      reading(x) { at in
        for sample in labels.indices {
          let paths = paths(sample, at)
          if paths.loss == .infinity {
            if zeroInfinity { counted[sample] = 0 } else { factors[sample] = .nan }
            continue
          }
          paths.forEachShare { step, state, share in
            sums[paths.states[state]] += share
          } endOfStep: { step in
            for label in paths.states {
              let place = (step * labels.count + sample) * classes + label
              if x.dtype == .float64 {
                bytes.storeBytes(of: sums[label], toByteOffset: 8 * place, as: Double.self)
              } else {
                bytes.storeBytes(of: Float(sums[label]), toByteOffset: 4 * place, as: Float.self)
              }
            }
            for label in paths.states { sums[label] = 0 }
          }
        }
      }
    }
    let isCounted =
      Tensor.arange(steps).reshaped(steps, 1, 1) .< Tensor(counted).reshaped(1, labels.count, 1)
    let weights = (upstream * Tensor(factors).cast(to: x.dtype)).reshaped(1, labels.count, 1)
    return Tensor.where(isCounted, (x.exp() - shares) * weights, 0)
  }

  private func paths(_ sample: Int, _ at: (Int, Int, Int) -> Double) -> CTCPaths {
    CTCPaths(labels[sample], blank: blank, steps: lengths[sample]) { at($0, sample, $1) }
  }

  /// Calls `body` with a function that returns the log-probability of a step, a sample and a class.
  private func reading<R>(_ x: Tensor, _ body: ((Int, Int, Int) -> Double) -> R) -> R {
    let (samples, classes) = (labels.count, classes)
    if x.dtype == .float64 {
      return x.withUnsafeBuffer(of: Double.self) { values in
        body { values[($0 * samples + $1) * classes + $2] }
      }
    }
    return x.withUnsafeBuffer(of: Float.self) { values in
      body { Double(values[($0 * samples + $1) * classes + $2]) }
    }
  }
}
