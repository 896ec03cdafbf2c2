import NormaRandom

extension Tensor {
  /// Runs `body` without keeping what its operations save, and runs it again when a gradient needs
  /// it: saves memory at the cost of time.
  ///
  /// The second run uses the default generator's state of the first, so that dropout drops the same
  /// values, and does not update running statistics again. Parameters and other tensors used in
  /// `body` get their gradients as usual. The second run happens in the task that runs the backward
  /// pass.
  /// PyTorch: `torch.utils.checkpoint.checkpoint`.
  public static func checkpoint(_ inputs: Tensor..., body: @escaping ([Tensor]) -> Tensor) -> Tensor
  {
    guard GradientMode.isRecording else { return body(inputs) }
    let (generator, narrow) = (NormaRandom.Generator.current, Autocast.type)
    let result = withoutGradients { body(inputs.map { $0.detached() }) }
    if result.isPoisoned { return result }
    let again = Unchecked(body)
    let rule = Derivation.Rule.continuation { backward in
      var generator = generator
      let result = withGenerator(&generator) {
        GradientMode.$isRecomputing.withValue(true) {
          GradientMode.$isRecording.withValue(true) {
            Autocast.$type.withValue(narrow) { again.value(backward.saved) }
          }
        }
      }
      return [(result, backward.upstream)]
    }
    return result.detached().recorded(
      "checkpoint(_:body:)", inputs, saving: inputs, savesResult: false, immediate: nil,
      runsAtOnce: true, rule)
  }
}

/// A tensor function with its own gradient.
///
/// `forward` gets the inputs without histories; `gradient` gets the upstream gradient, the inputs
/// and the result, and returns one gradient for each input, or nil. If `gradient` is written with
/// tensor operations, it can be differentiated again. It runs in the task that runs the backward
/// pass.
/// PyTorch: `torch.autograd.Function`.
public func customFunction(
  _ inputs: Tensor..., forward: ([Tensor]) -> Tensor,
  gradient: @escaping (_ upstream: Tensor, _ inputs: [Tensor], _ result: Tensor) -> [Tensor?]
) -> Tensor {
  let rule = Unchecked(gradient)
  return forward(inputs.map { $0.detached() }).detached().recorded(
    "customFunction(_:forward:gradient:)", from: inputs, saving: inputs, savesResult: true,
    runsAtOnce: true
  ) { rule.value($0.upstream, $0.saved, $0.result) }
}
