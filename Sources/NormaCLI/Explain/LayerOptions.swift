import ArgumentParser
import Norma
import NormaExplain

/// The options of `norma explain` that describe the layer and its state.
struct LayerOptions: ParsableArguments {
  @Option(
    name: .customLong("layer"),
    help: ArgumentHelp(
      "The layer's kind: \(LayerKind.allNames). batchnorm and instancenorm adapt to the rank. "
        + "Default: batchnorm, or the kind in the state.", valueName: "kind"))
  var kind: LayerKind?

  @Option(
    help: ArgumentHelp(
      "The layer's epsilon. Default: 1e-5, for rmsnorm PyTorch's.", valueName: "number"))
  var eps: Double?

  @Option(help: ArgumentHelp("The number of groups of groupnorm.", valueName: "number"))
  var groups: Int?

  @Option(
    help: ArgumentHelp(
      "The number of last axes that layernorm and rmsnorm normalize. Default: as many as the "
        + "weight has, or 1.", valueName: "number"))
  var lastAxes: Int?

  @Option(help: ArgumentHelp("The layer's weight. Default: 1.", valueName: "file"))
  var weight: String?

  @Option(help: ArgumentHelp("The layer's bias. Default: 0.", valueName: "file"))
  var bias: String?

  @Option(help: ArgumentHelp("The layer's running mean, before the call.", valueName: "file"))
  var runningMean: String?

  @Option(help: ArgumentHelp("The layer's running variance, before the call.", valueName: "file"))
  var runningVar: String?

  @Option(
    help: ArgumentHelp(
      "A checkpoint with the layer's weight, bias and running statistics (.safetensors, .pt, .pth, "
        + ".npz), or a capture, which also has the layer's kind and options.", valueName: "file"))
  var state: String?

  @Option(
    help: ArgumentHelp("The layer's name in the state: layer1.0.bn1.", valueName: "layer"))
  var name: String?

  @Flag(
    name: [.long, .customLong("eval")],
    help: "The layer is in evaluation: it uses its running statistics.")
  var evaluation = false

  @Option(
    help: ArgumentHelp(
      "The weight of a new batch in the running statistics, as in PyTorch. Default: 0.1. none: "
        + "the mean over all batches.", valueName: "number"))
  var momentum: MomentumOption?

  @Option(
    help: ArgumentHelp(
      "The training batches that led to the running statistics: one batch, or several along an "
        + "additional leading axis; may be repeated. Missing running statistics come from these.",
      valueName: "file"))
  var history: [String] = []

  func validate() throws {
    if let eps, !(eps > 0) { throw ValidationError("--eps must be positive") }
    if let groups, groups < 1 { throw ValidationError("--groups must be at least 1") }
    if let lastAxes, lastAxes < 1 { throw ValidationError("--last-axes must be at least 1") }
    if name != nil && state == nil {
      throw ValidationError("--name selects a layer of a state; give the file with --state")
    }
    let parts = [
      ("--weight", weight), ("--bias", bias), ("--running-mean", runningMean),
      ("--running-var", runningVar),
    ]
    if state != nil, let part = parts.first(where: { $0.1 != nil }) {
      throw ValidationError("--state and \(part.0) give the same tensor; leave out one of them")
    }
    if (runningMean == nil) != (runningVar == nil) {
      throw ValidationError("--running-mean and --running-var must be given together")
    }
    if state == nil {
      if let misuse = misuse(by: kind ?? .batchnorm) { throw ValidationError(misuse) }
      if kind == .groupnorm && groups == nil {
        throw ValidationError("--layer groupnorm needs --groups")
      }
      if evaluation && runningMean == nil && history.isEmpty {
        throw ValidationError(
          "--evaluation needs running statistics: --running-mean and --running-var, --state, or "
            + "--history")
      }
    }
    if !history.isEmpty && !evaluation {
      throw ValidationError("--history is for a layer in evaluation: add --evaluation")
    }
  }

  /// The option that a kind of layer does not have, in a sentence; nil if it has all of them.
  func misuse(by kind: LayerKind) -> String? {
    if groups != nil && kind != .groupnorm { return "--groups is for --layer groupnorm" }
    if lastAxes != nil && kind.hasChannels {
      return "--last-axes is for --layer layernorm and rmsnorm"
    }
    if bias != nil && kind == .rmsnorm { return "rmsnorm has no bias" }
    if kind.canTrack { return nil }
    let running = [
      ("--running-mean", runningMean != nil), ("--running-var", runningVar != nil),
      ("--momentum", momentum != nil), ("--history", !history.isEmpty),
      ("--evaluation", evaluation),
    ]
    return running.first(where: \.1).map {
      "\($0.0) is for layers with running statistics; \(kind.rawValue) keeps none"
    }
  }

