import Foundation
import NormaTensor

/// Instructions.
extension OperationExport {
  /// Instructions that are one operator, by name.
  private static let operators = [
    "negate": "Neg", "abs": "Abs", "sqrt": "Sqrt", "floor": "Floor", "ceil": "Ceil",
    "round": "Round", "sign": "Sign", "exp": "Exp", "log": "Log", "tanh": "Tanh", "erf": "Erf",
    "sigmoid": "Sigmoid", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin",
    "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh",
    "acosh": "Acosh", "atanh": "Atanh", "power": "Pow", "add": "Add", "subtract": "Sub",
    "multiply": "Mul", "divide": "Div", "min": "Min", "max": "Max", "equal": "Equal",
    "less": "Less", "less_or_equal": "LessOrEqual", "greater": "Greater",
    "greater_or_equal": "GreaterOrEqual", "logical_and": "And", "logical_or": "Or",
    "logical_xor": "Xor",
  ]
  /// Those whose result is a Boolean.
  private static let comparisons: Set<String> = [
    "equal", "not_equal", "less", "less_or_equal", "greater", "greater_or_equal", "logical_and",
    "logical_or", "logical_xor", "and", "or", "xor",
  ]

  func elementwise(
    _ name: String, _ type: DType, _ given: (position: Int, value: Double)?
  ) -> Operand? {
    if name == "max", type.isFloatingPoint, given?.value == 0, tensors.count == 1 {
      return builder.cast(node("Relu", operand(0, as: type)), type, to: result.dtype)
    }
    var operands: [Operand] = []
    var next = 0
    let count = tensors.count + (given == nil ? 0 : 1)
    for position in 0..<count {
      if let given, given.position == position {
        operands.append(builder.number(given.value, type))
      } else {
        // The first operand of a choice is a Boolean.
        let own = name == "select" && position == 0 ? DType.bool : type
        operands.append(operand(next, as: name == "convert" ? nil : own))
        next += 1
      }
    }
    guard let (value, dtype) = computed(name, operands, type) else {
      return unsupported("the operation \(name) on \(type)")
    }
    return builder.cast(value, dtype, to: result.dtype)
  }

  /// The value of an instruction and its type.
  private func computed(_ name: String, _ x: [Operand], _ type: DType) -> (Operand, DType)? {
    let isComparison = Self.comparisons.contains(name)
    if isComparison && type != .bool && ["and", "or", "xor"].contains(name) { return nil }
    func constant(_ value: Double) -> Operand { builder.number(value, type) }
    let isReal = type.isFloatingPoint
    let value: Operand? =
      switch name {
      case "convert": builder.cast(x[0], tensors[0].dtype, to: result.dtype)
      case "divide" where !isReal: nil
      case "not_equal": node("Not", node("Equal", x[0], x[1]))
      case "and": node("And", x[0], x[1])
      case "or": node("Or", x[0], x[1])
      case "xor": node("Xor", x[0], x[1])
      case "select": node("Where", x[0], x[1], x[2])
      case "rsqrt": node("Reciprocal", node("Sqrt", x[0]))
      case "expm1": node("Sub", node("Exp", x[0]), constant(1))
      case "log1p": node("Log", node("Add", x[0], constant(1)))
      case "exp2": node("Pow", constant(2), x[0])
      case "log2": node("Mul", node("Log", x[0]), constant(1 / log(2.0)))
      case "log10": node("Mul", node("Log", x[0]), constant(1 / log(10.0)))
      case "erfc": node("Sub", constant(1), node("Erf", x[0]))
      case "gelu":
        node(
          "Mul", node("Mul", x[0], constant(0.5)),
          node("Add", node("Erf", node("Mul", x[0], constant(0.5.squareRoot()))), constant(1)))
      case "gate": node("Where", node("Greater", x[0], constant(0)), x[1], constant(0))
      case "lerp": node("Add", x[0], node("Mul", x[2], node("Sub", x[1], x[0])))
      case "normalize":
        node("Add", node("Mul", node("Sub", node("Sub", x[0], x[1]), x[2]), x[3]), x[4])
      case "fmod": node("Mod", x[0], x[1], attributes: [("fmod", .int(1))])
      case "remainder" where !isReal: node("Mod", x[0], x[1])
      case "remainder":
        node("Sub", x[0], node("Mul", node("Floor", node("Div", x[0], x[1])), x[1]))
      case "floor_divide" where isReal: node("Floor", node("Div", x[0], x[1]))
      default: Self.operators[name].map { builder.add($0, x) }
      }
    let dtype = name == "convert" ? result.dtype : isComparison ? .bool : type
    return value.map { ($0, dtype) }
  }
}
