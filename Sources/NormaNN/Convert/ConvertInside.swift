import NormaTensor

/// Converts the channel norms of any network, wherever it holds them.
///
///     let report = convertNorms(inside: network, to: .group(8))
///
/// Conversions are those of ``convertNorms(in:to:)``. Properties keep their layers, and each layer
/// forwards its calls to a new one, which also replaces it in ``Module/children``: parameters,
/// state and modes are those of the new layer, names do not change. So create the optimizer after
/// the conversion.
///
/// - Parameters:
///   - model: The network, which is changed. Norms inside a norm are converted with it.
///   - kind: The kind to convert to.
/// - Returns: What was done.
@discardableResult
public func convertNorms(inside model: Module, to kind: NormKind) -> NormConversionReport {
  converting(inside: model) { numbers throws(TensorError) in try numbers.layer(of: kind) }
}

/// Makes every plain batch norm layer of a network one over the batches of all processes, in place.
package func convertToSyncBatchNorm(
  inside model: Module, exchange: any StatisticsExchange
) -> NormConversionReport {
  converting(inside: model) { $0.synchronized(by: exchange) }
}

private func converting(
  inside model: Module, _ make: (NormNumbers) throws(TensorError) -> (any Layer)?
) -> NormConversionReport {
  var report = NormConversionReport()
  var seen: Set<ObjectIdentifier> = []
  converting(inside: model, below: [], name: "", make, &seen, &report)
  return report
}

private func converting(
  inside model: Module, below path: [Module], name: String,
  _ make: (NormNumbers) throws(TensorError) -> (any Layer)?,
  _ seen: inout Set<ObjectIdentifier>, _ report: inout NormConversionReport
) {
  let path = path + [model]
  for (own, child) in model.children(below: path) {
    let place = name.isEmpty ? own : "\(name).\(own)"
    guard let layer = child as? any Layer, let numbers = NormNumbers(layer) else {
      converting(inside: child, below: path, name: place, make, &seen, &report)
      continue
    }
    guard seen.insert(ObjectIdentifier(layer)).inserted else { continue }
    do throws(TensorError) {
      guard let new = try make(numbers) else { continue }
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
