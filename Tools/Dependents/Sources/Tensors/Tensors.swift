import NormaTensor

@main struct Tensors {
  static func main() {
    manualSeed(0)
    let x = Tensor([[1, 2], [3, 4]] as [[Float]])
    let half: DType = .float16
    let moments: Moments = x.moments()
    let draws = withSeed(1) { Tensor.rand(2, dtype: half) }
    print(x.matmul(x).array(of: Float.self), moments.mean[0], draws.dtype, Generator.current.seed)
  }
}
