import Norma
#if canImport(Glibc)
import Glibc
#endif
func now() -> Double { var t = timespec(); clock_gettime(CLOCK_MONOTONIC, &t); return Double(t.tv_sec) * 1e3 + Double(t.tv_nsec) / 1e6 }
func time(_ name: String, _ f: () -> Void) -> Double {
  f(); f(); var ts: [Double] = []
  for _ in 0..<9 { let a = now(); f(); ts.append(now() - a) }
  ts.sort(); return ts[4]
}
func show(_ shape: [Int]) {
  let n = shape.reduce(1, *)
  let x = ((Tensor.arange(n).cast(to: .float32) * 0.7310585).cast(to: .float32) - (Tensor.arange(n).cast(to: .float32) * 0.7310585).cast(to: .int64).cast(to: .float32)).reshaped(shape).evaluated()
  let z = Tensor.zeros(shape)
  let copy = time("copy") { x.withUnsafeBytes { a in z.withUnsafeBytes { b in
    nonisolated(unsafe) let d = UnsafeMutableRawPointer(mutating: b.baseAddress!), s = a.baseAddress!
    copyTwo(d, s, n * 4) } } }
  func row(_ name: String, _ f: () -> Void) { let t = time(name, f); print(name, shape, "ms", t, "copies", (t / copy * 100).rounded() / 100) }
  print("copy", copy)
  row("sum") { x.sum().evaluated() }
  row("mean023") { x.mean(over: 0, 2, 3).evaluated() }
  row("var023") { x.variance(over: 0, 2, 3).evaluated() }
  row("var0") { x.variance(over: 0).evaluated() }
  let m = x.mean(over: 0, 2, 3, keepDims: true).evaluated(), s = x.std(over: 0, 2, 3, keepDims: true).evaluated()
  row("(x-m)/(s+eps)") { ((x - m) / (s + 1e-5)).evaluated() }
  let bn = BatchNorm2d(shape[1])
  row("bn train") { bn(x).evaluated() }
  let xl = x.permuted(0, 2, 3, 1).reshaped(-1).reshaped(shape[0], shape[2], shape[3], shape[1]).permuted(0, 3, 1, 2)
  row("bn train cl") { bn(xl).evaluated() }
  bn.eval()
  row("bn eval") { bn(x).evaluated() }
  bn.train()
  row("four") {
    let mean = x.mean(over: 0, 2, 3, keepDims: true)
    let std = x.std(over: 0, 2, 3, keepDims: true)
    let y = (x - mean) / (std + 1e-5)
    (bn(y) - y).abs().max().evaluated()
  }
  let mean = x.mean(over: 0, 2, 3, keepDims: true)
  let std = x.std(over: 0, 2, 3, keepDims: true)
  let y = (x - mean) / (std + 1e-5)
  print((bn(y) - y).abs().max().item())
}
import Dispatch
func copyTwo(_ d: UnsafeMutableRawPointer, _ s: UnsafeRawPointer, _ n: Int) {
  nonisolated(unsafe) let d = d, s = s
  DispatchQueue.concurrentPerform(iterations: 2) { k in memcpy(d + k * n / 2, s + k * n / 2, n / 2) }
}
show([6, 64, 224, 224]); show([32, 64, 56, 56]); show([32, 128, 28, 28])
