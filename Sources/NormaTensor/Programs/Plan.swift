import CNormaLoops

/// A program laid out for the C runner: with its loops, strides in bytes, and slots for its values.
///
/// It refers to no tensor memory, so it serves every program of the same structure on any thread.
final class Plan: @unchecked Sendable {
  let space: Space
  /// The instructions it was made from.
  let instructions: [Program.Instruction]
  /// Whether the instructions run row by row.
  let isByRow: Bool
  /// The elements of the space times the instructions.
  let work: Int
  /// What the C runner reads; it points into memory of the plan. Written only by `init`.
  private let memory: UnsafeMutablePointer<norma_program>
  var form: norma_program { memory.pointee }

  /// Whether some result bypasses the caches.
  var isStreamed: Bool {
    (0..<Int(memory.pointee.output_count)).contains { memory.pointee.outputs[$0].streamed == 1 }
  }

  /// Whether elements are only copied.
  var isCopy: Bool { memory.pointee.instruction_count == 0 && memory.pointee.sink_count == 0 }

  /// `space` has the program's inputs as its operands, then the outputs.
  init(
    _ program: Program, over space: Space, outputs: [CompiledProgram.Output],
    sinks: [CompiledProgram.Sink]
  ) {
    let builder = PlanBuilder(program, over: space, outputs: outputs, sinks: sinks)
    instructions = program.instructions
    (self.space, isByRow) = (builder.space, builder.isByRow)
    // Broadcasting can make the number of elements overflow.
    let (work, isEndless) = program.shape.reduce(1, *)
      .multipliedReportingOverflow(by: max(program.instructions.count, 1))
    self.work = isEndless ? Int.max : work
    memory = .allocate(capacity: 1)
    memory.initialize(to: builder.form(sinks: sinks))
  }

  /// Work of fewer element instructions is not worth a second thread.
  var threads: Int32 { work < Limits.leastToShare ? 1 : Int32(TensorThreads.count) }

  /// Runs a plan without reductions on memory at these addresses: inputs, then immediates; outputs.
  func run(
    _ bases: UnsafePointer<UnsafeMutablePointer<CChar>?>,
    _ targets: UnsafePointer<UnsafeMutablePointer<CChar>?>
  ) {
    if norma_program_run_alone(memory, bases, targets) != 0 { return }
    var form = form
    form.input_bases = bases
    form.output_bases = targets
    norma_program_run(&form, nil, threads)
  }

  /// The same on the addresses of inputs, then the output; with these immediates.
  func run(_ addresses: KernelAddresses, inputs: Int, immediates: [UInt64]) -> Bool {
    immediates.withUnsafeBufferPointer { numbers in
      withUnsafeTemporaryAllocation(
        of: UnsafeMutablePointer<CChar>?.self, capacity: inputs + numbers.count + 1
      ) { bases in
        guard let first = bases.baseAddress else { return false }
        for index in 0..<inputs {
          bases[index] = addresses[index].assumingMemoryBound(to: CChar.self)
        }
        for index in 0..<numbers.count {
          // Immediates are only read.
          bases[inputs + index] = numbers.baseAddress.map {
            UnsafeMutableRawPointer(mutating: $0 + index).assumingMemoryBound(to: CChar.self)
          }
        }
        let target = first + inputs + numbers.count
        target.pointee = addresses[inputs].assumingMemoryBound(to: CChar.self)
        run(first, target)
        return true
      }
    }
  }

  deinit {
    let form = form
    memory.deallocate()
    form.inputs.deallocate()
    form.outputs.deallocate()
    form.instructions.deallocate()
    form.sinks.deallocate()
    form.offsets.deallocate()
  }
}
