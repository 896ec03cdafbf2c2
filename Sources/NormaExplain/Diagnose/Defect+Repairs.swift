extension Defect {
  typealias Repair = DefectFinding.Repair

  /// How to repair a network with the defect.
  var now: Repair {
    switch self {
    case .nonFinite:
      .recalibration("Compute the running statistics again, in float32, from data that are finite.")
    case .negativeVariance, .neverTrained, .foreign, .overwritten, .stale, .noisy, .notConverged,
      .momentumConvention, .doubleUpdate:
      .recalibration("Compute the running statistics again from training data.")
    case .exchanged:
      .recalibration(
        "Load the statistics under their right names, or compute them again from training data.")
    case .unrepresentative:
      .recalibration(
        "Compute the running statistics again from shuffled training data of all kinds.")
    case .dropoutShift: .recalibrationWithoutDropout
    case .epsilon: .epsilon(1e-5)
    case .domainShift:
      Repair(
        "Prepare the inputs as in training: scale, mean, order of color channels. If the data "
          + "really are different, compute the running statistics again from them.",
        python: ["x = (x - mean_of_training) / std_of_training"],
        norma: ["x = (x - meanOfTraining) / stdOfTraining"])
    case .deadChannels:
      Repair("Nothing needs to be done: the network works without these channels.")
    case .differentFormula:
      Repair(
        "Use the layer's own formula, or load its weights into the kind of layer that they were "
          + "trained in.")
    }
  }

  /// How to prevent it in future.
  var next: Repair? {
    switch self {
    case .nonFinite:
      Repair(
        "Keep running statistics in float32, as float16 ends at 65504, and keep batches with NaN "
          + "or infinity out of them.",
        pytorch: [
          "for m in model.modules():",
          "    if isinstance(m, torch.nn.modules.batchnorm._BatchNorm): m.float()",
        ],
        keras: ["keras.layers.BatchNormalization(dtype=\"float32\")"],
        norma: ["layer.nonFinitePolicy = .skipUpdate"])
    case .negativeVariance:
      Repair(
        "Do not average or subtract running variances; compute them again after averaging weights.")
    case .neverTrained: .completeState("Save and load the whole state")
    case .exchanged, .foreign:
      .completeState("Load weights and running statistics from the same file")
    case .notConverged:
      Repair(
        "Give each new batch a larger share, or take the plain mean over all batches.",
        pytorch: ["torch.nn.BatchNorm2d(64, momentum=0.1)  # or momentum=None"],
        keras: ["keras.layers.BatchNormalization(momentum=0.9)  # the share of the old value"],
        flax: ["nnx.BatchNorm(64, momentum=0.9, rngs=rngs)  # the share of the old value"],
        norma: ["BatchNorm2d(64, momentum: .pytorch(0.1))  // or .cumulative"])
    case .momentumConvention:
      Repair(
        "PyTorch's momentum is 1 minus that of Keras and Flax: 0.01 in PyTorch is 0.99 in Keras "
          + "and Flax.",
        pytorch: ["torch.nn.BatchNorm2d(64, momentum=1 - 0.99)"],
        keras: ["keras.layers.BatchNormalization(momentum=1 - 0.1)"],
        flax: ["nnx.BatchNorm(64, momentum=1 - 0.1, rngs=rngs)"],
        norma: ["BatchNorm2d(64, momentum: .decay(0.99))"])
    case .doubleUpdate, .overwritten:
      Repair(
        "Switch the network to evaluation before inference and validation.",
        pytorch: ["model.eval()", "with torch.no_grad():", "    y = model(x)"],
        keras: ["y = model(x, training=False)  # or model.predict(x)"],
        flax: ["model.eval()", "y = model(x)"],
        norma: ["network.eval()", "let y = network(x)"])
    case .stale:
      Repair(
        "Let the layers follow the batches while the network learns, and compute the statistics "
          + "again after averaging weights. Or freeze them from the start, so that the network "
          + "learns with the statistics that it keeps.",
        pytorch: ["torch.optim.swa_utils.update_bn(train_loader, averaged_model)"],
        keras: ["norm.trainable = True  # a frozen layer does not follow the batches"],
        flax: ["model.train()  # with use_running_average=True no batch is followed"],
        norma: ["layer.updatesRunningStatistics = true"])
    case .noisy:
      Repair(
        "Use larger batches, or give each batch a smaller share. For very small batches use a "
          + "normalization that does not depend on the batch.",
        pytorch: ["torch.nn.GroupNorm(8, 64)  # instead of torch.nn.BatchNorm2d(64)"],
        keras: ["keras.layers.GroupNormalization(8)  # instead of BatchNormalization()"],
        flax: ["nnx.GroupNorm(64, num_groups=8, rngs=rngs)  # instead of nnx.BatchNorm"],
        norma: ["GroupNorm(8, 64)  // instead of BatchNorm2d(64)"])
    case .unrepresentative:
      Repair(
        "Shuffle the data, and pool the statistics of all processes.",
        pytorch: [
          "loader = DataLoader(data, batch_size=64, shuffle=True)",
          "model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)",
        ],
        keras: [
          "data = data.shuffle(10_000).batch(64)",
          "keras.layers.BatchNormalization(synchronized=True)",
        ],
        flax: ["nnx.BatchNorm(64, axis_name=\"devices\", rngs=rngs)  # the axis of jax.pmap"],
        norma: ["DataLoader(data, batchSize: 64, shuffle: true)"])
    case .dropoutShift:
      Repair(
        "Put the dropout after the last batch norm.",
        pytorch: ["nn.Sequential(linear, norm, relu, dropout)  # not dropout, linear, norm"],
        keras: ["keras.Sequential([dense, norm, relu, dropout])  # not dropout, dense, norm"],
        flax: ["nnx.Sequential(linear, norm, nnx.relu, dropout)  # not dropout, linear, norm"],
        norma: ["Sequential(linear, norm, ReLU(), dropout)"])
    case .epsilon:
      Repair("Store epsilon with the weights, and pass it wherever they are loaded.")
    case .domainShift:
      Repair(
        "Keep the preparation of the inputs with the model, together for training and use.")
    case .deadChannels:
      Repair("A smaller learning rate, or less weight decay on gamma, keeps channels alive.")
    case .differentFormula: nil
    }
  }
}