  /// The names of the options that were given.
  var given: [String] {
    let all: [(String, Bool)] = [
      ("--layer", kind != nil), ("--eps", eps != nil), ("--groups", groups != nil),
      ("--last-axes", lastAxes != nil), ("--weight", weight != nil), ("--bias", bias != nil),
      ("--running-mean", runningMean != nil), ("--running-var", runningVar != nil),
      ("--state", state != nil), ("--evaluation", evaluation), ("--momentum", momentum != nil),
      ("--history", !history.isEmpty),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The layer described by the options and the files.
  func layer() throws -> ExplainLayer {
    guard let state else {
      var layer = layer(kind ?? .batchnorm, weight: try weight.map(tensor))
      layer.bias = try bias.map(tensor)
      layer.runningMean = try runningMean.map(tensor)
      layer.runningVar = try runningVar.map(tensor)
      return try withHistory(layer)
    }
    let read = try LayerState(state, name: name, known: LayerState.names, option: "--name")
    let kind = try self.kind(read, state)
    if let misuse = misuse(by: kind) { throw DataError(misuse) }
    var layer = layer(kind, weight: read.tensors["weight"], captured: read.captured)
    layer.bias = read.tensors["bias"]
    layer.runningMean = read.tensors["running_mean"]
    layer.runningVar = read.tensors["running_var"]
    layer.batchesTracked = read.tensors["num_batches_tracked"]
    if kind == .rmsnorm && layer.bias != nil {
      throw DataError("\(state) has a bias for \(name ?? "the layer"), and rmsnorm has none")
    }
    if layer.runningMean != nil && !kind.canTrack {
      throw DataError(
        "\(state) has running statistics for \(name ?? "the layer"), and \(kind.rawValue) keeps "
          + "none"
      )
    }
    if evaluation && (layer.runningMean == nil || layer.runningVar == nil) && history.isEmpty {
      throw DataError(
        "\(state) has no running statistics for \(name ?? "the layer"), which --evaluation needs")
    }
    if kind == .groupnorm && groups == nil && read.captured?.options.groups == nil {
      throw DataError(
        "--layer groupnorm needs --groups: a checkpoint does not contain their number")
    }
    return try withHistory(layer)
  }

  private func layer(
    _ kind: LayerKind, weight: Tensor?, captured: CapturedLayer? = nil
  ) -> ExplainLayer {
    let options = captured?.options
    let shape = options?.normalizedShape ?? (kind.hasChannels ? nil : weight?.shape)
    var layer = ExplainLayer(
      kind: kind, eps: eps ?? options?.epsilon, groups: groups ?? options?.groups ?? 1,
      lastAxes: lastAxes ?? shape.map { max($0.count, 1) } ?? 1,
      momentum: momentum?.value ?? options?.momentum, weight: weight)
    layer.isInEvaluation = evaluation || captured?.kind.hasPrefix("Frozen") ?? false
    return layer
  }

  /// The kind that was given, or that a file contains.
  private func kind(_ state: LayerState, _ path: String) throws -> LayerKind {
    let layer = name ?? "the layer"
    if let captured = state.captured, let known = LayerKind(captured: captured.kind) {
      if let kind, kind != known {
        throw DataError(
          "\(layer) is a \(captured.kind) in \(path), and --layer says \(kind.rawValue)")
      }
      return known
    }
    if let kind { return kind }
    guard state.captured == nil, state.tensors["running_mean"] != nil else {
      throw DataError(
        "\(path) does not say what kind of layer \(layer) is: give it with --layer, as in "
          + "--layer layernorm")
    }
    return .batchnorm
  }

  private func tensor(_ argument: String) throws -> Tensor { try GivenTensor(argument).read() }

  private func withHistory(_ layer: ExplainLayer) throws -> ExplainLayer {
    var layer = layer
    layer.history = try history.map(tensor)
    return layer
  }
}

/// PyTorch's momentum: a number, or `none` for the mean over all batches.
struct MomentumOption: ExpressibleByArgument {
  let value: Momentum

  init?(argument: String) {
    if argument.lowercased() == "none" {
      value = .cumulative
    } else if let number = Double(argument), 0...1 ~= number {
      value = .pytorch(number)
    } else {
      return nil
    }
  }
}
