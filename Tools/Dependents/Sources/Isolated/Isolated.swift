import NormaNN

final class Net: Module, Layer {
  let fc = Linear(4, 2)

  func callAsFunction(_ x: Tensor) -> Tensor { fc(x) }
}

/// A network of one's own in a module whose declarations belong to the main actor.
@main struct Isolated {
  static func main() {
    let net = Net()
    print(net(Tensor([[1, 2, 3, 4]] as [[Float]])).shape, net.parameters.count)
  }
}
