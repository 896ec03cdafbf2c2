import NormaKernels
import NormaValues

// Evenly spaced numbers.

extension Tensor {
  /// 0, 1, 2, ... below `end`, as `int64`. PyTorch: `torch.arange(end)`.
  public static func arange(
    _ end: Int, dtype: DType = .int64, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    arange(0, end, 1, dtype: dtype, file: file, line: line)
  }

  /// `start + i * step` below `end` (above it for a negative step), with ⌈(end - start) / step⌉
  /// elements.
  ///
  /// Real bounds give `float32`; each number is computed in `Double` and rounded once. For an
  /// integer type the bounds and the step are truncated first. Cost: one write; a conversion too
  /// for types other than `float32`, `float64` and `int64`.
  /// PyTorch: `torch.arange`.
  public static func arange<T: TensorElement>(
    _ start: T, _ end: T, _ step: T? = nil, dtype: DType? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "arange(_:_:_:)"
      let type = dtype ?? (T.dtype.isFloatingPoint ? .float32 : .int64)
      // Integer ranges are computed in integers.
      let isReal = T.dtype.isFloatingPoint && type.isFloatingPoint
      for number in [start, end, step ?? start] where T.dtype == .uint64 && number.asInt == nil {
        throw TensorError(
          call, "\(Scalar(number).text) exceeds int64, in which integer ranges are computed")
      }
      let scalar = { (number: T) in isReal ? Scalar(number) : Scalar(number.asInt ?? .min) }
      let (a, b) = (scalar(start), scalar(end))
      let step = step.map(scalar) ?? Scalar(1)
      guard step.asDouble != 0 else { throw TensorError(call, "a step of 0 never reaches the end") }
      let steps = (b.asDouble - a.asDouble) / step.asDouble
      guard steps.isFinite, steps < Double(Int.max / 16) else {
        throw TensorError(call, "the number of steps from \(a.text) to \(b.text) is not finite")
      }
      try demand(
        steps >= 0, call, "a step of \(step.text) leads from \(a.text) away from \(b.text)")
      let count = Int(steps.rounded(.up))
      if count > 0 {
        let last =
          isReal
          ? Scalar(a.asDouble + Double(count - 1) * step.asDouble)
          : Scalar(a.asInt &+ (Int64(count) - 1) &* step.asInt)
        for number in [a, last] { try number.require(type, call, "pass a wider dtype") }
      }
      if isReal {
        return filled(
          count, type,
          {
            Ramp.arange(
              $0, count: count, start: a.asDouble, step: step.asDouble, threads: TensorThreads.count
            )
          },
          {
            Ramp.arange(
              $0, count: count, start: a.asDouble, step: step.asDouble, threads: TensorThreads.count
            )
          })
      }
      return KernelRecorder.outside {
        Tensor(shape: [count], dtype: .int64) { bytes in
          guard let out = bytes.baseAddress else { return }
          Ramp.arange(
            out.assumingMemoryBound(to: Int64.self), count: count, start: a.asInt,
            step: step.asInt, threads: TensorThreads.count)
        }
      }.cast(to: type)
    }
  }

  /// `count` evenly spaced numbers from `start` to `end`, both included.
  ///
  /// Element i is start + i (end - start) / (count - 1), the second half computed from the end, in
  /// `Double` and rounded once; a single number is `start`. Integer types are truncated. Cost: one
  /// write.
  /// PyTorch: `torch.linspace`.
  public static func linspace(
    _ start: Double, _ end: Double, count: Int, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "linspace(_:_:count:)"
      try checkSteps(count, call)
      for end in [start, end] where count > 0 {
        try Scalar(end).require(dtype, call, "pass a wider dtype")
      }
      return filled(
        count, dtype,
        { Ramp.linspace($0, count: count, start: start, stop: end, threads: TensorThreads.count) },
        { Ramp.linspace($0, count: count, start: start, stop: end, threads: TensorThreads.count) })
    }
  }

  /// ``linspace(_:_:count:dtype:file:line:)-(Double,_,_,_,_,_)`` between numbers in scalar tensors,
  /// which are read immediately.
  public static func linspace(
    _ start: Tensor, _ end: Tensor, count: Int, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(start, end, file: file, line: line) { () throws(TensorError) in
      let (a, b) = try bounds(start, end, "linspace(_:_:count:)")
      return linspace(a, b, count: count, dtype: dtype)
    }
  }

  /// `count` powers of `base` with evenly spaced exponents from `start` to `end`.
  ///
  /// The exponents are those of ``linspace(_:_:count:dtype:file:line:)-(Double,_,_,_,_,_)``; the
  /// power is computed in `Double` and rounded once.
  /// PyTorch: `torch.logspace`.
  public static func logspace(
    _ start: Double, _ end: Double, count: Int, base: Double = 10, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try checkSteps(count, "logspace(_:_:count:)")
      return Tensor(shape: [count], dtype: .float64) { bytes in
        guard let out = bytes.baseAddress else { return }
        Ramp.logspace(
          out.assumingMemoryBound(to: Double.self), count: count, start: start, stop: end,
          base: base, threads: TensorThreads.count)
      }.cast(to: dtype)
    }
  }

  /// ``logspace(_:_:count:base:dtype:file:line:)-(Double,_,_,_,_,_,_)`` between exponents in scalar
  /// tensors, which are read immediately.
  public static func logspace(
    _ start: Tensor, _ end: Tensor, count: Int, base: Double = 10, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(start, end, file: file, line: line) { () throws(TensorError) in
      let (a, b) = try bounds(start, end, "logspace(_:_:count:)")
      return logspace(a, b, count: count, base: base, dtype: dtype)
    }
  }

  private static func checkSteps(_ count: Int, _ call: String) throws(TensorError) {
    guard count >= 0 else { throw TensorError(call, "count must not be negative, got \(count)") }
    _ = try Shape.count([count], call: call)
  }

  private static func bounds(
    _ start: Tensor, _ end: Tensor, _ call: String
  ) throws(TensorError) -> (Double, Double) {
    guard start.rank == 0, end.rank == 0 else {
      throw TensorError(
        call, "bounds must be scalars, got shapes \(start.shape) and \(end.shape)")
    }
    return (start.item(), end.item())
  }

  /// Numbers written by one of two loops, in `float32` or in `float64`, and converted from there.
  private static func filled(
    _ count: Int, _ dtype: DType, _ narrow: (UnsafeMutablePointer<Float>) -> Void,
    _ wide: (UnsafeMutablePointer<Double>) -> Void
  ) -> Tensor {
    KernelRecorder.outside {
      Tensor(shape: [count], dtype: dtype == .float32 ? .float32 : .float64) { bytes in
        guard let out = bytes.baseAddress else { return }
        if dtype == .float32 {
          narrow(out.assumingMemoryBound(to: Float.self))
        } else {
          wide(out.assumingMemoryBound(to: Double.self))
        }
      }
    }.cast(to: dtype)
  }
}
