import NormaTensor

/// Makes a recorded call with Norma and returns its results.
typealias CaseOperation = @Sendable (CaseArguments) throws -> [Tensor]

/// Norma's operations by the names in the cases: one table for each family.
let operations: [String: CaseOperation] = [
  elementwiseOperations, elementwiseFunctionOperations,
  reductionOperations, viewOperations, factoryOperations,
  productOperations, normalizationOperations, layerNormOperations, groupedNormOperations,
  convolutionOperations, poolingOperations, activationOperations, lossOperations,
  indexingOperations, tableOperations, lengthOperations,
  linearOperations, moreLossOperations,
  creationOperations, shapeOperations, placeOperations,
  runningOperations, statisticOperations, sortingOperations,
].reduce(into: [:]) { all, family in
  all.merge(family) { first, _ in first }
}

/// A module created by a case.
struct CaseModule {
  /// Calls it.
  let call: (CaseArguments) throws -> [Tensor]
  /// Sets the parameter or buffer with a name in a PyTorch state dictionary.
  let load: (String, Tensor) throws -> Void
  /// All parameters and buffers by those names.
  let state: () -> StateDict
  /// The gradient of the parameter with a name, after a backward pass.
  let gradient: (String) -> Tensor?
  /// Switches between training and evaluation.
  let setTraining: (Bool) -> Void
}

/// Norma's modules: from the constructor's arguments to the module.
let modules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  normalizationModules, layerNormModules, groupedNormModules, convolutionModules,
  poolingModules, activationModules, lossModules, tableModules,
  lengthModules,
  moreLossModules,
  recurrentModules, transformerModules,
].reduce(into: [:]) { all, family in all.merge(family) { first, _ in first } }
