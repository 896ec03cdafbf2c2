import NormaTensor

/// One field of a recipe with a new value.
enum Field: Hashable {
  case source(Recipe.Source)
  case shape([Int])
  case meanAxes([Int])
  case steps([Recipe.Step])
  case correction(Recipe.Correction)
  case epsilon(Double)
  case placement(Recipe.Placement)
  case affine(Recipe.Affine)
  case centred(Bool)
  case aboutZero(Bool)
  case divisor(Recipe.Divisor)
  case meanFactor(Recipe.MeanFactor)
  case gain(Recipe.Gain)
  case fold(Recipe.Fold)
  case buffers(Recipe.Buffers)
  case replaced(Pointwise)
  case rows(Int)
  case narrowSteps(Recipe.NarrowSteps)
  case momentum(Recipe.Momentum)
  case runningVariance(Recipe.RunningVariance)
  case updateCorrection(Recipe.Correction)
  case surroundings(Recipe.Surroundings)
  case mask(Recipe.Mask)
  case blocks(Recipe.Blocks)
  case hasExtra(Bool)
  case observedScale(Grid)
  case observedShift(Grid)
  case observedFactors(Grid)
  case narrow(DType)
  case narrowsEarly(Bool)
  case holdsResidual(Bool)

  func write(to recipe: inout Recipe) {
    switch self {
    case .source(let value): recipe.source = value
    case .shape(let value): recipe.shape = value
    case .meanAxes(let value): recipe.meanAxes = value
    case .steps(let value): recipe.steps = value
    case .correction(let value): recipe.correction = value
    case .epsilon(let value): recipe.epsilon = value
    case .placement(let value): recipe.placement = value
    case .affine(let value): recipe.affine = value
    case .centred(let value): recipe.centred = value
    case .aboutZero(let value): recipe.aboutZero = value
    case .divisor(let value): recipe.divisor = value
    case .meanFactor(let value): recipe.meanFactor = value
    case .gain(let value): recipe.gain = value
    case .fold(let value): recipe.fold = value
    case .buffers(let value): recipe.buffers = value
    case .replaced(let value): recipe.replaced = value
    case .rows(let value): recipe.rows = value
    case .narrowSteps(let value): recipe.narrowSteps = value
    case .momentum(let value): recipe.momentum = value
    case .runningVariance(let value): recipe.runningVariance = value
    case .updateCorrection(let value): recipe.updateCorrection = value
    case .surroundings(let value): recipe.surroundings = value
    case .mask(let value): recipe.mask = value
    case .blocks(let value): recipe.blocks = value
    case .hasExtra(let value): recipe.hasExtra = value
    case .observedScale(let value): recipe.observedScale = value
    case .observedShift(let value): recipe.observedShift = value
    case .observedFactors(let value): recipe.observedFactors = value
    case .narrow(let value): recipe.narrow = value
    case .narrowsEarly(let value): recipe.narrowsEarly = value
    case .holdsResidual(let value): recipe.holdsResidual = value
    }
  }

  /// Whether the field contains the axes of a statistic.
  var isAxes: Bool {
    switch self {
    case .meanAxes, .steps: true
    default: false
    }
  }

  /// An identifier for each kind of field; two changes of the same kind exclude each other.
  var kind: Int {
    switch self {
    case .source: 0
    case .meanAxes: 1
    case .steps: 2
    case .correction: 3
    case .epsilon: 4
    case .placement: 5
    case .affine: 6
    case .centred: 7
    case .divisor: 8
    case .momentum: 9
    case .runningVariance: 10
    case .updateCorrection: 11
    case .surroundings: 12
    case .mask: 13
    case .shape: 14
    case .observedScale: 15
    case .observedShift: 16
    case .narrow: 17
    case .narrowsEarly: 18
    case .aboutZero: 19
    case .holdsResidual: 20
    case .blocks: 21
    case .hasExtra: 22
    case .meanFactor: 23
    case .gain: 24
    case .fold: 25
    case .buffers: 26
    case .rows: 27
    case .narrowSteps: 28
    case .observedFactors: 29
    case .replaced: 30
    }
  }
}

