import NormaKernels
import Synchronization

/// Lets convolutions in `body` run by Winograd's algorithm, which takes 4 products for what the
/// definition takes 9.
///
///     let y = withoutGradients { withWinograd { network(x) } }
///
/// F(2x2, 3x3): of each 4 x 4 numbers of a channel, sums and differences are multiplied with those
/// of the weights, and give 2 x 2 results. It serves two-dimensional convolutions of `float32` with
/// kernels of 3 x 3, stride 1, dilation 1, one group, and numbers of channels that are multiples of
/// 16, where oneDNN has it: version 2 on x86 with AVX-512. All others run as outside of the scope,
/// and so do the gradients of convolutions.
///
/// Accuracy: the errors of a result are proportional to the largest of the 4 x 4 numbers around it,
/// even if one just outside of the kernel is by far the largest. For numbers of similar size, as in
/// networks, they are about three quarters of those of the definition (root mean square, 64 to 512
/// channels of normal numbers after ReLU). Results that are not finite are computed again by the
/// definition, so that infinities and NaN reach the same ones.
///
/// Cost: 0.6 to 0.9 of the time, with 64 to 512 channels. Scopes belong to the task and nest.
/// PyTorch: no such option; its libraries choose algorithms by themselves. Source: Lavin and Gray,
/// Fast Algorithms for Convolutional Neural Networks, 2015.
///
/// - Parameter isAllowed: false to leave an outer scope.
public func withWinograd<R>(_ isAllowed: Bool = true, _ body: () throws -> R) rethrows -> R {
  try Winograd.$isAllowed.withValue(isAllowed, operation: body)
}

/// The asynchronous form of ``withWinograd(_:_:)-(_,()->R)``.
public func withWinograd<R>(
  _ isAllowed: Bool = true, isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> R
) async rethrows -> R {
  try await Winograd.$isAllowed.withValue(isAllowed, operation: body)
}

/// Whether convolutions may run by Winograd's algorithm, for the current task.
enum Winograd {
  @TaskLocal static var isAllowed = false

  /// Whether all of these `float32` numbers are neither infinite nor NaN.
  static func areFinite(_ values: UnsafeRawPointer, _ count: Int, threads: Int) -> Bool {
    let bits = values.assumingMemoryBound(to: UInt32.self)
    let failures = Atomic(0)
    inParallel(count, work: count, threads: threads) { begin, end in
      // Without the sign; infinity is the smallest that is not finite.
      var most: UInt32 = 0
      for index in Int(begin)..<Int(end) { most = max(most, bits[index] & 0x7fff_ffff) }
      if most >= Float.infinity.bitPattern { failures.add(1, ordering: .relaxed) }
    }
    return failures.load(ordering: .relaxed) == 0
  }
}

extension ConvolutionShape {
  /// Whether Winograd's algorithm computes it faster, if oneDNN has it: its transformations take
  /// longer than they save if there are few channels.
  var suitsWinograd: Bool {
    rank == 2 && groups == 1 && weights.dropFirst(2).elementsEqual([3, 3])
      && stride == [1, 1] && dilation == [1, 1]
      && weights[0] % 16 == 0 && weights[1] % 16 == 0
      && weights[0] >= Limits.winogradOutputs && weights[1] >= Limits.winogradInputs
  }

  /// Whether an image has more numbers than the transformed weights, about: those of fewer are read
  /// once for several images.
  var hasManyPositions: Bool { 5 * source[2] * source[3] >= 16 * weights[0] }
}
