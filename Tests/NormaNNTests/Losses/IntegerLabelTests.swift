import NormaNN
import NormaTensor
import Testing

/// Classes and rows of tables in every integer type.
@Suite struct IntegerLabelTests {
  @Test(arguments: DType.allCases.filter(\.isInteger)) func classesAndRows(dtype: DType) {
    let x = withSeed(1) { Tensor.randn(4, 5) }
    let classes = Tensor([3, 0, 4, 1])
    let labels = classes.cast(to: dtype)
    func same(_ function: (Tensor) -> Tensor) -> Bool {
      function(labels).isEqual(to: function(classes))
    }
    #expect(same { crossEntropy(x, $0) })
    #expect(same { crossEntropy(x, $0, ignoreIndex: 3, labelSmoothing: 0.1) })
    #expect(same { nllLoss(x.logSoftmax(over: 1), $0, reduction: .none) })
    #expect(same { multiMarginLoss(x, $0) })
    #expect(same { Tensor.embedding($0, weight: x.transposed()) })
    #expect(same { ctcLoss(x.unsqueezed(1).logSoftmax(over: 2), $0[0..<1].unsqueezed(0)) })
    var accuracy = (Accuracy(), Accuracy())
    accuracy.0.update(x, labels)
    accuracy.1.update(x, classes)
    #expect(accuracy.0.value == accuracy.1.value && accuracy.0.count == 4)
    for wrong in [labels + 2, labels * 25] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { crossEntropy(x, wrong) } }
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { Tensor.embedding(wrong, weight: x.transposed()) }
      }
    }
  }

  @Test func classesBeyondInt64() {
    let x = Tensor.ones(2, 5)
    let wrong = Tensor([0, UInt64.max])
    #expect(throws: TensorError.self) { try catchingTensorErrors { crossEntropy(x, wrong) } }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { Tensor.embedding(wrong, weight: x) }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors {
        Tensor.ones(2, 3, 2).indexSelected(wrong, over: 0)
      }
    }
  }
}
