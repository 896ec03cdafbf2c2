import NormaReference
import NormaTensor
import Testing

/// Gathering and scattering along an axis against plain loops, for every type and layout.
@Suite struct AxisIndexingTests {
  static let arrangements: [Arrangement] = [
    .contiguous, .channelsLast, .reversed, .stepped, .pending,
  ]

  /// Row-major strides.
  static func strides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }

  @Test(arguments: DType.allCases) func wholeSlices(type: DType) {
    var random = TestRandom()
    for arrangement in Self.arrangements {
      for shape in [[5, 3, 4], [4], [3, 1], [2, 3, 2, 5]] {
        for axis in shape.indices {
          let x = Sample(shape, type, arrangement, random: &random)
          let size = shape[axis]
          let places = (0..<6).map { _ in Int(random.next() % UInt64(size)) }
          var part = shape
          part[axis] = 6
          let y = Sample(part, type, arrangement, random: &random)
          let indices = Tensor(places, dtype: .int32)
          let (strides, partStrides) = (Self.strides(shape), Self.strides(part))
          var (picked, added, copied) = (y.values, x.values, x.values)
          var filled = x.values
          for (number, index) in indexLists(of: part).enumerated() {
            var target = index
            target[axis] = places[index[axis]]
            let place = zip(target, strides).reduce(0) { $0 + $1.0 * $1.1 }
            let own = zip(index, partStrides).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(own == number)
            picked[number] = x.values[place]
            added[place] += y.values[number]
            copied[place] = y.values[number]
            filled[place] = 1
          }
          #expect(x.tensor.indexSelected(indices, over: axis).array() == picked)
          #expect(x.tensor.indexCopied(indices, y.tensor, over: axis).array() == copied)
          #expect(x.tensor.indexFilled(indices - size, over: axis, with: 1).array() == filled)
          let sum = x.tensor.indexAdded(indices, y.tensor, over: axis)
          #expect(sum.dtype == type && sum.array() == added.map(type.rounded), "seed \(random)")
        }
      }
    }
  }

  @Test(arguments: DType.allCases) func everyElement(type: DType) {
    var random = TestRandom()
    for arrangement in Self.arrangements {
      for (shape, given) in [
        ([5, 3, 4], [5, 3, 4]), ([3, 4], [2, 7]), ([6, 2], [9, 2]), ([7], [3]),
      ] {
        for axis in shape.indices
        where shape.indices.allSatisfy({ $0 == axis || given[$0] <= shape[$0] }) {
          let x = Sample(shape, type, arrangement, random: &random)
          let y = Sample(given, type, arrangement, random: &random)
          let places = (0..<given.reduce(1, *)).map { _ in
            Int(random.next() % UInt64(shape[axis]))
          }
          let indices = Tensor(places, shape: given)
          let strides = Self.strides(shape)
          var (picked, put, added) = (y.values, x.values, x.values)
          for (number, index) in indexLists(of: given).enumerated() {
            var target = index
            target[axis] = places[number]
            let place = zip(target, strides).reduce(0) { $0 + $1.0 * $1.1 }
            picked[number] = x.values[place]
            put[place] = y.values[number]
            added[place] += y.values[number]
          }
          #expect(x.tensor.gathered(indices, over: axis).array() == picked)
          #expect(x.tensor.scattered(indices, y.tensor, over: axis).array() == put)
          let sum = x.tensor.scatteredAdding(indices, y.tensor, over: axis)
          #expect(sum.array() == added.map(type.rounded))
          if given == shape {
            let turned = indices - (indices .> 1).cast(to: .int64) * shape[axis]
            #expect(x.tensor.takenAlong(turned, over: axis).array() == picked)
          }
        }
      }
    }
  }

  /// The definition of a reduction of the elements with the same index.
  static func reduce(_ values: [Double], _ reduction: ScatterReduction, _ isReal: Bool) -> Double {
    switch reduction {
    case .sum: values.reduce(0, +)
    case .product: values.reduce(1, *)
    case .mean:
      isReal
        ? values.reduce(0, +) / Double(values.count)
        : (values.reduce(0, +) / Double(values.count)).rounded(.down)
    case .min: values.contains(where: \.isNaN) ? .nan : values.reduce(.infinity, Swift.min)
    case .max: values.contains(where: \.isNaN) ? .nan : values.reduce(-.infinity, Swift.max)
    }
  }

  @Test(arguments: ScatterReduction.allCases) func reductions(reduction: ScatterReduction) {
    var random = TestRandom()
    for type in [DType.float32, .float64, .float16, .int64, .int32, .uint8] {
      for includes in [true, false] {
        let (shape, given) = ([4, 3], [7, 2])
        var x = Sample(shape, type, random: &random).values.map {
          type.isFloatingPoint ? $0 : $0.truncatingRemainder(dividingBy: 9)
        }
        var y = Sample(given, type, .contiguous, random: &random).values.map {
          type.isFloatingPoint ? $0 : $0.truncatingRemainder(dividingBy: 5)
        }
        if type == .float32 {
          y[3] = .nan
          x[0] = -.infinity
        }
        // The last row gets no elements.
        let places = (0..<14).map { _ in Int(random.next() % 3) }
        var groups = x.map { [$0] }
        for (number, place) in places.enumerated() {
          let target = place * 3 + number % 2
          if groups[target].count == 1 && !includes { groups[target] = [.signalingNaN] }
          groups[target].append(y[number])
        }
        let truth = groups.map { group -> Double in
          if group.count == 1 { return group[0] }
          let counted = includes ? group : Array(group.dropFirst())
          return type.rounded(Self.reduce(counted, reduction, type.isFloatingPoint))
        }
        let result = Tensor(x, shape: shape, dtype: type).scattered(
          Tensor(places, shape: given), Tensor(y, shape: given, dtype: type), over: 0,
          reducing: reduction, includingSelf: includes)
        #expect(isSame(result, Tensor(truth, shape: shape, dtype: type)), "\(type) \(includes)")
      }
    }
  }

  @Test func scalarsAndEmptyTensors() {
    let one = Tensor(3.0)
    #expect(one.indexSelected(Tensor([0]), over: 0).item() == 3)
    #expect(one.gathered(Tensor(0), over: 0).item() == 3)
    #expect(one.scattered(Tensor(0), Tensor(4.0), over: -1).item() == 4)
    #expect(one.indexAdded(Tensor([0]), Tensor(4.0), over: 0, scale: -1).item() == -1)
    #expect(one.taken(Tensor([-1, 0])).array(of: Double.self) == [3, 3])
    #expect(one.nonzero().shape == [1, 0] && one.nonzeroByAxis()[0].array(of: Int.self) == [0])
    let none = Tensor.zeros(0, 3)
    #expect(none.indexSelected(Tensor([2, 0]), over: 1).shape == [0, 2])
    #expect(none.indexSelected(Tensor([Int]()), over: 0).shape == [0, 3])
    #expect(none.gathered(Tensor.zeros(0, 3, dtype: .int64), over: 0).shape == [0, 3])
    #expect(none.nonzero().shape == [0, 2] && none.selected(where: none .> 0).shape == [0])
    #expect(
      Tensor.ones(2).scatteredAdding(Tensor.zeros(0, dtype: .int64), Tensor.zeros(0), over: 0)
        .array(of: Int.self) == [1, 1])
  }

  /// The same bits for any number of threads, however the work is divided.
  @Test func anyNumberOfThreads() {
    withSeed(5) {
      for (outer, size, count, inner) in [
        (1, 50, 40000, 1), (1, 5000, 40000, 1), (64, 30, 700, 1), (1, 30, 300, 200),
        (2, 9, 50, 500),
      ] {
        let x = Tensor.randn(outer, size, inner)
        let part = Tensor.randn(outer, count, inner)
        let places = Tensor.randint([outer, count, inner], low: 0, high: size)
        let rows = Tensor.randint([count], low: 0, high: size)
        let results = [1, 2, 3, 7].map { threads in
          withThreads(threads) {
            [
              x.scatteredAdding(places, part, over: 1), x.scattered(places, part, over: 1),
              x.gathered(places, over: 1), x.indexAdded(rows, part, over: 1),
              x.indexSelected(rows, over: 1), x.indexCopied(rows, part, over: 1),
              x.scattered(places, part, over: 1, reducing: .mean), (x .> 0).nonzero(),
            ]
          }
        }
        for other in results.dropFirst() {
          for (a, b) in zip(results[0], other) { #expect(isSame(a, b)) }
        }
        // Float64 sums, rounded once.
        let wide = x.cast(to: .float64).scatteredAdding(places, part.cast(to: .float64), over: 1)
        #expect(isSame(results[0][0], wide.cast(to: .float32)))
      }
    }
  }

  /// Wide sides that exceed all caches, with scattered indices, from the end, and out of range.
  @Test func longLines() throws {
    var random = TestRandom()
    let size = 150_000
    let x = Tensor.arange(2 * size, dtype: .float64)
    let numbers = (0..<1000).map { _ in Int(random.next() % UInt64(size)) }
    let spread = Tensor(numbers.flatMap { [$0 - size, -1] })
    for (indices, places) in [
      (Tensor(numbers), numbers), (spread[AxisSlice(by: 2)], numbers),
    ] {
      for (wide, step) in [(x[..<size], 1), (x[AxisSlice(by: 2)], 2)] {
        let picked = wide[indices].array(of: Int.self)
        #expect(picked == places.map { $0 * step })
        var sums = wide.array(of: Double.self)
        var last = sums
        for (number, place) in places.enumerated() {
          sums[place] += Double(number)
          last[place] = Double(number)
        }
        let part = Tensor.arange(2000, dtype: .float64)
        let put = wide.replacing(at: [indices], with: part[..<1000])
        #expect(put.array(of: Double.self) == last)
        let added = wide.replacing(
          at: [indices], with: part[AxisSlice(by: 2)] * 0.5, accumulating: true)
        #expect(added.array(of: Double.self) == sums)
      }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { x.gathered(Tensor(numbers + [2 * size]), over: 0).evaluated() }
    }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { x.scattered(spread, 1, over: 0).evaluated() }
    }
  }

  @Test func masks() {
    var random = TestRandom()
    for arrangement in Self.arrangements {
      let x = Sample([3, 40, 500], .float32, arrangement, random: &random)
      let mask = Sample([40, 500], .bool, arrangement, random: &random)
      let chosen = x.values.indices.filter { mask.values[$0 % 20000] != 0 }
      #expect(x.tensor.selected(where: mask.tensor).array() == chosen.map { x.values[$0] })
      let places = mask.tensor.nonzero()
      let truth = mask.values.indices.filter { mask.values[$0] != 0 }
      #expect(places.array(of: Int.self) == truth.flatMap { [$0 / 500, $0 % 500] })
      let columns = mask.tensor.nonzeroByAxis()
      #expect(columns[1].array(of: Int.self) == truth.map { $0 % 500 })
      let source = Tensor.arange(60000, dtype: .float32)
      var replaced = x.values
      for (number, place) in chosen.enumerated() { replaced[place] = Double(number) }
      #expect(x.tensor.scattered(where: mask.tensor, source).array() == replaced)
      let filled = x.tensor.filled(where: mask.tensor, with: Tensor(2)).array(of: Double.self)
      #expect(filled == x.values.indices.map { mask.values[$0 % 20000] != 0 ? 2 : x.values[$0] })
    }
    #expect(Tensor([0.0, .nan, -0.0, 2]).nonzero().array(of: Int.self) == [1, 3])
    let x = Tensor.arange(6).reshaped(2, 3)
    #expect(x.taken(Tensor([[-1, 0], [2, 3]])).array(of: Int.self) == [5, 0, 2, 3])
    let put = x.putting(Tensor([-1, 0, -1]), Tensor([7, 8, 9]))
    #expect(put.array(of: Int.self) == [8, 1, 2, 3, 4, 9])
    let added = x.putting(Tensor([-1, 0, -1]), Tensor([7, 8, 9]), accumulating: true)
    #expect(added.array(of: Int.self) == [8, 1, 2, 3, 4, 21])
  }
}

/// The multi-indices of a shape in row-major order.
func indexLists(of shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { lists, size in lists.flatMap { list in (0..<size).map { list + [$0] } } }
}

extension Tensor {
  /// The elements as numbers.
  fileprivate func array() -> [Double] { array(of: Double.self) }
}
