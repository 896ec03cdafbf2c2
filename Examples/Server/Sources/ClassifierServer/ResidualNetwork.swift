import Norma

/// Two convolutions with batch norm, beside which the input passes on.
final class ResidualBlock: Module, Layer {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let shortcut: any Layer

  init(_ inputs: Int, _ outputs: Int, stride: Int) {
    conv1 = Conv2d(
      inputs, outputs, kernelSize: 3, stride: stride, padding: 1, bias: false)
    bn1 = BatchNorm2d(outputs)
    conv2 = Conv2d(outputs, outputs, kernelSize: 3, padding: 1, bias: false)
    bn2 = BatchNorm2d(outputs)
    shortcut =
      inputs == outputs
      ? Identity()
      : Sequential(
        Conv2d(inputs, outputs, kernelSize: 1, stride: stride, bias: false),
        BatchNorm2d(outputs))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn1(conv1(x)).relu()
    return (bn2(conv2(y)) + shortcut(x)).relu()
  }
}

/// The network that `norma train` trains, with the same names of parameters: six residual blocks in
/// three sizes, then the mean over the image and a linear layer.
///
/// The momentum of batch norm is left out: it has no effect in evaluation.
final class ResidualNetwork: Module, Layer {
  let conv: Conv2d
  let bn: BatchNorm2d
  let blocks: Sequential
  let fc: Linear

  init(width: Int, classes: Int) {
    func block(_ inputs: Int, _ outputs: Int, stride: Int = 1) -> ResidualBlock {
      ResidualBlock(inputs, outputs, stride: stride)
    }
    conv = Conv2d(1, width, kernelSize: 3, padding: 1, bias: false)
    bn = BatchNorm2d(width)
    blocks = Sequential(
      block(width, width), block(width, width),
      block(width, 2 * width, stride: 2), block(2 * width, 2 * width),
      block(2 * width, 4 * width, stride: 2), block(4 * width, 4 * width))
    fc = Linear(4 * width, classes)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc(blocks(bn(conv(x)).relu()).mean(over: 2, 3))
  }
}
