import ArgumentParser

@testable import NormaCLI

/// The status that a command of `norma` ends with, as the shell sees it.
func exitStatus(_ arguments: String...) -> Int32 { exitStatus(arguments) }

/// The same for arguments in an array.
func exitStatus(_ arguments: [String]) -> Int32 {
  do {
    var command = try NormaCommand.parseAsRoot(arguments)
    try command.run()
    return 0
  } catch {
    return NormaCommand.exitCode(for: error).rawValue
  }
}
