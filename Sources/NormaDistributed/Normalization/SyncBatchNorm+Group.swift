import NormaNN
import NormaTensor

extension ProcessGroup: StatisticsExchange {
  package func gathered(
    _ numbers: [Double], call: String
  ) throws(TensorError) -> [[Double]] {
    do throws(ProcessGroupError) {
      return try run(.allGather, Tensor(numbers), call).map { $0.array(of: Double.self) }
    } catch {
      throw error.asTensorError
    }
  }

  package func summed(_ numbers: [Double], call: String) throws(TensorError) -> [Double] {
    do throws(ProcessGroupError) {
      return try run(.allReduce(.sum), Tensor(numbers), call)[0].array(of: Double.self)
    } catch {
      throw error.asTensorError
    }
  }
}

extension SyncBatchNorm {
  /// A layer for `features` channels over the batches of all processes of `group`; the other
  /// options are those of ``BatchNorm``.
  /// PyTorch: `nn.SyncBatchNorm(features, process_group=group)`.
  public convenience init(
    _ features: Int, over group: ProcessGroup, eps: Double = 1e-5, momentum: Momentum = 0.1,
    affine: Bool = true, bias: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      features, eps: eps, momentum: momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, exchange: group, file: file, line: line)
  }

  /// Makes every batch norm layer of a network one over the batches of all processes, in place.
  ///
  /// Parameters, running statistics and settings are kept, and names do not change; each layer
  /// forwards its calls to the new one. Create the optimizer and `DistributedDataParallel`
  /// afterwards. `convertNorms(inside: model, to: .batch)` is the way back.
  /// - Returns: what was done.
  /// - PyTorch: `SyncBatchNorm.convert_sync_batchnorm(model, group)`.
  @discardableResult
  public static func convert(
    inside model: Module, over group: ProcessGroup
  ) -> NormConversionReport {
    convertToSyncBatchNorm(inside: model, exchange: group)
  }
}
