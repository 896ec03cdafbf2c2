import NormaTensor
import Testing

/// The text of tensors against PyTorch's, which `Tensor.description` follows except for two words:
/// it says `dtype=uint8` without `torch.`, and `shape=[2, 0]` instead of `size=(2, 0)`.
@Suite struct DescriptionTests {
  @Test func numbersWithoutAxes() {
    #expect(Tensor(3.5 as Float).description == "3.5000")
    #expect(Tensor(7).description == "7" && Tensor(true).description == "True")
    #expect(Tensor(2.0).description == "2." && Tensor(Double.nan).description == "nan")
    #expect(Tensor([5.4717e-05] as [Float]).max().description == "5.4717e-05")
    #expect("\(Tensor.ones(3).sum())" == "3.")
  }

  /// Integers, Booleans, and real numbers of similar and different magnitudes.
  @Test func numbers() {
    expect(
      Tensor([1, 2, 3]),
      """
      tensor([1, 2, 3])
      """)
    expect(
      Tensor([1, -20, 300]),
      """
      tensor([  1, -20, 300])
      """)
    expect(
      Tensor([true, false]),
      """
      tensor([ True, False])
      """)
    expect(
      Tensor([1.0, 2, 3] as [Float]),
      """
      tensor([1., 2., 3.])
      """)
    expect(
      Tensor([1.5, -2.25, 3] as [Float]),
      """
      tensor([ 1.5000, -2.2500,  3.0000])
      """)
    expect(
      Tensor([0.001, 1000] as [Float]),
      """
      tensor([1.0000e-03, 1.0000e+03])
      """)
    expect(
      Tensor([1e-5, 1] as [Float]),
      """
      tensor([1.0000e-05, 1.0000e+00])
      """)
    expect(
      Tensor([1e-5, 2e-5] as [Float]),
      """
      tensor([1.0000e-05, 2.0000e-05])
      """)
    expect(
      Tensor([1e9, 1] as [Float]),
      """
      tensor([1.0000e+09, 1.0000e+00])
      """)
    expect(
      Tensor([123456.5, 1000] as [Float]),
      """
      tensor([123456.5000,   1000.0000])
      """)
    expect(
      Tensor([.nan, 1, .infinity] as [Float]),
      """
      tensor([nan, 1., inf])
      """)
    expect(
      Tensor([.nan, 1.5, -.infinity] as [Float]),
      """
      tensor([   nan, 1.5000,   -inf])
      """)
    expect(
      Tensor([0, 0] as [Float]),
      """
      tensor([0., 0.])
      """)
    expect(
      Tensor([1.0, 2.5]),
      """
      tensor([1.0000, 2.5000], dtype=float64)
      """)
    expect(
      Tensor([1.0, 2.5], dtype: .float16),
      """
      tensor([1.0000, 2.5000], dtype=float16)
      """)
  }

  /// Other types and several axes.
  @Test func shapes() {
    expect(
      Tensor([1.0, 0.1], dtype: .bfloat16),
      """
      tensor([1.0000, 0.1001], dtype=bfloat16)
      """)
    expect(
      Tensor([1, 2] as [UInt8]),
      """
      tensor([1, 2], dtype=uint8)
      """)
    expect(
      Tensor([[1, 2], [3, 4]] as [[Float]]),
      """
      tensor([[1., 2.],
              [3., 4.]])
      """)
    expect(
      Tensor.arange(24).reshaped(2, 3, 4),
      """
      tensor([[[ 0,  1,  2,  3],
               [ 4,  5,  6,  7],
               [ 8,  9, 10, 11]],

              [[12, 13, 14, 15],
               [16, 17, 18, 19],
               [20, 21, 22, 23]]])
      """)
    expect(
      Tensor.arange(12).reshaped(2, 1, 2, 3),
      """
      tensor([[[[ 0,  1,  2],
                [ 3,  4,  5]]],


              [[[ 6,  7,  8],
                [ 9, 10, 11]]]])
      """)
    expect(
      Tensor.zeros(0),
      """
      tensor([])
      """)
    expect(
      Tensor.zeros(2, 0),
      """
      tensor([], shape=[2, 0])
      """)
    expect(
      Tensor.zeros([3, 0], dtype: .int64),
      """
      tensor([], shape=[3, 0], dtype=int64)
      """)
    expect(
      Tensor([-0.0, 1] as [Float]),
      """
      tensor([-0., 1.])
      """)
    expect(
      Tensor([[true], [false]]),
      """
      tensor([[ True],
              [False]])
      """)
    expect(
      Tensor([-1.5e-7, 2.5e10] as [Float]),
      """
      tensor([-1.5000e-07,  2.5000e+10])
      """)
    expect(
      Tensor([Int64.max, -1]),
      """
      tensor([9223372036854775807,                  -1])
      """)
    expect(
      Tensor([.nan, .infinity] as [Float]),
      """
      tensor([nan, inf])
      """)
  }

