import Foundation
import Norma
import Testing

/// Client code that imports Norma: names of the standard library and of the client, and variables
/// where examples have literals.
@Suite struct InterfaceTests {
  @Test func namesOfTheStandardLibrary() {
    let numbers = [1, 2, 3, 4]
    let slice: Slice<[Int]> = Slice(base: numbers, bounds: 1..<3)
    #expect(Array(slice) == [2, 3] && max(1, 2) == 2 && min(1.5, 2) == 1.5 && abs(-3) == 3)
    let range: Range<Int> = 0..<2
    #expect(zip(range, numbers).map { $0 + $1 } == [1, 3])
  }

  /// Functions of the client with everyday names, beside Norma's of the same.
  @Test func namesOfTheClient() {
    func distance(_ a: Double, _ b: Double) -> Double { abs(a - b) }
    func gradient(_ values: [Double]) -> [Double] { zip(values.dropFirst(), values).map(-) }
    #expect(distance(1, 3) == 2 && gradient([1, 4, 9]) == [3, 5])
    #expect(compare(1, 2) == -1 && fold([1, 2]) == 3 && embedding("a") == 97)
    let x = Tensor([3.0, 0])
    #expect(Tensor.distance(x, Tensor([0.0, 4])).item() == 5)
    #expect(Tensor.gradient(of: { $0.squared().sum() }, at: x).array() == [6, 0])
  }

  @Test func itemByContext() {
    let scores = Tensor([0.25, 0.5, 0.125])
    let names = ["a", "b", "c"]
    let best: Int = scores.argmax().item()
    let largest: Float = scores.max().item()
    var tokens: [Int] = []
    tokens.append(scores.argmax().item())
    #expect(best == 1 && largest == 0.5 && tokens == [1])
    #expect(names[scores.argmax().item()] == "b")
    // Without a context it is a Double.
    let sum = scores.sum().item()
    #expect(sum + 1.5 == 2.375)
  }

  @Test func variablesInPlaceOfLiterals() {
    let (share, single, order, whole) = (0.25, Float(0.25), 1.0, 1)
    for norm in [BatchNorm2d(3, momentum: share), BatchNorm2d(3, momentum: single)] {
      #expect(norm.momentum == 0.25)
    }
    #expect(BatchNorm1d(momentum: share).momentum.share == 0.25)
    #expect(InstanceNorm2d(3, momentum: share, trackRunningStats: true).momentum == 0.25)
    #expect(InstanceNorm1d(momentum: share).momentum == 0.25)
    #expect(GhostBatchNorm(3, partSize: 2, momentum: share).momentum == 0.25)
    #expect(SplitBatchNorm2d(3, momentum: share).auxBn[0].momentum == 0.25)
    #expect(ConditionalBatchNorm2d(3, classes: 2, momentum: share).bn.momentum == 0.25)
    #expect(EvoNorm2dB0(3, momentum: share).momentum == 0.25)
    // Literals keep their meaning.
    #expect(BatchNorm2d(3, momentum: 0.1).momentum == BatchNorm2d(3).momentum)
    #expect(BatchNorm2d(3, momentum: 1).momentum.share == 1)
    #expect(BatchNorm2d(3, momentum: nil).momentum == .cumulative)
    #expect(BatchNorm2d(3, momentum: .decay(0.75)).momentum == 0.25)

    let matrix = Tensor([[1.0, -2], [3, 4]])
    #expect(matrix.matrixNorm(order).item() == 6 && matrix.matrixNorm(whole).item() == 6)
    #expect(matrix.matrixNorm(1).item() == 6 && matrix.matrixNorm(.infinity).item() == 7)
    #expect(matrix.matrixNorm(Double.infinity).item() == 7)
    #expect(matrix.matrixNorm().item() == matrix.matrixNorm(.frobenius).item())

    let (kernel, stride) = (3, 2)
    let y = conv2d(
      Tensor.ones(1, 1, 9, 9), weight: .ones(1, 1, kernel, kernel), stride: stride,
      padding: kernel / 2)
    #expect(y.shape == [1, 1, 5, 5])
    let wide: Int64 = 5
    #expect((Tensor([1, 2]) + wide).array(of: Int.self) == [6, 7])
    #expect(Tensor.full([2], wide).dtype == .int64)
  }

  @Test func assignedVariables() {
    let (real, single, whole, truth) = (0.5, Float(1.5), 7, true)
    var x = Tensor.zeros(5)
    x[0] = real
    x[1] = single
    x[2] = whole
    x[3] = Tensor(2.5)
    x[4] = -1
    #expect(x.array(of: Float.self) == [0.5, 1.5, 7, 2.5, -1])
    x[x .< 1] = 0.25
    x[...] += 1
    #expect(x.array(of: Float.self) == [1.25, 2.5, 8, 3.5, 1.25])
    var mask = Tensor([false, false])
    mask[1] = truth
    mask[0] = false
    #expect(mask.array(of: Bool.self) == [false, true])
    var rows = Tensor.zeros(2, 3)
    rows[..., 0] = real
    rows[0..., 1...] = -Double.infinity
    #expect(rows[1].array(of: Double.self) == [0.5, -.infinity, -.infinity])
    var small = Tensor([1, 2] as [Int8])
    let large = 300
    #expect(throws: TensorError.self) { try catchingTensorErrors { small[0] = large } }
  }

  /// A loop over a loader can await inside, and ends where it is left.
  @Test func loopsOverLoadersWait() async throws {
    let data = TensorDataset(Tensor.arange(6).reshaped(6, 1))
    var sums: [Double] = []
    for batch in DataLoader(data, batchSize: 2) {
      await Task.yield()
      sums.append(batch[0].sum().item())
      if sums.count == 2 { break }
    }
    #expect(sums == [1, 5])
  }

  @Test func filesLoadInOneCall() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "load-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (from, to) = (Linear(2, 3), Linear(2, 3))
    try SafeTensors.write(from.stateDict(), to: folder + "/x.safetensors")
    try NPZ.write(from.stateDict().map { ("model.\($0.key)", $0.value) }, to: folder + "/x.npz")
    try Checkpoint(model: from.stateDict()).write(to: folder + "/run.safetensors")
    for (name, prefix) in [
      ("x.safetensors", ""), ("x.npz", "model."), ("run.safetensors", ""),
    ] {
      to.weight.value = .zeros(3, 2)
      try to.load(contentsOf: "\(folder)/\(name)", strippingPrefix: prefix)
      #expect(to.weight.value.isEqual(to: from.weight.value), "\(name)")
    }
    #expect(throws: LoadError.self) { try to.load(contentsOf: folder + "/x.npz") }
    let file = try SafeTensors(contentsOf: folder + "/x.safetensors")
    #expect(try file["weight"].isEqual(to: from.weight.value))
    #expect(throws: FileError.self) { try file["wieght"] }
  }

  /// Element types, moments and random numbers come with the import.
  @Test func namesOfKernels() {
    let dtype: DType = .float16
    let moments: Moments = Tensor([1.0, 3]).moments()
    var generator = Generator(seed: 1)
    #expect(dtype.byteCount == 2 && moments.mean == [2])
    #expect(withGenerator(&generator) { Tensor.rand(2) }.shape == [2])
  }
}

private func compare(_ a: Int, _ b: Int) -> Int { a < b ? -1 : a > b ? 1 : 0 }
private func fold(_ values: [Int]) -> Int { values.reduce(0, +) }
private func embedding(_ name: String) -> Int { name.utf8.first.map(Int.init) ?? 0 }
