// swift-tools-version: 6.2
import PackageDescription

// A package that depends on Norma without any trait. Tools/check-dependents.sh builds it.
let package = Package(
  name: "dependents",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "norma", path: "../..", traits: [])],
  targets: [
    .executableTarget(
      name: "Tensors", dependencies: [.product(name: "NormaTensor", package: "norma")]),
    .executableTarget(
      name: "Files", dependencies: [.product(name: "NormaFiles", package: "norma")]),
    // The default of new applications in Xcode.
    .executableTarget(
      name: "Isolated", dependencies: [.product(name: "NormaNN", package: "norma")],
      swiftSettings: [.defaultIsolation(MainActor.self)]),
  ],
  swiftLanguageModes: [.v6]
)
