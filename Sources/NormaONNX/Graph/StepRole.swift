import NormaNN

/// What a step does, as far as passes need to know.
enum StepRole {
  case plain
  /// Returns its first operand in evaluation.
  case passing
  /// A product with the weights in operand 1.
  case product(WeightedProduct)
  /// A batch norm of operand 0.
  case norm(BatchNorm)
  /// A function of two operands, elementwise.
  case arithmetic(ChannelArithmetic)
}

/// A convolution or matrix product, into which a map of its output channels can be folded.
struct WeightedProduct {
  /// The axis of the weights that has the outputs.
  let outputAxis: Int
  /// The number of axes of a result; nil if the other operand decides it.
  let rank: Int?
  /// The axis of a result that has the outputs, counted from the end.
  let channelAxis: Int
  /// Whether operand 2 is a bias.
  let takesBias: Bool

  /// A convolution with weights of `rank` axes; its results have as many.
  static func convolution(rank: Int, outputAxis: Int = 0) -> WeightedProduct {
    WeightedProduct(
      outputAxis: outputAxis, rank: rank, channelAxis: 1 - rank, takesBias: true)
  }
}

/// An operator of two values, one of which may be a constant for each channel.
enum ChannelArithmetic: String {
  case add = "Add"
  case subtract = "Sub"
  case multiply = "Mul"
  case divide = "Div"
}
