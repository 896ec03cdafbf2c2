// swift-tools-version: 6.1
import PackageDescription

// A package of its own, because its program has libFuzzer's `main`. Tools/fuzz-files.sh builds it.
let package = Package(
  name: "norma-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "norma", path: "../..")],
  targets: [
    .executableTarget(
      name: "FuzzFiles",
      dependencies: [
        .product(name: "Norma", package: "norma"), .product(name: "NormaONNX", package: "norma"),
        .product(name: "NormaModels", package: "norma"),
      ],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])])
  ],
  swiftLanguageModes: [.v6]
)
