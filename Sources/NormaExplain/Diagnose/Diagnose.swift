import NormaNN
import NormaTensor

extension Layer {
  /// What is wrong with the batch normalization of a network, which layers and channels it concerns,
  /// and what to try.
  ///
  ///     print(network.diagnosis(on: images, batches: 1000, batchSize: 32))
  ///
  /// The network is called with the batch several times, in evaluation mode, without gradients and
  /// without changing anything. Each layer's running statistics are compared with the statistics that
  /// its input has when all layers normalize with the batch, as in training; so a wrong layer does not
  /// spoil the view of the next. What a batch shows by chance is estimated from how much its samples
  /// differ. A healthy network gets no finding.
  ///
  /// - Parameters:
  ///   - batch: Samples of the kind that the network is used on; 32 or more tell small gaps from
  ///     chance.
  ///   - batches: How many batches the network was trained with, if it is known; 0 or more. Layers that
  ///     followed fewer or more are then found even where all of them did.
  ///   - batchSize: The number of samples in a batch of training, if it is known; 1 or more.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Returns: A value that prints in words and encodes to JSON.
  /// - Cost: two calls of the network, one more for each layer that is off, and some for each layer
  ///   whose epsilon matters where the statistics behind it do not fit.
  /// - PyTorch has no such call.
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
  /// ``NormaNN/Layer/diagnosis(on:batches:batchSize:file:line:)`` for models of any kind: `forward` calls the
  /// model with the same batch of `samples` every time.
  public func diagnosis(
    samples: Int, batches: Int? = nil, batchSize: Int? = nil, file: StaticString = #fileID,
    line: UInt = #line, forward: () -> Tensor
  ) -> Diagnosis {
    for (name, value, least) in [
      ("samples", samples, 0), ("batches", batches ?? 0, 0), ("batchSize", batchSize ?? 1, 1),
    ] where value < least {
      report(
        TensorError(
          "diagnosis(\(name):)", "\(name) is \(value); it has to be \(least) or more"),
        file: file, line: line)
      return Diagnosis(findings: [], layers: [], samples: 0, framework: .norma)
    }
    return withoutActuallyEscaping(forward) { forward in
      let probe = NetworkProbe(self, forward)
      let facts = CaptureFacts(batches: batches, batchSize: batchSize)
      return Diagnosis(probe.capture(samples: samples, facts: facts), prober: probe)
    }
  }
}

extension NetworkCapture {
  /// What is wrong with the normalization of the captured network, which may be of any framework.
  ///
  ///     print(try NetworkCapture(contentsOf: "mine.safetensors").diagnosis())
  ///
  /// - Parameter training: A capture of the same network with data of training, which tells whether the
  ///   data are others or the running statistics are.
  /// - Returns: A value that prints in words and encodes to JSON.
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
