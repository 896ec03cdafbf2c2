import NormaNN
import NormaTensor

extension Layer {
  /// Finds defects of a network's batch normalization, with the layers and channels that they
  /// affect, and what to try.
  ///
  ///     print(network.diagnosis(on: images, batches: 1000, batchSize: 32))
  ///
  /// Calls the network with the batch several times, in evaluation mode, without gradients and
  /// without changing anything. Each layer's running statistics are compared with the statistics of
  /// its input while all layers normalize with the batch, as in training, so that a wrong layer
  /// does not affect later ones. The differences that a batch shows by chance are estimated from
  /// its samples. A healthy network gets no finding.
  ///
  /// - Parameters:
  ///   - batch: Samples of the kind that the network is used on; with 32 or more, small gaps can be
  ///     told from chance.
  ///   - batches: The number of batches that the network was trained with, if known; 0 or more.
  ///     Then layers that followed fewer or more are found even if all of them did.
  ///   - batchSize: The number of samples in a training batch, if known; 1 or more.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Returns: A diagnosis that prints as text and encodes to JSON.
  /// - Cost: two calls of the network, one more for each layer that is off, and several for each
  ///   layer whose epsilon matters if the statistics after it do not fit.
  /// - PyTorch has no counterpart.
  public func diagnosis(
    on batch: Tensor, batches: Int? = nil, batchSize: Int? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Diagnosis {
    if batch.isPoisoned {
      return Diagnosis(findings: [], layers: [], samples: 0, framework: .norma)
    }
    return diagnosis(
      samples: batch.shape.first ?? 0, batches: batches, batchSize: batchSize, file: file,
      line: line
    ) { self(batch, file: file, line: line) }
  }
}

extension Module {
  /// ``NormaNN/Layer/diagnosis(on:batches:batchSize:file:line:)`` for models of any kind: `forward`
  /// calls the model, each time with the same batch of `samples` samples.
  ///
  ///     try model.diagnosis(samples: 32) { try model([images])[0] }
  ///
  /// - Throws: the first error that `forward` throws.
  public func diagnosis<Failure: Error>(
    samples: Int, batches: Int? = nil, batchSize: Int? = nil, file: StaticString = #fileID,
    line: UInt = #line, forward: () throws(Failure) -> Tensor
  ) throws(Failure) -> Diagnosis {
    for (name, value, least) in [
      ("samples", samples, 0), ("batches", batches ?? 0, 0), ("batchSize", batchSize ?? 1, 1),
    ] where value < least {
      report(
        TensorError(
          "diagnosis(\(name):)", "\(name) is \(value); it must be at least \(least)"),
        file: file, line: line)
      return Diagnosis(findings: [], layers: [], samples: 0, framework: .norma)
    }
    var failure: Failure?
    func call() -> Tensor {
      if failure != nil { return .poisoned }
      do {
        return try forward()
      } catch {
        failure = error
        return .poisoned
      }
    }
    let diagnosis = withoutActuallyEscaping(call) { call in
      let probe = NetworkProbe(self, call)
      let facts = CaptureFacts(batches: batches, batchSize: batchSize)
      return Diagnosis(probe.capture(samples: samples, facts: facts), prober: probe)
    }
    if let failure { throw failure }
    return diagnosis
  }
}

extension NetworkCapture {
  /// Finds defects of the captured network's normalization, for any framework.
  ///
  ///     print(try NetworkCapture(contentsOf: "mine.safetensors").diagnosis())
  ///
  /// - Parameter training: A capture of the same network with training data, which shows whether
  ///   the data or the running statistics differ.
  /// - Returns: A diagnosis that prints as text and encodes to JSON.
  public func diagnosis(training: NetworkCapture? = nil) -> Diagnosis {
    Diagnosis(self, prober: WrittenProbes(capture: self), training: training)
  }
}

extension Diagnosis {
  fileprivate init(
    _ capture: NetworkCapture, prober: any CaptureProber, training: NetworkCapture? = nil
  ) {
    let search = DefectSearch(capture, prober: prober, training: training)
    self.init(
      findings: search.findings(), layers: search.diagnoses(), samples: capture.samples,
      formulas: capture.layers.compactMap { FormulaCheck($0)?.diagnosis },
      effect: search.wholeEffect, framework: capture.language)
  }
}