/// A mistake: some fields of the correct recipe, changed together under one name.
struct Change: Hashable {
  let cause: CauseName
  let fields: [Field]
  /// How unusual the mistake is: 0 for everyday ones. Used to break ties and to bound the search.
  let rarity: Int
  /// What the user did, if the fields alone do not say it.
  let words: String?
  private let kinds: Int

  init(_ cause: CauseName, _ fields: Field..., rarity: Int = 1, words: String? = nil) {
    self.cause = cause
    self.fields = fields
    self.rarity = rarity
    self.words = words
    kinds = fields.reduce(0) { $0 | 1 << $1.kind }
  }

  func touches(_ field: Field) -> Bool { kinds & (1 << field.kind) != 0 }

  /// Whether the change was derived from the data rather than from a formula.
  var isObserved: Bool {
    fields.contains {
      switch $0 {
      case .observedScale, .observedShift, .observedFactors, .holdsResidual: true
      default: false
      }
    }
  }

  /// Whether the change only rounds the result to a narrower type.
  var isNarrowing: Bool {
    fields.allSatisfy {
      if case .narrow = $0 { true } else { false }
    }
  }

  /// Whether the change can have an effect on a formula that was replaced.
  var replacesNothing: Bool {
    !fields.allSatisfy {
      switch $0 {
      case .replaced, .narrow: true
      default: false
      }
    }
  }

  /// Whether the change refers to a shape, which a part of the input does not have.
  var hasShape: Bool {
    fields.contains {
      if case .shape = $0 { true } else { false }
    }
  }

  /// Whether both changes can be applied to the same recipe.
  func combines(with other: Change) -> Bool { cause != other.cause && kinds & other.kinds == 0 }
}

extension Recipe {
  /// This recipe with the changes applied.
  func applying(_ changes: some Sequence<Change>) -> Recipe {
    var recipe = self
    for change in changes {
      for field in change.fields { field.write(to: &recipe) }
    }
    return recipe
  }

  /// This recipe with the changes applied, or nil if one of them would have no effect.
  func applyingAll(_ changes: [Change]) -> Recipe? {
    let result = applying(changes)
    let ownStatistics = result.source == .batch
    // After a replacement, no part of the formula is left to change but its type.
    if result.replaced != nil && changes.contains(where: { $0.replacesNothing }) { return nil }
    for change in changes {
      for field in change.fields {
        switch field {
        case .meanAxes, .steps, .shape, .mask, .aboutZero, .blocks:
          let isPlain = result.shape == nil && result.steps.count == 1
          // The statistics of a batch in an update may have been taken over other axes, too.
          let isUpdate = result.source == .updated && isPlain && field.isAxes
          if !ownStatistics && !isUpdate { return nil }
          if (result.mask != .ignored || result.blocks != .none) && !isPlain { return nil }
          if result.mask != .ignored && result.blocks != .none { return nil }
          // Parts of the batch are averaged if a statistic covers the batch.
          let coversBatch = result.meanAxes.contains(0) && result.steps[0].axes.contains(0)
          if result.blocks != .none && !coversBatch { return nil }
        case .rows:
          let coversBatch = result.meanAxes.contains(0) && result.steps[0].axes.contains(0)
          let isWhole = result.mask == .ignored && result.blocks == .none && result.shape == nil
          if !ownStatistics || !coversBatch || !isWhole { return nil }
        case .meanFactor:
          if !result.centred || result.fold != .right { return nil }
          if result.meanFactor != .negative && !ownStatistics { return nil }
        case .fold:
          if !result.centred || result.divisor != .deviation { return nil }
        case .buffers:
          if result.source == .batch { return nil }
        case .correction:
          if result.source == .running { return nil }
        case .runningVariance:
          if result.source != .running { return nil }
        case .momentum:
          let replayed = source == .running && result.source == .running
          if result.source != .updated && !replayed { return nil }
        case .placement:
          if result.epsilon == 0 { return nil }
        default: break
        }
      }
    }
    return result
  }
}
