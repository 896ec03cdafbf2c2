import Foundation

/// Two normal numbers from two numbers in `0 ..< 1`: the definition, in Double.
func boxMuller(_ radius: Double, _ angle: Double) -> (Double, Double) {
  let r = (-2 * log(1 - radius)).squareRoot()
  return (r * cos(2 * .pi * angle), r * sin(2 * .pi * angle))
}
