import NormaNN

/// The numbers of a block; `inner` is the factor of the inputs in V2, the number of channels in V3.
struct MobileBlock {
  let size: Int
  let inner: Int
  let outputs: Int
  let squeezes: Bool
  let activation: MobileActivation
  let stride: Int

  static func blocks(_ kind: MobileNet.Kind) -> [MobileBlock] {
    func three(_ rows: [(Int, Int, Int, Bool, MobileActivation, Int)]) -> [MobileBlock] {
      rows.map {
        MobileBlock(
          size: $0.0, inner: $0.1, outputs: $0.2, squeezes: $0.3, activation: $0.4, stride: $0.5)
      }
    }
    switch kind {
    case .v2:
      let rows = [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1),
      ]
      return rows.flatMap { factor, outputs, count, stride in
        (0..<count).map { number in
          MobileBlock(
            size: 3, inner: factor, outputs: outputs, squeezes: false, activation: .relu6,
            stride: number == 0 ? stride : 1)
        }
      }
    case .v3Large:
      return three([
        (3, 16, 16, false, .relu, 1), (3, 64, 24, false, .relu, 2), (3, 72, 24, false, .relu, 1),
        (5, 72, 40, true, .relu, 2), (5, 120, 40, true, .relu, 1), (5, 120, 40, true, .relu, 1),
        (3, 240, 80, false, .hardswish, 2), (3, 200, 80, false, .hardswish, 1),
        (3, 184, 80, false, .hardswish, 1), (3, 184, 80, false, .hardswish, 1),
        (3, 480, 112, true, .hardswish, 1), (3, 672, 112, true, .hardswish, 1),
        (5, 672, 160, true, .hardswish, 2), (5, 960, 160, true, .hardswish, 1),
        (5, 960, 160, true, .hardswish, 1),
      ])
    case .v3Small:
      return three([
        (3, 16, 16, true, .relu, 2), (3, 72, 24, false, .relu, 2), (3, 88, 24, false, .relu, 1),
        (5, 96, 40, true, .hardswish, 2), (5, 240, 40, true, .hardswish, 1),
        (5, 240, 40, true, .hardswish, 1), (5, 120, 48, true, .hardswish, 1),
        (5, 144, 48, true, .hardswish, 1), (5, 288, 96, true, .hardswish, 2),
        (5, 576, 96, true, .hardswish, 1), (5, 576, 96, true, .hardswish, 1),
      ])
    }
  }
}

/// The activation of a block.
enum MobileActivation {
  case relu
  case relu6
  case hardswish
  case none

  var layers: [any Layer] {
    switch self {
    case .relu: [ReLU()]
    case .relu6: [ReLU6()]
    case .hardswish: [Hardswish()]
    case .none: []
    }
  }
}
