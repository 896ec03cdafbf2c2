import Norma

/// One layer of a recurrent network in one direction, in PyTorch's layout: `weight_ih`
/// `[gates hidden, inputs]`, `weight_hh` `[gates hidden, hidden]`, and two biases or none. Gates
/// are input, forget, cell, output of LSTM, and reset, update, new of GRU.
struct RecurrentCell {
  /// The layer's name in the file.
  let layer: String
  /// 1, 3 for GRU, or 4 for LSTM.
  let gates: Int
  let input: NamedTensor
  let recurrent: NamedTensor
  let biases: (input: NamedTensor, recurrent: NamedTensor)?

  /// Nil if the shapes are not those of a cell.
  init?(
    _ layer: String, _ input: NamedTensor, _ recurrent: NamedTensor,
    _ biases: (input: NamedTensor, recurrent: NamedTensor)?
  ) {
    guard input.shape.count == 2, recurrent.shape.count == 2, recurrent.shape[1] > 0,
      input.shape[0] == recurrent.shape[0], recurrent.shape[0] % recurrent.shape[1] == 0,
      [1, 3, 4].contains(recurrent.shape[0] / recurrent.shape[1])
    else { return nil }
    gates = recurrent.shape[0] / recurrent.shape[1]
    if let biases {
      let shapes = [biases.input.shape, biases.recurrent.shape]
      guard shapes.allSatisfy({ $0 == [recurrent.shape[0]] }) else { return nil }
    }
    (self.layer, self.input, self.recurrent, self.biases) = (layer, input, recurrent, biases)
  }

  /// The bias of the product with the state alone: GRU multiplies it by the reset gate. The others
  /// are added together.
  var added: (bias: NamedTensor, new: NamedTensor?)? {
    guard let biases else { return nil }
    guard gates == 3 else { return (biases.input.adding(biases.recurrent), nil) }
    let sum = biases.input.blocks(0..<2, of: 3).adding(biases.recurrent.blocks(0..<2, of: 3))
    return (
      .joined([sum, biases.input.blocks(2..<3, of: 3)]), biases.recurrent.blocks(2..<3, of: 3)
    )
  }

  /// Two biases from those of ``added``.
  static func biases(
    _ bias: NamedTensor?, new: NamedTensor?, gates: Int, _ library: String
  ) -> (input: NamedTensor, recurrent: NamedTensor)? {
    guard let bias else { return nil }
    let reason = "\(library) has one bias"
    guard gates == 3, let new, bias.shape.first.map({ $0 % 3 == 0 }) == true else {
      return (bias, bias.zeros(reason))
    }
    return (bias, .joined([new.zeros(reason), new.zeros(reason), new]))
  }

  // MARK: PyTorch

  /// The tensors at their position in a module of PyTorch.
  func tensors(at place: RecurrentPosition) -> [NamedTensor] {
    let all = [
      ("weight_ih", input), ("weight_hh", recurrent), ("bias_ih", biases?.input),
      ("bias_hh", biases?.recurrent),
    ]
    return all.compactMap { name, tensor in
      guard var tensor else { return nil }
      tensor.name = place.name(of: name)
      return tensor
    }
  }

  // MARK: Keras

  /// A layer of Keras: its kernels `[inputs, gates hidden]` with the update gate of GRU first, and
  /// one bias, or for GRU `[2, gates hidden]`.
  init?(keras layer: [String: NamedTensor]) {
    guard let kernel = layer["kernel"], let inner = layer["recurrent_kernel"],
      inner.shape.count == 2, kernel.shape.count == 2, inner.shape[0] > 0
    else { return nil }
    let gates = inner.shape[1] / inner.shape[0]
    let order = gates == 3 ? [1, 0, 2] : Array(0..<max(gates, 1))
    var biases: (input: NamedTensor, recurrent: NamedTensor)?
    if let bias = layer["bias"] {
      if bias.shape == [2, inner.shape[1]] {
        let rows = (0..<2).map { row in
          bias.blocks(row..<row + 1, of: 2).reshaped([inner.shape[1]]).ordered(blocks: order)
        }
        biases = (rows[0], rows[1])
      } else if gates == 3 {
        return nil
      } else {
        biases = Self.biases(bias, new: nil, gates: gates, "Keras")
      }
    }
    self.init(
      kernel.layer, kernel.permuted([1, 0]).ordered(blocks: order),
      inner.permuted([1, 0]).ordered(blocks: order), biases)
  }

