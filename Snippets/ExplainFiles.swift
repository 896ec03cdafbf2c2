// Explains a batch norm of your own: swift run ExplainFiles x.npy mine.npy

import Norma

func explain(_ inputPath: String, _ resultPath: String) throws -> Explanation {
  let x = try Tensor(npy: inputPath)
  let mine = try Tensor(npy: resultPath)
  return BatchNorm2d(x.shape[1]).explain(x, expecting: mine)
}

let paths = CommandLine.arguments.dropFirst()
if paths.count == 2 {
  print(try explain(paths[1], paths[2]))
} else {
  print("ExplainFiles <the layer's input> <your result>")
}
