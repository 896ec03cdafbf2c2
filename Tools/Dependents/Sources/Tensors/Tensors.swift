import NormaTensor

@main struct Tensors {
  static func main() {
    let x = Tensor([[1, 2], [3, 4]] as [[Float]])
    print(x.matmul(x).array(of: Float.self), x.mean().item())
  }
}