  var keras: [NamedTensor] {
    let order = gates == 3 ? [1, 0, 2] : Array(0..<gates)
    func turned(_ tensor: NamedTensor) -> NamedTensor {
      tensor.ordered(blocks: order).permuted([1, 0])
    }
    var result = [turned(input).named("kernel"), turned(recurrent).named("recurrent_kernel")]
    if gates == 3, let biases {
      let rows = [biases.input, biases.recurrent].map {
        $0.ordered(blocks: order).reshaped([1] + $0.shape)
      }
      result.append(NamedTensor.joined(rows).named("bias"))
    } else if let bias = added?.bias {
      result.append(bias.named("bias"))
    }
    return result
  }

  // MARK: MLX

  /// A layer of MLX: `Wx`, `Wh` and one bias, for GRU with `bhn` beside it.
  init?(mlx layer: [String: NamedTensor]) {
    guard let input = layer["Wx"] ?? layer["Wxh"], let inner = layer["Wh"] ?? layer["Whh"],
      inner.shape.count == 2, inner.shape[1] > 0
    else { return nil }
    let biases = Self.biases(
      layer["bias"] ?? layer["b"], new: layer["bhn"], gates: inner.shape[0] / inner.shape[1],
      "MLX")
    self.init(input.layer, input, inner, biases)
  }

  var mlx: [NamedTensor] {
    var result = [
      input.named(gates == 1 ? "Wxh" : "Wx"), recurrent.named(gates == 1 ? "Whh" : "Wh"),
    ]
    if let added {
      result.append(added.bias.named(gates == 3 ? "b" : "bias"))
      if let new = added.new { result.append(new.named("bhn")) }
    }
    return result
  }

  // MARK: Flax

  /// The names of Flax' dense layers, for the input and for the state, by the number of gates.
  static let denseLayers: [Int: (input: [String], recurrent: [String])] = [
    1: (["i"], ["h"]), 3: (["ir", "iz", "in"], ["hr", "hz", "hn"]),
    4: (["ii", "if", "ig", "io"], ["hi", "hf", "hg", "ho"]),
  ]

  /// A cell of Flax, whose gates are dense layers: kernels and biases by their names, `ii.kernel`.
  init?(flax cell: String, _ tensors: [String: NamedTensor]) {
    let found = Self.denseLayers.first { _, names in
      (names.input + names.recurrent).allSatisfy { tensors["\($0).kernel"]?.shape.count == 2 }
    }
    guard let (_, names) = found else { return nil }
    func kernels(_ names: [String]) -> NamedTensor {
      .joined(names.compactMap { tensors["\($0).kernel"]?.permuted([1, 0]) })
    }
    func bias(_ names: [String]) -> NamedTensor? {
      let all = names.map { tensors["\($0).bias"] }
      guard let some = all.compactMap({ $0 }).first else { return nil }
      return .joined(all.map { $0 ?? some.zeros("Flax has none there") })
    }
    var biases: (input: NamedTensor, recurrent: NamedTensor)?
    switch (bias(names.input), bias(names.recurrent)) {
    case (let a?, let b?): biases = (a, b)
    case (let a?, nil): biases = (a, a.zeros("Flax has none there"))
    case (nil, let b?): biases = (b.zeros("Flax has none there"), b)
    case (nil, nil): biases = nil
    }
    self.init(cell, kernels(names.input), kernels(names.recurrent), biases)
  }

  var flax: [NamedTensor] {
    guard let names = Self.denseLayers[gates] else { return [] }
    let none = recurrent.zeros("Flax has a bias", shape: [recurrent.shape[1]])
    func dense(_ names: [String], _ weight: NamedTensor) -> [NamedTensor] {
      names.enumerated().map { index, name in
        weight.blocks(index..<index + 1, of: gates).permuted([1, 0]).named("\(name).kernel")
      }
    }
    func bias(_ names: [String], _ bias: NamedTensor?) -> [NamedTensor] {
      names.enumerated().map { index, name in
        (bias?.blocks(index..<index + 1, of: names.count) ?? none).named("\(name).bias")
      }
    }
    var result = dense(names.input, input) + dense(names.recurrent, recurrent)
    // The biases that a cell of Flax has: of the state for LSTM, otherwise of the input.
    result += bias(gates == 4 ? names.recurrent : names.input, added?.bias)
    if gates == 3 { result += bias(["hn"], added?.new) }
    return result
  }
}