  /// Wrapped lines, and dots above a thousand elements.
  @Test func longOnes() {
    expect(
      Tensor.arange(40),
      """
      tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
              18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
              36, 37, 38, 39])
      """)
    expect(
      Tensor.arange(0.0, 30.0) / 7,
      """
      tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,
              1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,
              2.5714, 2.7143, 2.8571, 3.0000, 3.1429, 3.2857, 3.4286, 3.5714, 3.7143,
              3.8571, 4.0000, 4.1429])
      """)
    expect(
      Tensor.arange(2000),
      """
      tensor([   0,    1,    2,  ..., 1997, 1998, 1999])
      """)
    expect(
      Tensor.arange(1200).reshaped(30, 40),
      """
      tensor([[   0,    1,    2,  ...,   37,   38,   39],
              [  40,   41,   42,  ...,   77,   78,   79],
              [  80,   81,   82,  ...,  117,  118,  119],
              ...,
              [1080, 1081, 1082,  ..., 1117, 1118, 1119],
              [1120, 1121, 1122,  ..., 1157, 1158, 1159],
              [1160, 1161, 1162,  ..., 1197, 1198, 1199]])
      """)
    expect(
      (Tensor.arange(0.0, 1200.0) / 8).reshaped(2, 300, 2),
      """
      tensor([[[0.0000e+00, 1.2500e-01],
               [2.5000e-01, 3.7500e-01],
               [5.0000e-01, 6.2500e-01],
               ...,
               [7.4250e+01, 7.4375e+01],
               [7.4500e+01, 7.4625e+01],
               [7.4750e+01, 7.4875e+01]],

              [[7.5000e+01, 7.5125e+01],
               [7.5250e+01, 7.5375e+01],
               [7.5500e+01, 7.5625e+01],
               ...,
               [1.4925e+02, 1.4938e+02],
               [1.4950e+02, 1.4962e+02],
               [1.4975e+02, 1.4988e+02]]])
      """)
  }

  private func expect(
    _ tensor: Tensor, _ text: String, location: SourceLocation = #_sourceLocation
  ) {
    #expect(tensor.description == text, sourceLocation: location)
  }

  @Test func summaries() {
    let x = Tensor([1, 2, 3, .nan, .infinity, 4] as [Float])
    #expect(x.summary == "float32 [6] mean 2.5 std 1.291 range 1 ... 4 nan 1 inf 1")
    #expect(Tensor([3.0]).summary == "float64 [1] mean 3 range 3 ... 3")
    #expect(Tensor(true).summary == "bool [] mean 1 range 1 ... 1")
    #expect(Tensor([.nan, 2, .infinity]).summary == "float64 [3] mean 2 range 2 ... 2 nan 1 inf 1")
    #expect(Tensor.zeros(2, 0).summary == "float32 [2, 0] empty")
    #expect(Tensor.arange(5).summary == "int64 [5] mean 2 std 1.581 range 0 ... 4")
    #expect(Tensor([true, false, true, true]).summary.hasPrefix("bool [4] mean 0.75 std 0.5"))
  }
}
