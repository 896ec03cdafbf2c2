import NormaTensor

/// Makes a recorded call with Norma and returns what it gives.
typealias CaseOperation = @Sendable (CaseArguments) throws -> [Tensor]

/// The operations that Norma has, by the names of the cases: one table for each family.
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

/// A module that a case made.
struct CaseModule {
  /// Calls it.
  let call: (CaseArguments) throws -> [Tensor]
  /// Sets the parameter or buffer of a name in a PyTorch state dictionary.
  let load: (String, Tensor) throws -> Void
  /// All parameters and buffers by those names.
  let state: () -> StateDict
  /// The gradient of the parameter of a name, after a backward pass.
  let gradient: (String) -> Tensor?
  /// Chooses between training and evaluation.
  let setTraining: (Bool) -> Void
}

/// The modules that Norma has: from the arguments of the constructor to the module.
let modules: [String: @Sendable (CaseArguments) throws -> CaseModule] = [
  normalizationModules, layerNormModules, groupedNormModules, convolutionModules,
  poolingModules, activationModules, lossModules, tableModules,
  lengthModules,
  moreLossModules,
].reduce(into: [:]) { all, family in all.merge(family) { first, _ in first } }
