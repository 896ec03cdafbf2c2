import Norma

/// Where the tensors of a recurrent cell are in a module of PyTorch.
struct RecurrentPosition {
  let module: String
  var layer = 0
  var isReversed = false

  /// The first cell of a module.
  init(_ module: String) { self.module = module }

  /// The position that a name in another library means: `rnn.l1.backward` is the second layer of
  /// `rnn`, backward in time. The names of cells that wrappers have, `lstm_cell`, are left out.
  ///
  /// - Parameter cells: the names of all cells; `forward` and `backward` are directions if both
  ///   exist.
  init(_ name: String, among cells: Set<String>) {
    func bare(_ name: String) -> [Substring] {
      var parts = name.split(separator: ".")
      if parts.count > 1, let last = parts.last, last == "cell" || last.contains("_cell") {
        parts.removeLast()
      }
      return parts
    }
    var parts = bare(name)
    let all = Set(cells.map { bare($0).joined(separator: ".") })
    for (start, other) in [("forward", "backward"), ("backward", "forward")] {
      guard let last = parts.last, last.hasPrefix(start) else { continue }
      let sibling = parts.dropLast() + [Substring(other + last.dropFirst(start.count))]
      guard all.contains(sibling.joined(separator: ".")) else { break }
      isReversed = start == "backward"
      parts.removeLast()
      break
    }
    if let last = parts.last, last.first == "l", let number = Int(last.dropFirst()), number >= 0 {
      layer = number
      parts.removeLast()
    }
    module = parts.joined(separator: ".")
  }

  /// The name of one of the cell's tensors.
  func name(of tensor: String) -> String {
    let start = module.isEmpty ? "" : module + "."
    return "\(start)\(tensor)_l\(layer)\(isReversed ? "_reverse" : "")"
  }
}

extension NameConversion {
  /// The recurrent cell that the tensors of a layer are, or nil; reports what cannot be converted.
  mutating func recurrentCell(_ layer: [String: NamedTensor]) -> RecurrentCell? {
    if let input = layer["weight_ih"], let recurrent = layer["weight_hh"] {
      let biases = layer["bias_ih"].flatMap { a in layer["bias_hh"].map { (a, $0) } }
      return RecurrentCell(input.layer, input, recurrent, biases)
    }
    guard let inner = layer["recurrent_kernel"] else { return nil }
    var layer = layer
    for tensor in layer.values where !["kernel", "recurrent_kernel", "bias"].contains(tensor.last) {
      leave(tensor, "PyTorch's recurrent layers have none")
      layer[tensor.last] = nil
    }
    if inner.shape.count == 2, inner.shape[1] == 3 * inner.shape[0], let bias = layer["bias"],
      bias.shape.count == 1
    {
      leave(bias, "a GRU with reset_after=False is another function than PyTorch's")
      layer["bias"] = nil
    }
    let cell = RecurrentCell(keras: layer)
    if cell == nil {
      for tensor in layer.values { leave(tensor, "an unknown recurrent layer") }
    }
    return cell
  }

  /// Makes one layer of Flax' dense layers for the gates of a cell, in PyTorch's layout.
  mutating func joinGates() {
    let known = Set(RecurrentCell.denseLayers.values.flatMap { $0.input + $0.recurrent })
    var cells: [String: [String: NamedTensor]] = [:]
    for tensor in tensors {
      guard let (cell, gate) = Self.gate(of: tensor), known.contains(gate) else { continue }
      cells[cell, default: [:]]["\(gate).\(tensor.last)"] = tensor
    }
    for (name, parts) in cells.sorted(by: { $0.key < $1.key }) {
      guard let cell = RecurrentCell(flax: name, parts) else { continue }
      let own = Set(parts.values.map(\.name))
      let place = tensors.firstIndex { own.contains($0.name) } ?? 0
      tensors.removeAll { own.contains($0.name) }
      let start = name.isEmpty ? "" : name + "."
      var joined = [cell.input, cell.recurrent]
      joined[0].name = start + "weight_ih"
      joined[1].name = start + "weight_hh"
      if var (input, recurrent) = cell.biases {
        (input.name, recurrent.name) = (start + "bias_ih", start + "bias_hh")
        joined += [input, recurrent]
      }
      tensors.insert(contentsOf: joined, at: min(place, tensors.count))
    }
  }

  /// The cell and the gate of a dense layer: `lstm.ii.kernel`. Python's keywords end in `_` there.
  private static func gate(of tensor: NamedTensor) -> (cell: String, gate: String)? {
    var parts = tensor.layer.split(separator: ".").map(String.init)
    guard ["kernel", "bias"].contains(tensor.last), var gate = parts.popLast() else { return nil }
    if gate.hasSuffix("_") { gate.removeLast() }
    return (parts.joined(separator: "."), gate)
  }

  /// A recurrent module of PyTorch as the cells of another library.
  mutating func recurrent(
    _ layer: [String: NamedTensor], to target: Library
  ) -> [NamedTensor] {
    let module = layer["weight_ih_l0"]?.layer ?? ""
    var places = [RecurrentPosition(module)]
    func exists(_ place: RecurrentPosition) -> Bool {
      layer[String(place.name(of: "weight_ih").dropFirst(module.isEmpty ? 0 : module.count + 1))]
        != nil
    }
    var next = places[0]
    while exists(next) {
      if next.layer > 0 { places.append(next) }
      next.isReversed = true
      if exists(next) { places.append(next) }
      (next.layer, next.isReversed) = (next.layer + 1, false)
    }
    let isDeep = places.contains { $0.layer > 0 }
    let isBidirectional = places.contains(where: \.isReversed)
    var (result, used) = ([NamedTensor](), Set<String>())
    for place in places {
      func tensor(_ name: String) -> NamedTensor? {
        let key = place.name(of: name).dropFirst(module.isEmpty ? 0 : module.count + 1)
        guard var tensor = layer[String(key)] else { return nil }
        used.insert(String(key))
        var parts = module.isEmpty ? [] : [module]
        if isDeep { parts.append("l\(place.layer)") }
        if isBidirectional { parts.append(place.isReversed ? "backward" : "forward") }
        tensor.name = (parts + [name]).joined(separator: ".")
        return tensor
      }
      guard let input = tensor("weight_ih"), let inner = tensor("weight_hh") else { continue }
      let biases = tensor("bias_ih").flatMap { a in tensor("bias_hh").map { (a, $0) } }
      guard let cell = RecurrentCell(input.layer, input, inner, biases) else {
        used = []
        break
      }
      switch target {
      case .keras: result += cell.keras
      case .flax: result += cell.flax
      case .mlx: result += cell.mlx
      case .pytorch: break
      }
    }
    if used.count < layer.count {
      for tensor in layer.values {
        leave(tensor, "a recurrent layer of another kind, such as one with a projection")
      }
      return []
    }
    if isDeep || isBidirectional {
      let parts = [
        isDeep ? "l0, l1, ... on top of each other" : nil,
        isBidirectional ? "forward and backward in time" : nil,
      ]
      notes.append(
        "\(module) became \(places.count) layers: "
          + parts.compactMap { $0 }.joined(separator: ", each "))
    }
    return result
  }
}
