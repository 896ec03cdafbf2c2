import Norma
import Testing

@testable import NormaCLI

/// Recurrent layers and transposed convolutions under the names of other libraries, against the
/// equations of their documentation.
@Suite struct ConvertRecurrentTests {
  enum Kind: String, CaseIterable {
    case rnn, lstm, gru
  }

  private typealias State = [String: Tensor]

  /// A module of two layers in both directions, or of one in one.
  private func module(_ kind: Kind, isDeep: Bool) -> Module {
    let layers = isDeep ? 2 : 1
    switch kind {
    case .rnn: return RNN(3, 4, numLayers: layers, bidirectional: isDeep, dtype: .float64)
    case .lstm: return LSTM(3, 4, numLayers: layers, bidirectional: isDeep, dtype: .float64)
    case .gru: return GRU(3, 4, numLayers: layers, bidirectional: isDeep, dtype: .float64)
    }
  }

  private func output(_ module: Module, _ x: Tensor) -> Tensor {
    switch module {
    case let module as RNN: module(x).output
    case let module as LSTM: module(x).output
    case let module as GRU: module(x).output
    default: .poisoned
    }
  }

  /// The state after a step.
  private func step(
    _ library: NameConversion.Library, _ kind: Kind, _ state: State, _ cell: String, _ x: Tensor,
    _ h: Tensor, _ c: Tensor
  ) -> (h: Tensor, c: Tensor) {
    func get(_ name: String) -> Tensor { state[cell + name] ?? .poisoned }
    func lstm(_ i: Tensor, _ f: Tensor, _ g: Tensor, _ o: Tensor) -> (h: Tensor, c: Tensor) {
      let next = f.sigmoid() * c + i.sigmoid() * g.tanh()
      return (o.sigmoid() * next.tanh(), next)
    }
    switch (library, kind) {
    case (.keras, .rnn):
      return ((x.matmul(get("kernel")) + h.matmul(get("recurrent_kernel")) + get("bias")).tanh(), c)
    case (.keras, .lstm):
      let z = x.matmul(get("kernel")) + h.matmul(get("recurrent_kernel")) + get("bias")
      let parts = z.chunked(4, over: 1)
      return lstm(parts[0], parts[1], parts[2], parts[3])
    case (.keras, .gru):
      let a = (x.matmul(get("kernel")) + get("bias")[0]).chunked(3, over: 1)
      let b = (h.matmul(get("recurrent_kernel")) + get("bias")[1]).chunked(3, over: 1)
      let (z, r) = ((a[0] + b[0]).sigmoid(), (a[1] + b[1]).sigmoid())
      return (z * h + (1 - z) * (a[2] + r * b[2]).tanh(), c)
    case (.flax, .rnn):
      return ((x.matmul(get("i/kernel")) + get("i/bias") + h.matmul(get("h/kernel"))).tanh(), c)
    case (.flax, .lstm):
      let gates = ["i", "f", "g", "o"].map {
        x.matmul(get("i\($0)/kernel")) + h.matmul(get("h\($0)/kernel")) + get("h\($0)/bias")
      }
      return lstm(gates[0], gates[1], gates[2], gates[3])
    case (.flax, .gru):
      func dense(_ name: String, _ x: Tensor) -> Tensor { x.matmul(get("\(name)/kernel")) }
      let r = (dense("ir", x) + get("ir/bias") + dense("hr", h)).sigmoid()
      let z = (dense("iz", x) + get("iz/bias") + dense("hz", h)).sigmoid()
      let n = (dense("in", x) + get("in/bias") + r * (dense("hn", h) + get("hn/bias"))).tanh()
      return ((1 - z) * n + z * h, c)
    case (_, .rnn):
      let sum = x.matmul(get("Wxh").transposed()) + h.matmul(get("Whh").transposed())
      return ((sum + get("bias")).tanh(), c)
    case (_, .lstm):
      let sum = x.matmul(get("Wx").transposed()) + h.matmul(get("Wh").transposed()) + get("bias")
      let parts = sum.chunked(4, over: 1)
      return lstm(parts[0], parts[1], parts[2], parts[3])
    case (_, .gru):
      let a = (x.matmul(get("Wx").transposed()) + get("b")).chunked(3, over: 1)
      let b = h.matmul(get("Wh").transposed()).chunked(3, over: 1)
      let (r, z) = ((a[0] + b[0]).sigmoid(), (a[1] + b[1]).sigmoid())
      return ((1 - z) * (a[2] + r * (b[2] + get("bhn"))).tanh() + z * h, c)
    }
  }

