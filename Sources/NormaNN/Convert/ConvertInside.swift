import NormaTensor

/// Converts the norms over channels of any network, wherever it holds them.
///
///     let report = convertNorms(inside: network, to: .group(8))
///
/// What is converted to what is said at ``convertNorms(in:to:)``. Properties keep the layers that they
/// had, and each lets a new one take its calls and its place in ``Module/children``: parameters, state
/// and modes are the new layer's, names stay. So make an optimizer after the conversion.
///
/// - Parameters:
///   - model: The network, which changes. Norms inside of a norm go along with it.
///   - kind: What its norms are to be.
/// - Returns: What was done.
@discardableResult
public func convertNorms(inside model: Module, to kind: NormKind) -> NormConversionReport {
  var report = NormConversionReport()
  var seen: Set<ObjectIdentifier> = []
  converting(inside: model, below: [], name: "", kind, &seen, &report)
  return report
}

private func converting(
  inside model: Module, below path: [Module], name: String, _ kind: NormKind,
  _ seen: inout Set<ObjectIdentifier>, _ report: inout NormConversionReport
) {
  let path = path + [model]
  for (own, child) in model.children(below: path) {
    let place = name.isEmpty ? own : "\(name).\(own)"
    guard let layer = child as? any Layer, let numbers = NormNumbers(layer) else {
      converting(inside: child, below: path, name: place, kind, &seen, &report)
      continue
    }
    guard seen.insert(ObjectIdentifier(layer)).inserted else { continue }
    do throws(TensorError) {
      guard let new = try numbers.layer(of: kind) else { continue }
      new.setOwnMode(layer.isTraining)
      layer.standIn = new
      seen.insert(ObjectIdentifier(new))
      report.conversions.append(
        .init(
          name: place, from: "\(type(of: layer))", to: "\(type(of: new))",
          isExactInEvaluation: numbers.isGroup == (new is GroupNorm)))
    } catch {
      report.rest.append(.init(norm: place, reason: error.reason))
    }
  }
}
