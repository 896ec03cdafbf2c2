import NormaTensor
import Testing

/// Indexing by every integer type, and gathering and scattering of every integer type.
@Suite struct IntegerIndexTests {
  @Test(arguments: DType.integers) func positions(dtype: DType) {
    let x = Tensor.arange(12).reshaped(4, 3)
    let positions = Tensor([3, 0, 2, 0]).cast(to: dtype)
    let wanted = [9, 10, 11, 0, 1, 2, 6, 7, 8, 0, 1, 2]
    #expect(x.indexSelected(positions, over: 0).array(of: Int.self) == wanted)
    if dtype == .uint8 {
      // PyTorch takes bytes for a mask.
      #expect(throws: TensorError.self) { try catchingTensorErrors { x[positions] } }
    } else {
      #expect(x[positions].array(of: Int.self) == wanted)
      #expect(x[positions[0], positions .& 1].array(of: Int.self) == [10, 9, 9, 9])
      var y = x
      y[Tensor([1]).cast(to: dtype)] = Tensor([7, 7, 7])
      #expect(y.array(of: Int.self) == [0, 1, 2, 7, 7, 7, 6, 7, 8, 9, 10, 11])
    }
    let along = Tensor([[2, 0], [1, 1], [0, 2], [2, 2]]).cast(to: dtype)
    #expect(x.gathered(along, over: 1).array(of: Int.self) == [2, 0, 4, 4, 6, 8, 11, 11])
    #expect(x.takenAlong(along, over: 1).array(of: Int.self) == [2, 0, 4, 4, 6, 8, 11, 11])
    let scattered = Tensor.zeros([4, 3], dtype: .int64).scattered(along, x[0..., 0..<2], over: 1)
    #expect(scattered.array(of: Int.self) == [1, 0, 0, 0, 4, 0, 6, 0, 7, 0, 0, 10])
    #expect(
      Tensor([1, 2]).repeatedInterleaved(Tensor([2, 1]).cast(to: dtype)).array(of: Int.self)
        == [1, 1, 2])
    #expect(x.narrowed(over: 0, from: Tensor(1).cast(to: dtype), count: 1)[0, 0].item() == 3)
    if dtype.isSigned {
      #expect(x[Tensor([-1]).cast(to: dtype)].array(of: Int.self) == [9, 10, 11])
    }
    func outside<T: Whole>(_ type: T.Type) {
      for number in [T.max, T.min] where number != 0 {
        let wrong = Tensor([number])
        #expect(throws: TensorError.self, "\(number)") {
          try catchingTensorErrors { x.indexSelected(wrong, over: 0) }
        }
        if dtype != .uint8 {
          #expect(throws: TensorError.self) { try catchingTensorErrors { x[wrong] } }
          #expect(throws: TensorError.self) { try catchingTensorErrors { x[wrong[0]] } }
        }
        #expect(throws: TensorError.self) { try catchingTensorErrors { wrong.oneHot(classes: 3) } }
        #expect(throws: TensorError.self) {
          try catchingTensorErrors { x.narrowed(over: 0, from: wrong[0], count: 1) }
        }
      }
    }
    outside(dtype.whole)
  }

  @Test(arguments: DType.integers) func scatteredReductions(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let start: [T] = [1, T.max, T.min]
      let part: [T] = [T.max, 2, T.max / 2, 3, T.min, T.max]
      let indices = [0, 0, 1, 2, 2, 2]
      let (x, index, source) = (Tensor(start), Tensor(indices), Tensor(part))
      func result(_ reduction: ScatterReduction, _ includesSelf: Bool = true) -> [T] {
        let y = x.scattered(
          index, source, over: 0, reducing: reduction, includingSelf: includesSelf)
        #expect(y.dtype == dtype)
        return y.array(of: T.self)
      }
      func expected(_ combine: (T, T) -> T) -> [T] {
        start.indices.map { place in
          zip(indices, part).filter { $0.0 == place }.map(\.1).reduce(start[place], combine)
        }
      }
      #expect(result(.sum) == expected { $0 &+ $1 })
      #expect(result(.product) == expected { $0 &* $1 })
      #expect(result(.min) == expected(min))
      #expect(result(.max) == expected(max))
      #expect(result(.max, false) == [T.max, T.max / 2, T.max])
      #expect(result(.min, false) == [2, T.max / 2, T.min])
      #expect(x.scatteredAdding(index, source, over: 0).array(of: T.self) == expected { $0 &+ $1 })
      #expect(x.indexAdded(index, source, over: 0).array(of: T.self) == expected { $0 &+ $1 })
      let means = Tensor([0, T.max / 4 * 4] as [T])
        .scattered(Tensor([0, 0, 1]), Tensor([4, 5, T.max / 4 * 4]), over: 0, reducing: .mean)
      if T.bitWidth < 64 { #expect(means.array(of: T.self) == [3, T.max / 4 * 4]) }
      #expect(x.filled(where: x .> 1, with: 5).array(of: T.self) == start.map { $0 > 1 ? 5 : $0 })
      #expect(x[x .!= 1].array(of: T.self) == [T.max, T.min].filter { $0 != 1 })
      #expect(source.nonzero().shape[0] == part.count { $0 != 0 })
      #expect(
        x.indexFilled(Tensor([1]), over: 0, with: T.max - 1).array(of: T.self)[1] == T.max - 1)
      var y = x
      y[0] = 100
      #expect(y.array(of: T.self) == [100, T.max, T.min])
    }
    check(dtype.whole)
  }

  @Test(arguments: DType.integers) func isMade(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      #expect(Tensor.zeros(3, dtype: dtype).array(of: T.self) == [0, 0, 0])
      #expect(Tensor.full([2], T.max, dtype: dtype).array(of: T.self) == [.max, .max])
      #expect(Tensor.full([2], T.min, dtype: dtype).array(of: T.self) == [.min, .min])
      #expect(Tensor.arange(4, dtype: dtype).array(of: T.self) == [0, 1, 2, 3])
      #expect(Tensor.eye(2, dtype: dtype).array(of: T.self) == [1, 0, 0, 1])
      let drawn = withSeed(3) {
        Tensor.randint(
          [4000], low: Int(clamping: T.min), high: Int(clamping: T.max), dtype: dtype)
      }.array(of: T.self)
      let whole = withSeed(3) { Tensor.randint([4000], in: T.min...T.max) }
      #expect(whole.dtype == dtype)
      let middle = whole.cast(to: .float64).mean().item() / (Double(T.max) - Double(T.min))
      #expect(abs(middle - (T.isSigned ? 0 : 0.5)) < 0.02, "\(dtype): \(middle)")
      #expect(
        withSeed(7) { Tensor.randint([9], in: 2...(5 as T)) }.array(of: Int.self)
          == withSeed(7) { Tensor.randint([9], low: 2, high: 6) }.array(of: Int.self))
      let width = Double(T.max) - Double(T.min)
      let mean = drawn.reduce(0) { $0 + (Double($1) - Double(T.min)) / width } / 4000
      // Half of the range of uint64 exceeds the bounds that are given as Int.
      #expect(abs(mean - (dtype == .uint64 ? 0.25 : 0.5)) < 0.02, "\(dtype): \(mean)")
      // torch.manual_seed(0); torch.randint(0, 100, (6,), dtype=...)
      let same = withSeed(0) { Tensor.randint([6], low: 0, high: 100, dtype: dtype) }
      #expect(same.array(of: Int.self) == [44, 39, 33, 60, 63, 79])
      #expect(
        withSeed(5) { Tensor.randperm(100, dtype: dtype) }.array(of: Int.self)
          == withSeed(5) { Tensor.randperm(100) }.array(of: Int.self))
      #expect(
        withSeed(6) { Tensor.bernoulli([60], p: 0.4, dtype: dtype) }.array(of: Int.self)
          == withSeed(6) { Tensor.bernoulli([60], p: 0.4) }.array(of: Int.self))
    }
    check(dtype.whole)
    if dtype.byteCount < 8 {
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { Tensor.randint([2], low: 0, high: 1 << 40, dtype: dtype) }
      }
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { Tensor.rand(2, dtype: dtype) } }
  }
}
