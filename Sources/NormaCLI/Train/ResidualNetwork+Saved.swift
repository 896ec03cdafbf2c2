import Norma
import NormaDistributed

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
  /// done. Each process of a group classifies its part.
  func evaluate(
    _ images: TensorDataset, over group: ProcessGroup = .single,
    _ observe: (Int) -> Void = { _ in }
  ) throws -> ConfusionMatrix {
    eval()
    var matrix = ConfusionMatrix(ClothingData.classNames)
    var done = 0
    let size = 500 * group.count
    try DataLoader(images.sharded(over: group), batchSize: size).forEach { batch in
      let found = withoutGradients { self(batch[0]).argmax(over: 1) }
      matrix.add(found.array(of: Int.self), batch[1].array(of: Int.self))
      done += batch[0].shape[0]
      observe(done)
    }
    let parts = try group.gathered(matrix)
    return parts.dropFirst().reduce(into: parts[0]) { $0.merge($1) }
  }
}
