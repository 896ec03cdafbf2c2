extension DefectFinding.Repair {
  /// New running statistics from training data: the plain mean over all batches.
  static func recalibration(_ text: String) -> Self {
    Self(
      text,
      pytorch: ["torch.optim.swa_utils.update_bn(train_loader, model)", "model.eval()"],
      keras: kerasNorms + [
        "for i, (x, _) in enumerate(train_data):", meanOfBatches, "    model(x, training=True)",
        momentumAsBefore,
      ],
      flax: flaxNorms + [
        "model.train()", "for i, (x, _) in enumerate(train_data):", meanOfBatches, "    model(x)",
        momentumAsBefore, "model.eval()",
      ],
      norma: ["try recalibrate(network, over: trainingBatches)"])
  }

  /// The same with every dropout disabled, which training mode would enable.
  static let recalibrationWithoutDropout = Self(
    "Compute the running statistics again with the dropout off. The weights stay.",
    pytorch: [
      "drops = [(m, m.p) for m in model.modules() if isinstance(m, torch.nn.Dropout)]",
      "for m, _ in drops: m.p = 0.0  # update_bn runs the model in training mode",
      "torch.optim.swa_utils.update_bn(train_loader, model)",
      "for m, p in drops: m.p = p",
      "model.eval()",
    ],
    keras: kerasNorms + [
      "drops = [(m, m.rate) for m in model._flatten_layers() "
        + "if isinstance(m, keras.layers.Dropout)]",
      "for m, _ in drops: m.rate = 0.0",
      "for i, (x, _) in enumerate(train_data):", meanOfBatches, "    model(x, training=True)",
      momentumAsBefore, "for m, rate in drops: m.rate = rate",
    ],
    flax: flaxNorms + [
      "model.eval()", "for norm in norms: norm.use_running_average = False",
      "for i, (x, _) in enumerate(train_data):", meanOfBatches, "    model(x)",
      momentumAsBefore, "model.eval()",
    ],
    norma: ["try recalibrate(network, over: trainingBatches)"])

  /// A complete state.
  static func completeState(_ text: String) -> Self {
    Self(
      "\(text), and treat missing names as an error.",
      pytorch: ["model.load_state_dict(state, strict=True)"],
      keras: ["model.load_weights(\"model.weights.h5\")  # without skip_mismatch=True"],
      flax: ["nnx.update(model, state)  # the whole nnx.state(model), with BatchStat"],
      norma: ["try network.load(state, strict: true)"])
  }

  /// Another epsilon.
  static func epsilon(_ value: Double) -> Self {
    let number = short(value)
    let defaults = "PyTorch's and Flax's default is 1e-5, Keras' is 1e-3"
    return Self(
      "Give the layers the epsilon that the weights were trained with.",
      pytorch: [
        "for m in model.modules():  # or only the layers above",
        "    if isinstance(m, torch.nn.modules.batchnorm._BatchNorm):",
        "        m.eps = \(number)  # \(defaults)",
      ],
      keras: kerasNorms + ["for norm in norms: norm.epsilon = \(number)  # \(defaults)"],
      flax: flaxNorms + ["for norm in norms: norm.epsilon = \(number)  # \(defaults)"],
      norma: ["BatchNorm2d(64, eps: \(number))"])
  }

  static let kerasNorms = [
    "norms = [m for m in model._flatten_layers()",
    "         if isinstance(m, keras.layers.BatchNormalization)]",
  ]

  static let flaxNorms = [
    "norms = [m for _, m in nnx.iter_modules(model) if isinstance(m, nnx.BatchNorm)]"
  ]

  private static let momentumAsBefore = "for norm in norms: norm.momentum = 0.99  # as before"
  private static let meanOfBatches = "    for norm in norms: norm.momentum = i / (i + 1)"
}
