import NormaNN
import NormaTensor

/// Recomputes the running statistics of all batch norm layers from the data of all processes, as if
/// one had seen them.
///
/// Each process passes its own batches, at least one. Layers normalize with the batches of their
/// own process, as in ``NormaNN/recalibrate(_:over:rule:order:progress:forward:)``; the moments of
/// all values of all processes are merged, so that the new statistics are the same everywhere.
/// - Parameters:
///   - model: the network, with the same weights in all processes.
///   - data: this process's batches.
///   - group: the processes.
///   - order: all layers in one pass, or one after the other.
///   - progress: called after every batch of this process.
/// - Returns: the layers in call order, with the change of each.
/// - Throws: ``ProcessGroupError``, and whatever `data` or `progress` throw; running statistics are
///   then restored.
@discardableResult
public func recalibrate<Model: Layer, Data: Sequence>(
  _ model: Model, over data: Data, of group: ProcessGroup, order: RecalibrationOrder = .together,
  progress: ((RecalibrationProgress) throws -> Void)? = nil
) throws -> [RecalibratedLayer] where Data.Element == Tensor {
  try recalibrate(
    model, over: data, order: order, progress: progress,
    pool: { batches, moments in
      (
        try group.allReduce(Tensor(Int64(batches))).item(as: Int.self), try group.merged(moments)
      )
    },
    forward: { $0($1).evaluated() })
}
