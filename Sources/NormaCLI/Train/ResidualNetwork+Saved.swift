import Norma

extension ResidualNetwork {
  /// The network that a run trains.
  convenience init(_ options: TrainingOptions) {
    self.init(
      width: options.width, classes: ClothingData.classNames.count,
      momentum: options.bnMomentum.map { .pytorch($0) } ?? 0.1)
  }

  /// The network of a checkpoint.
  convenience init(_ saved: Checkpoint, _ options: TrainingOptions, path: String) throws {
    self.init(options)
    do {
      try load(saved.model)
    } catch {
      throw CheckpointError(path: path, problem: "does not fit the network: \(error)")
    }
  }

  /// All batch norm layers.
  var norms: [BatchNorm] { namedModules.compactMap { $0.module as? BatchNorm } }

  /// Classifies images in evaluation mode, which stays set; `observe` gets the number of images
  /// done.
  func evaluate(
    _ images: TensorDataset, _ observe: (Int) -> Void = { _ in }
  ) throws -> ConfusionMatrix {
    eval()
    var matrix = ConfusionMatrix(ClothingData.classNames)
    var done = 0
    try DataLoader(images, batchSize: 500).forEach { batch in
      let found = withoutGradients { self(batch[0]).argmax(over: 1) }
      matrix.add(found.array(of: Int.self), batch[1].array(of: Int.self))
      done += batch[0].shape[0]
      observe(done)
    }
    return matrix
  }
}
