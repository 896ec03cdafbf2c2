import Foundation
import Norma

/// One side of a comparison: a framework's convention, or a layer described by JSON.
struct ComparedLayer {
  /// Its name in the output.
  let name: String
  private let description: Description

  /// A layer's options, with PyTorch's defaults.
  private struct Description: Decodable {
    /// nil for batch norm, or the kind in a capture.
    var layer: LayerKind?
    var convention: String?
    var eps: Double?
    var momentum: Double?
    var groups: Int?
    var lastAxes: Int?
    var training: Bool?
    var state: String?
    var name: String?

    private enum Key: String, CodingKey, CaseIterable {
      case layer, convention, eps, momentum, groups, lastAxes = "last-axes", training, state, name
    }

    private struct AnyKey: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(convention: String) { self.convention = convention }

    init(from decoder: any Decoder) throws {
      let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
      let known = Key.allCases.map(\.rawValue)
      if let other = given.first(where: { !known.contains($0) }) {
        throw DataError(
          "a layer has no option \(other); there are \(known.joined(separator: ", "))")
      }
      let values = try decoder.container(keyedBy: Key.self)
      if let name = try values.decodeIfPresent(String.self, forKey: .layer) {
        guard let kind = LayerKind(argument: name) else {
          throw DataError("there is no layer \(name)")
        }
        layer = kind
      }
      convention = try values.decodeIfPresent(String.self, forKey: .convention)
      eps = try values.decodeIfPresent(Double.self, forKey: .eps)
      momentum = try values.decodeIfPresent(Double.self, forKey: .momentum)
      groups = try values.decodeIfPresent(Int.self, forKey: .groups)
      lastAxes = try values.decodeIfPresent(Int.self, forKey: .lastAxes)
      training = try values.decodeIfPresent(Bool.self, forKey: .training)
      state = try values.decodeIfPresent(String.self, forKey: .state)
      name = try values.decodeIfPresent(String.self, forKey: .name)
      if name != nil && state == nil {
        throw DataError("name selects a layer of a state, but there is no state")
      }
    }
  }

  static let conventions: [String: NormalizationConvention] = [
    "pytorch": .pytorch, "keras": .keras, "flax": .flax, "mlx": .mlx,
  ]

  /// A framework's name, JSON, or a file with JSON.
  init(_ argument: String) throws {
    if Self.conventions[argument.lowercased()] != nil {
      (name, description) = (argument, Description(convention: argument))
      return
    }
    let isText = argument.hasPrefix("{")
    do {
      let data = isText ? Data(argument.utf8) : try Data(contentsOf: URL(filePath: argument))
      description = try JSONDecoder().decode(Description.self, from: data)
    } catch let error as DataError {
      throw error
    } catch {
      let names = Self.conventions.keys.sorted().joined(separator: ", ")
      throw DataError(
        "\(isText ? "the layer" : argument) is neither a layer in JSON nor one of \(names): "
          + "\(error.localizedDescription)")
    }
    name = isText ? (description.layer ?? .batchnorm).rawValue : argument
  }

  /// The layer for data of a shape.
  func made(for shape: [Int]) throws -> any Layer {
    let convention = try description.convention.map { name in
      guard let known = Self.conventions[name.lowercased()] else {
        throw DataError("there is no convention \(name)")
      }
      return known
    }
    if let eps = description.eps, !(eps > 0) { throw DataError("eps must be positive, got \(eps)") }
    let state = try description.state.map {
      try LayerState(
        $0, name: description.name, known: LayerState.names, option: "\"name\"")
    }
    let captured = state?.captured
    let kind = description.layer ?? captured.flatMap { LayerKind(captured: $0.kind) } ?? .batchnorm
    let momentum = description.momentum.map { Momentum.pytorch($0) } ?? convention?.momentum
    let plan = ExplainLayer(
      kind: kind, eps: description.eps ?? convention?.eps ?? captured?.options.epsilon,
      groups: description.groups ?? captured?.options.groups ?? 1,
      lastAxes: description.lastAxes ?? captured?.options.normalizedShape?.count ?? 1,
      momentum: momentum ?? captured?.options.momentum)
    try plan.check(shape)
    let layer = plan.made(for: shape)
    if let convention {
      (layer as? BatchNorm)?.runningVarianceCorrection = convention.runningVarianceCorrection
    }
    if let state, let path = description.state {
      let known = layer.stateDict().keys
      let unused = state.tensors.keys.filter { !known.contains($0) }.sorted()
      guard unused.isEmpty else {
        throw DataError(
          "\(path) has \(unused.joined(separator: ", ")), which the layer does not: "
            + "\(namesInWords(to: unused[0], among: known.sorted()))")
      }
      try layer.load(state.tensors, strict: false)
    }
    if description.training == false { layer.eval() }
    return layer
  }
}
