import NormaKernels
import NormaTensor

/// Compares what a captured layer made of a few samples with its formula.
struct FormulaCheck {
  let diagnosis: FormulaDiagnosis
  let finding: DefectFinding?

  init?(_ layer: CapturedLayer) {
    return nil
  }
}
