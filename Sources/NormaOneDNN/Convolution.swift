import COneDNN
import NormaValues

/// One pass of a convolution: what oneDNN compiles, and the key of the compiled form.
package struct ConvolutionPlan: Hashable, Sendable {
  /// Which operand is computed from the other two.
  package enum Pass: Hashable, Sendable {
    /// The destination, and the gradients of the two others.
    case forward, sourceGradient, weightsGradient
  }

  /// Sizes and strides in elements.
  package struct Operand: Hashable, Sendable {
    /// The sizes: batch, channels, space; or outputs, inputs, kernel, with groups as the first
    /// axis.
    package let dims: [Int]
    /// The distances from one element to the next.
    package let strides: [Int]

    /// An operand with these sizes and strides.
    package init(dims: [Int], strides: [Int]) {
      (self.dims, self.strides) = (dims, strides)
    }
  }

  package let pass: Pass
  /// The element type of all operands.
  package let type: OperandType
  package let source: Operand
  package let weights: Operand
  package let destination: Operand
  package let hasBias: Bool
  /// One number for each spatial axis.
  package let stride: [Int], dilation: [Int], before: [Int], after: [Int]
  /// The number of threads it is compiled for: oneDNN divides the work when it compiles.
  package let threads: Int
  /// Whether a forward pass runs by Winograd's algorithm F(2x2, 3x3) if oneDNN has it for these
  /// sizes. Numbers that are not finite may then spread to neighbours.
  package private(set) var usesWinograd: Bool

  /// A plan with these properties.
  package init(
    pass: Pass, type: OperandType, source: Operand, weights: Operand, destination: Operand,
    hasBias: Bool, stride: [Int], dilation: [Int], before: [Int], after: [Int], threads: Int,
    usesWinograd: Bool = false
  ) {
    (self.pass, self.type) = (pass, type)
    self.source = source
    self.weights = weights
    self.destination = destination
    self.hasBias = hasBias
    self.stride = stride
    self.dilation = dilation
    self.before = before
    self.after = after
    self.threads = threads
    self.usesWinograd = usesWinograd
  }

  /// The same without Winograd's algorithm.
  package var byDefinition: ConvolutionPlan {
    var plan = self
    plan.usesWinograd = false
    return plan
  }
}

/// oneDNN's compiled form of a pass of a convolution. Compiling takes at least a millisecond.
package final class CompiledConvolution: WeightsPacking, @unchecked Sendable {
  // It never changes.
  private let convolution: OpaquePointer
  /// Whether it runs by Winograd's algorithm.
  package let isWinograd: Bool

  private let threads: Int

  private static let cache = SharedCache<ConvolutionPlan, CompiledConvolution>(capacity: 512)

  /// The compiled form of a plan, from an earlier call or new.
  package static func of(_ plan: ConvolutionPlan) throws(OneDNNError) -> CompiledConvolution {
    guard OneDNN.isAvailable else { throw OneDNNError.notBuilt }
    return try cache.value(for: plan) { () throws(OneDNNError) in try CompiledConvolution(plan) }
  }

  init(_ plan: ConvolutionPlan) throws(OneDNNError) {
    threads = plan.threads
    OneDNN.use(threads: threads)
    var source = norma_onednn_matrices(dims: plan.source.dims, strides: plan.source.strides)
    var weights = norma_onednn_matrices(dims: plan.weights.dims, strides: plan.weights.strides)
    var destination = norma_onednn_matrices(
      dims: plan.destination.dims, strides: plan.destination.strides)
    var window = norma_onednn_window()
    Self.fill(&window.stride, plan.stride)
    Self.fill(&window.dilation, plan.dilation)
    Self.fill(&window.before, plan.before)
    Self.fill(&window.after, plan.after)
    let pass =
      switch plan.pass {
      case .forward: NORMA_ONEDNN_FORWARD
      case .sourceGradient: NORMA_ONEDNN_SOURCE_GRADIENT
      case .weightsGradient: NORMA_ONEDNN_WEIGHTS_GRADIENT
      }
    var result: OpaquePointer?
    let status = norma_onednn_convolution_create(
      &result, pass, plan.type.number, &source, &weights, plan.hasBias, &destination, &window,
      plan.usesWinograd)
    guard status == NORMA_ONEDNN_SUCCESS, let result else { throw OneDNNError(status: status) }
    convolution = result
    isWinograd = Self.implementation(of: result).contains("wino")
  }

  deinit { norma_onednn_convolution_free(convolution) }

  private static func fill<T>(_ target: inout T, _ values: [Int]) {
    withUnsafeMutableBytes(of: &target) { bytes in
      _ = bytes.bindMemory(to: Int64.self).update(fromContentsOf: values.map(Int64.init))
    }
  }

  /// oneDNN's name for the loops it chose.
  package var implementation: String { Self.implementation(of: convolution) }

  private static func implementation(of convolution: OpaquePointer) -> String {
    String(cString: norma_onednn_convolution_implementation(convolution))
  }

  /// Bytes of the weights in oneDNN's order; 0 if it reads them directly.
  package var packedByteCount: Int { Int(norma_onednn_convolution_packed_size(convolution)) }

  /// Writes the weights in oneDNN's order to `packed`, which has space for ``packedByteCount``
  /// bytes.
  package func pack(
    _ weights: UnsafeRawPointer, into packed: UnsafeMutableRawPointer
  ) throws(OneDNNError) {
    let status = norma_onednn_convolution_pack(convolution, weights, packed)
    if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
  }

  /// Whether weights that were packed for the other convolution are packed for this one, too.
  package func packsLike(_ other: any WeightsPacking) -> Bool {
    guard let other = other as? CompiledConvolution else { return false }
    return self === other || norma_onednn_convolution_packs_alike(convolution, other.convolution)
  }

  /// Reads two of the operands and writes the one that the pass is named for.
  ///
  /// Weights are dense, and may also be passed in oneDNN's order, which saves a pass over them;
  /// source and destination have the plan's strides. It runs on the plan's number of threads; the
  /// order of sums is oneDNN's and may depend on it.
  package func run(
    source: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer,
    packed: UnsafeRawPointer? = nil, bias: UnsafeRawPointer?, destination: UnsafeMutableRawPointer
  ) throws(OneDNNError) {
    OneDNN.use(threads: threads)
    let status = norma_onednn_convolution_run(
      convolution, source, weights, packed, bias, destination)
    if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
  }
}
