import NormaValues

/// Runs products and convolutions in `body` in a 16-bit type, and leaves the rest in `float32`.
///
///     let loss = autocast(.bfloat16) { crossEntropy(network(x), y) }
///     loss.backward()
///
/// Follows PyTorch's lists for CPUs:
/// - Operands of ``Tensor/matmul(_:file:line:)``, `addmm`, `addbmm`, `baddbmm`, `einsum`,
///   `tensordot`, `linear`, attention, convolutions and transposed convolutions are rounded to
///   `type`, including biases. Sums are carried in `float32` or wider and rounded once, so results
///   have type `type`. Operands of `prelu` are rounded, too.
/// - Losses convert such results to `float32` and return `float32`, and so do products over axes,
///   quantiles, `cdist`, `trace`, poolings of volumes, padding that repeats elements or mirrors
///   those of lines and planes, and local response norm.
/// - Everything else runs in the type of its operands. Statistics, normalizations and reductions of
///   16-bit types are computed in `float32` or wider as everywhere, and rounded at the end. PyTorch
///   does not round the operands of `mv`.
///
/// Parameters do not change, and their gradients have the parameters' own types. `float64` and
/// integers are not affected. Backward passes run in the types of the forward pass, inside the
/// scope or not; they belong outside. A parameter that is used several times is rounded each time.
///
/// Scopes belong to the task and nest; the innermost one applies. `autocast(nil)` restores the
/// operands' own types. With `.float16`, gradients need a `GradientScaler`.
///
/// Any type but `.bfloat16` and `.float16` is a mistake. Cost: half the memory for what products
/// keep for gradients. With `.bfloat16`, products and convolutions run in oneDNN's `bfloat16` loops
/// if these are faster on this processor (2 to 5 times with AMX; a product and a convolution are
/// timed at first use); otherwise, and with `.float16`, they run in `float32` and no time is saved.
/// PyTorch: `torch.autocast("cpu", dtype)`.
public func autocast<R>(
  _ type: DType?, file: StaticString = #fileID, line: UInt = #line, _ body: () throws -> R
) rethrows -> R {
  let type = Autocast.allowed(type, file, line)
  return try Autocast.$type.withValue(type) { try body() }
}

/// The asynchronous form of ``autocast(_:file:line:_:)-(_,_,_,()->R)``.
public func autocast<R>(
  _ type: DType?, file: StaticString = #fileID, line: UInt = #line,
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
) async rethrows -> R {
  let type = Autocast.allowed(type, file, line)
  return try await Autocast.$type.withValue(type) { try await body() }
}

/// The type to which products round their operands, for the current task.
package enum Autocast {
  /// Nil outside of a scope.
  @TaskLocal package static var type: DType?

  fileprivate static func allowed(
    _ type: DType?, _ file: StaticString, _ line: UInt
  ) -> DType? {
    guard let type, !type.isHalf else { return type }
    report(
      TensorError("autocast(_:)", "expected bfloat16, float16 or nil, got \(type)"),
      file: file, line: line)
    return nil
  }

  /// Runs `body` with every operand in its own type.
  package static func off<R>(
    _ body: () throws(TensorError) -> R
  ) throws(TensorError) -> R {
    try type == nil ? body() : $type.with(nil, body)
  }
}

extension Tensor {
  /// This tensor as an operand of a product: rounded in a scope of
  /// ``autocast(_:file:line:_:)-(_,_,_,()->R)``.
  package var narrowed: Tensor {
    guard let type = Autocast.type, dtype != type, dtype == .float32 || dtype.isHalf else {
      return self
    }
    return cast(to: type)
  }

  /// This tensor as an argument of a loss: in such a scope, 16-bit types become `float32`.
  package var widened: Tensor { isWidened ? cast(to: .float32) : self }

  /// Whether ``widened`` has another type.
  var isWidened: Bool { dtype.isHalf && Autocast.type != nil }
}
