import Foundation
import Norma

/// One side of a comparison: the convention of a framework, or a layer described by JSON.
struct ComparedLayer {
  /// What to call it.
  let name: String
  private let description: Description

  /// A layer's options; what is left out is PyTorch's.
  private struct Description: Decodable {
    var layer = LayerKind.batchnorm
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
        throw DataError("name picks a layer of a state; there is no state")
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
        "\(isText ? "the layer" : argument) is no layer in JSON, and none of \(names): "
          + "\(error.localizedDescription)")
    }
    name = isText ? description.layer.rawValue : argument
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
    let momentum = description.momentum.map { Momentum.pytorch($0) }
    let plan = ExplainLayer(
      kind: description.layer, eps: description.eps ?? convention?.eps,
      groups: description.groups ?? 1, lastAxes: description.lastAxes ?? 1,
      momentum: momentum ?? convention?.momentum)
    try plan.check(shape)
    let layer = plan.made(for: shape)
    if let convention {
      (layer as? BatchNorm)?.runningVarianceCorrection = convention.runningVarianceCorrection
    }
    if let state = description.state {
      try Self.load(SafeTensors(contentsOf: state), named: description.name, into: layer, of: state)
    }
    if description.training == false { layer.eval() }
    return layer
  }

  /// Gives a layer its part of a file; what the file has for it and the layer cannot use is an error, and
  /// so is a file that has nothing for it.
  private static func load(
    _ file: SafeTensors, named name: String?, into layer: any Layer, of path: String
  ) throws {
    let prefix = name.map { $0 + "." } ?? ""
    let entries = file.entries.map(\.name).filter { $0.hasPrefix(prefix) }
    let known = Set(layer.stateDict().keys)
    let unused = entries.filter { !known.contains(String($0.dropFirst(prefix.count))) }
    if unused.isEmpty && !entries.isEmpty {
      var state: [String: Tensor] = [:]
      for entry in entries {
        state[String(entry.dropFirst(prefix.count))] = try file.tensor(named: entry)
      }
      try layer.load(state, strict: false)
      return
    }
    let names = known.sorted().joined(separator: ", ")
    let layers = Set(
      file.entries.compactMap { entry in
        entry.name.lastIndex(of: ".").flatMap { dot in
          known.contains(String(entry.name[dot...].dropFirst())) ? String(entry.name[..<dot]) : nil
        }
      }
    ).sorted()
    let problem =
      entries.isEmpty
      ? "\(path) has nothing \(name.map { "named \($0)" } ?? "in it")"
      : "\(path) has \(listed(unused)), which the layer does not: it has \(names)"
    throw DataError(
      layers.isEmpty
        ? problem : "\(problem); \"name\" picks a layer of the file: \(listed(layers))")
  }

  private static func listed(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
  }
}
