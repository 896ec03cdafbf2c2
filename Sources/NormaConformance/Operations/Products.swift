import NormaTensor

let productOperations: [String: CaseOperation] = [
  "matmul": { [try $0.tensor(0).matmul(try $0.tensor(1, "other"))] },
  "__rmatmul__": { [try $0.tensor(1, "other").matmul(try $0.tensor(0))] },
  "mm": product(2, 2),
  "bmm": product(3, 3),
  "bmm@triton_optimized": product(3, 3),
  "mv": product(2, 1),
  "dot": product(1, 1),
]

/// A product that PyTorch has only for operands of certain ranks.
///
/// Norma has one product for all ranks, so a case about other ranks says nothing about it.
private func product(_ left: Int, _ right: Int) -> CaseOperation {
  { arguments in
    let (a, b) = (try arguments.tensor(0), try arguments.tensor(1, "other"))
    let isBatch = left == 3 && a.rank == 3 && b.rank == 3
    guard a.rank == left, b.rank == right, !isBatch || a.shape[0] == b.shape[0] else {
      throw CaseObstacle.notWritable("the ranks are not \(left) and \(right)")
    }
    return [a.matmul(b)]
  }
}
