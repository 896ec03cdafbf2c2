import Testing

@testable import NormaTensor

/// Programs of the same structure share a plan; different ones must not.
@Suite struct PlanCacheTests {
  @Test func otherMemoryAndOtherNumbers() {
    for step in 1...5 {
      let x = Tensor.arange(7).cast(to: .float32) + Double(step)
      let y = (x.evaluated() * Double(step) - 0.5).array(of: Float.self)
      #expect(y == (0..<7).map { Float(($0 + step) * step) - 0.5 })
    }
  }

  @Test func otherShapesAndStrides() {
    for rows in 1...9 {
      for columns in 1...9 {
        let x = Tensor.arange(rows * columns).reshaped(rows, columns).evaluated()
        let sum = (x + x.transposed(0, 1).transposed(0, 1) * 2).array(of: Int64.self)
        #expect(sum == (0..<rows * columns).map { Int64(3 * $0) })
        let turned = (x.transposed(0, 1) + 1).array(of: Int64.self)
        let expected = (0..<columns).flatMap { c in (0..<rows).map { Int64($0 * columns + c + 1) } }
        #expect(turned == expected)
        let offset = (x[rows - 1, 0...] * 2).array(of: Int64.self)
        #expect(offset == (0..<columns).map { Int64(2 * ((rows - 1) * columns + $0)) })
      }
    }
  }

  @Test func reductionsOverOtherAxes() {
    for _ in 0..<3 {
      let x = Tensor.arange(60).reshaped(3, 4, 5).cast(to: .float32).evaluated()
      #expect(x.sum(over: 0).array(of: Float.self)[0] == 60)
      #expect(x.sum(over: 1).array(of: Float.self)[0] == 30)
      #expect(x.sum(over: 2).array(of: Float.self)[0] == 10)
      #expect(x.sum(over: 0, 2).array(of: Float.self)[0] == 330)
      #expect(x.max(over: 0, 2).array(of: Float.self)[3] == 59)
      #expect(x.min(over: 0, 2).array(of: Float.self)[3] == 15)
    }
  }

  @Test func keysTellProgramsApart() {
    func key(_ build: (inout Program) -> Void) -> PlanKey {
      var program = Program(shape: [4])
      build(&program)
      var key = PlanKey()
      key.append(program)
      return key
    }
    let storage = Storage(byteCount: 64)
    let layout = Layout(contiguous: [4])
    let stretched = Layout(shape: [4], strides: [0], offset: 0)
    let keys = [
      key { _ = $0.input(storage, layout, .float32) },
      key { _ = $0.input(storage, layout, .int32) },
      key { _ = $0.input(storage, stretched, .float32) },
      key { program in
        let value = program.input(storage, layout, .float32)
        _ = program.append(.operation(.add, .float32), [value, value], 4)
      },
      key { program in
        let value = program.input(storage, layout, .float32)
        _ = program.append(.operation(.subtract, .float32), [value, value], 4)
      },
      key { program in
        let value = program.input(storage, layout, .float32)
        _ = program.append(.operation(.abs, .float32), [value], 4)
      },
    ]
    #expect(Set(keys).count == keys.count)
    #expect(key { _ = $0.input(storage, layout, .float32) } == keys[0])
    let elsewhere = Layout(shape: [4], strides: [1], offset: 3)
    #expect(key { _ = $0.input(storage, elsewhere, .float32) } == keys[0])
  }

  @Test func keepsABoundedNumber() {
    let cache = PlanCache(sets: 2)
    #expect(cache.capacity == 8)
    var last: PlanKey?
    for size in 1...50 {
      var key = PlanKey()
      key.append(size)
      let space = Space.elementwise([size], order: [0], layouts: [Layout(contiguous: [size])])
      cache.keep(Plan(Program(shape: [size]), over: space, outputs: [], sinks: []), as: key)
      #expect(cache.count <= cache.capacity)
      #expect(cache.plan(key)?.work == size)
      last = key
    }
    #expect(cache.count == 8)
    #expect(last.flatMap { cache.plan($0) } != nil)
  }

  @Test func manyTasksConcurrently() async {
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          var isRight = true
          for step in 0..<200 {
            // All tasks use the same few structures, with their own memory and numbers.
            let size = 1 + step % 23
            let x = Tensor(shape: [size], dtype: .float32) { bytes in
              let values = bytes.bindMemory(to: Float.self)
              for index in 0..<size { values[index] = Float(task * 100 + index) }
            }
            let y = ((x + Double(step)) * 2 - x).array(of: Float.self)
            let sum = x.sum().item()
            isRight =
              isRight && y == (0..<size).map { Float(task * 100 + $0 + 2 * step) }
              && sum == Double(task * 100 * size + size * (size - 1) / 2)
          }
          return isRight
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  @Test func sizeClassesHaveIndices() {
    var last = -1
    var size = 1
    while size < 1 << 44 {
      let rounded = BufferCache.sizeClass(size)
      let place = BufferCache.index(ofClass: rounded)
      #expect(BufferCache.sizeOfClass(at: place) == rounded)
      #expect(place == last + 1 || place == last + 2 && rounded == 1152)
      last = place
      size = rounded + 1
    }
  }
}