  /// The outputs of all steps `[T, N, outputs]`.
  private func run(
    _ library: NameConversion.Library, _ kind: Kind, _ state: State, _ x: Tensor, isDeep: Bool
  ) -> Tensor {
    let separator = library == .mlx ? "." : "/"
    let start = library == .flax ? "params/" : ""
    var sequence = x
    for layer in 0..<(isDeep ? 2 : 1) {
      let directions = isDeep ? ["forward", "backward"] : [""]
      let parts = directions.map { direction in
        let names = isDeep ? ["rnn", "l\(layer)", direction] : ["rnn"]
        let cell = start + names.joined(separator: separator) + separator
        var (h, c) = (Tensor.zeros(2, 4, dtype: .float64), Tensor.zeros(2, 4, dtype: .float64))
        let isReversed = direction == "backward"
        let steps = (0..<x.shape[0]).map { index in
          (h, c) = step(
            library, kind, state, cell, sequence[isReversed ? x.shape[0] - 1 - index : index], h, c)
          return h
        }
        return Tensor.stacked(isReversed ? steps.reversed() : steps)
      }
      sequence = Tensor.concatenated(parts, over: 2)
    }
    return sequence
  }

  @Test(
    arguments: [NameConversion.Library.keras, .flax, .mlx],
    Kind.allCases.flatMap { [($0, true), ($0, false)] })
  func recurrentLayers(_ library: NameConversion.Library, _ kind: (Kind, isDeep: Bool)) throws {
    try withSeed(7) {
      let (kind, isDeep) = kind
      let module = module(kind, isDeep: isDeep)
      let x = Tensor.randn([5, 2, 3], dtype: .float64)
      let expected = output(module, x)
      let state = State(
        uniqueKeysWithValues: module.stateDict().map { ("rnn." + $0.key, $0.value) })
      let (there, conversion) = try ConvertTests.convert(state, .pytorch, library)
      #expect(!conversion.isIncomplete && conversion.left.isEmpty)
      let found = run(library, kind, there, x, isDeep: isDeep)
      #expect((found - expected).abs().max().item() < 1e-13)
      // And back.
      let (back, _) = try ConvertTests.convert(there, library, .pytorch)
      let other = self.module(kind, isDeep: isDeep)
      try other.load(back.map { ($0.key, $0.value) }, strippingPrefix: "rnn.")
      #expect((output(other, x) - expected).abs().max().item() < 1e-13)
    }
  }

  /// The names of Keras' own wrappers.
  @Test func directionsOfKeras() throws {
    var state: State = [:]
    for direction in ["forward", "backward"] {
      let cell = "bidirectional/\(direction)_lstm/lstm_cell/"
      state[cell + "kernel:0"] = Tensor.ones(3, 8)
      state[cell + "recurrent_kernel:0"] = Tensor.ones(2, 8)
    }
    state["forward_model/kernel"] = Tensor.ones(3, 8)
    state["forward_model/recurrent_kernel"] = Tensor.ones(2, 8)
    let (found, _) = try ConvertTests.convert(state, .keras, .pytorch)
    #expect(
      Set(found.keys) == [
        "bidirectional.weight_ih_l0", "bidirectional.weight_hh_l0",
        "bidirectional.weight_ih_l0_reverse", "bidirectional.weight_hh_l0_reverse",
        "forward_model.weight_ih_l0", "forward_model.weight_hh_l0",
      ])
  }

  @Test func projectionsStayBehind() throws {
    let module = LSTM(3, 4, projSize: 2)
    let state = State(
      uniqueKeysWithValues: module.stateDict().map { ("rnn." + $0.key, $0.value) })
    let (found, conversion) = try ConvertTests.convert(state, .pytorch, .keras)
    #expect(found.isEmpty && conversion.isIncomplete && conversion.left.count == 5)
  }

  /// Flax spreads the input by the stride and moves the kernel over it as it is.
  @Test func transposedConvolutionsOfFlax() throws {
    try withSeed(8) {
      let kernel = Tensor.randn([3, 2, 4, 5], dtype: .float64)
      let (found, conversion) = try ConvertTests.convert(
        ["params/ConvTranspose_0/kernel": kernel], .flax, .pytorch)
      #expect(conversion.notes.count == 1)
      let weight = try #require(found["ConvTranspose_0.weight"])
      let layer = ConvTranspose2d(
        4, 5, kernelSize: [3, 2], stride: 2, bias: false, dtype: .float64)
      try layer.load([("weight", weight)])
      let x = Tensor.randn([1, 4, 3, 3], dtype: .float64)
      let result = layer(x)
      #expect(result.shape == [1, 5, 7, 6])
      // Zeros between elements, and around them one less than the kernel's size.
      var spread = Tensor.zeros(1, 4, 9, 7, dtype: .float64)
      for i in 0..<3 {
        for j in 0..<3 { spread[0..., 0..., 2 + 2 * i, 1 + 2 * j] = x[0..., 0..., i, j] }
      }
      for i in 0..<7 {
        for j in 0..<6 {
          let window = spread[0, 0..., i..<(i + 3), j..<(j + 2)].permuted(1, 2, 0)
          for channel in 0..<5 {
            let sum = (window * kernel[0..., 0..., 0..., channel]).sum()
            #expect(abs((sum - result[0, channel, i, j]).item()) < 1e-12)
          }
        }
      }
      let (back, _) = try ConvertTests.convert(found, .pytorch, .flax)
      #expect(back["params/ConvTranspose_0/kernel"]?.isEqual(to: kernel) == true)
    }
  }
}
