extension Defect {
  typealias Repair = DefectFinding.Repair

  /// New statistics from data of training.
  private static func recalibration(_ text: String) -> Repair {
    Repair(
      text,
      pytorch: [
        "torch.optim.swa_utils.update_bn(train_loader, model)", "model.eval()",
      ],
      norma: ["try recalibrate(network, over: trainingBatches)"])
  }

  /// What repairs a network that has the defect.
  var now: Repair {
    switch self {
    case .nonFinite:
      Self.recalibration(
        "Take the running statistics anew from data that are finite, in float32.")
    case .negativeVariance, .neverTrained, .foreign, .overwritten, .stale, .noisy, .notConverged,
      .momentumConvention, .doubleUpdate:
      Self.recalibration("Take the running statistics anew from data of training.")
    case .exchanged:
      Self.recalibration(
        "Load the statistics under their right names, or take them anew from data of training.")
    case .unrepresentative:
      Self.recalibration(
        "Take the running statistics anew from all kinds of training data, shuffled.")
    case .dropoutShift:
      Self.recalibration(
        "Take the running statistics anew with the dropout off; the weights stay.")
    case .epsilon:
      Repair(
        "Give the layers the epsilon that the weights were trained with.",
        pytorch: [
          "for m in model.modules():",
          "    if isinstance(m, torch.nn.modules.batchnorm._BatchNorm):",
          "        m.eps = 1e-3  # Keras' value; PyTorch's is 1e-5",
        ],
        norma: ["BatchNorm2d(64, eps: 1e-3)"])
    case .domainShift:
      Repair(
        "Prepare the inputs as in training: scale, mean, order of colours. If the data really are "
          + "others, take the running statistics anew from them.",
        pytorch: ["x = (x - mean_of_training) / std_of_training"],
        norma: ["x = (x - meanOfTraining) / stdOfTraining"])
    case .deadChannels:
      Repair("Nothing has to be done: the network works without these channels.")
    case .differentFormula:
      Repair("Use the layer's own formula, or load its weights into the layer that was trained.")
    }
  }

  /// What keeps it from happening again.
  var next: Repair? {
    switch self {
    case .nonFinite:
      Repair(
        "Keep buffers in float32, which holds values above 65504, and keep batches that are not "
          + "finite out of them.",
        pytorch: [
          "for m in model.modules():",
          "    if isinstance(m, torch.nn.modules.batchnorm._BatchNorm): m.float()",
        ],
        norma: ["layer.nonFinitePolicy = .skipUpdate"])
    case .negativeVariance:
      Repair(
        "Do not average or subtract running variances; take them anew after averaging weights.")
    case .neverTrained:
      Repair(
        "Save and load all of the state, and let no missing name pass.",
        pytorch: ["model.load_state_dict(state, strict=True)"],
        norma: ["try network.load(state, strict: true)"])
    case .exchanged, .foreign:
      Repair(
        "Load weights and running statistics from the same file, and let no missing name pass.",
        pytorch: ["model.load_state_dict(state, strict=True)"],
        norma: ["try network.load(state, strict: true)"])
    case .notConverged:
      Repair(
        "Use a larger momentum, or the plain mean over all batches.",
        pytorch: ["torch.nn.BatchNorm2d(64, momentum=0.1)  # or momentum=None"],
        norma: ["BatchNorm2d(64, momentum: .pytorch(0.1))  // or .cumulative"])
    case .momentumConvention:
      Repair(
        "PyTorch's momentum is 1 minus that of Keras and Flax: 0.99 there is 0.01 here.",
        pytorch: ["torch.nn.BatchNorm2d(64, momentum=1 - 0.99)"],
        norma: ["BatchNorm2d(64, momentum: .decay(0.99))"])
    case .doubleUpdate, .overwritten:
      Repair(
        "Call model.eval() before inference and validation, and keep it there.",
        pytorch: ["model.eval()", "with torch.no_grad():", "    y = model(x)"],
        norma: ["network.eval()", "let y = network(x)"])
    case .stale:
      Repair(
        "Let the layers follow the batches while the network learns, and take the statistics anew "
          + "after averaging weights; or freeze them from the start and let them normalize with what "
          + "they keep.",
        pytorch: ["torch.optim.swa_utils.update_bn(train_loader, averaged_model)"],
        norma: ["layer.updatesRunningStatistics = true"])
    case .noisy:
      Repair(
        "Use larger batches or a smaller momentum; for very small batches a norm that does not look "
          + "at the batch.",
        pytorch: ["torch.nn.GroupNorm(8, 64)  # instead of torch.nn.BatchNorm2d(64)"],
        norma: ["GroupNorm(8, 64)  // instead of BatchNorm2d(64)"])
    case .unrepresentative:
      Repair(
        "Shuffle, and pool the statistics of all processes.",
        pytorch: [
          "loader = DataLoader(data, batch_size=64, shuffle=True)",
          "model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)",
        ],
        norma: ["DataLoader(data, batchSize: 64, shuffle: true)"])
    case .dropoutShift:
      Repair(
        "Put the dropout behind the last batch norm.",
        pytorch: ["nn.Sequential(linear, norm, relu, dropout)  # not dropout, linear, norm"],
        norma: ["Sequential(linear, norm, ReLU(), dropout)"])
    case .epsilon:
      Repair("Write epsilon beside the weights, and pass it wherever they are loaded.")
    case .domainShift:
      Repair(
        "Keep the preparation of the inputs with the model, in one place for training and use.")
    case .deadChannels:
      Repair("A smaller learning rate, or less weight decay on gamma, keeps channels alive.")
    case .differentFormula: nil
    }
  }
}
