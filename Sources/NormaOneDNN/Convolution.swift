import COneDNN

/// One pass of a convolution: what oneDNN compiles, and the key under which it is kept.
package struct ConvolutionPlan: Hashable, Sendable {
  /// What is computed from the other two operands.
  package enum Pass: Hashable, Sendable {
    /// The destination, and the gradients of the two others.
    case forward, sourceGradient, weightsGradient
  }

  /// Sizes and strides in elements.
  package struct Operand: Hashable, Sendable {
    /// The sizes: batch, channels, space; outputs, inputs, kernel, with groups in front of them.
    package let dims: [Int]
    /// The distances from one element to the next.
    package let strides: [Int]

    /// An operand with these sizes and strides.
    package init(dims: [Int], strides: [Int]) {
      (self.dims, self.strides) = (dims, strides)
    }
  }

  package let pass: Pass
  package let source: Operand
  package let weights: Operand
  package let destination: Operand
  package let hasBias: Bool
  /// By axis of space.
  package let stride: [Int], dilation: [Int], before: [Int], after: [Int]
  /// What it is compiled for: oneDNN divides the work when it compiles.
  package let threads: Int

  /// A plan with these properties.
  package init(
    pass: Pass, source: Operand, weights: Operand, destination: Operand, hasBias: Bool,
    stride: [Int], dilation: [Int], before: [Int], after: [Int], threads: Int
  ) {
    self.pass = pass
    self.source = source
    self.weights = weights
    self.destination = destination
    self.hasBias = hasBias
    self.stride = stride
    self.dilation = dilation
    self.before = before
    self.after = after
    self.threads = threads
  }
}

/// oneDNN's compiled form of a pass. Compiling takes a millisecond and more.
private final class CompiledConvolution: @unchecked Sendable {  // The C object never changes.
  let convolution: OpaquePointer

  static let cache = CompiledCache<ConvolutionPlan, CompiledConvolution>(capacity: 512)

  init(_ plan: ConvolutionPlan) throws(OneDNNError) {
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
      &result, pass, &source, &weights, plan.hasBias, &destination, &window)
    guard status == NORMA_ONEDNN_SUCCESS, let result else { throw OneDNNError(status: status) }
    convolution = result
  }

  deinit { norma_onednn_convolution_free(convolution) }

  private static func fill<T>(_ target: inout T, _ values: [Int]) {
    withUnsafeMutableBytes(of: &target) { bytes in
      _ = bytes.bindMemory(to: Int64.self).update(fromContentsOf: values.map(Int64.init))
    }
  }
}

extension OneDNN {
  /// Runs one pass of a convolution of `float32`: reads two of the operands and writes the one that
  /// the pass is named for.
  ///
  /// Weights lie without gaps; source and destination as the plan says. The order of sums is
  /// oneDNN's and may depend on the number of threads. The first call with a plan compiles it.
  package static func convolve(
    _ plan: ConvolutionPlan, source: UnsafeMutablePointer<Float>,
    weights: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?,
    destination: UnsafeMutablePointer<Float>
  ) throws(OneDNNError) {
    guard isAvailable else { throw OneDNNError.notBuilt }
    let compiled = try CompiledConvolution.cache.value(for: plan) { () throws(OneDNNError) in
      try CompiledConvolution(plan)
    }
    let status = norma_onednn_convolution_run(
      compiled.convolution, source, weights, bias, destination)
    if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
  }
}
