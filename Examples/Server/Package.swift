// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that programs that depend on Norma do not fetch hummingbird.
// `make server-test` in the root builds and tests it.
//
// Norma has its default trait and hummingbird none: SwiftPM before 6.4 compiles a package with
// several enabled traits again in every build (swift-package-manager#10525).
let package = Package(
  name: "norma-server",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "norma", path: "../.."),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
  ],
  targets: [
    .target(
      name: "ClassifierServer",
      dependencies: [
        .product(name: "Norma", package: "norma"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]),
    .executableTarget(
      name: "norma-server",
      dependencies: [
        "ClassifierServer",
        .product(name: "Norma", package: "norma"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Command"),
    .testTarget(
      name: "ClassifierServerTests",
      dependencies: ["ClassifierServer", .product(name: "Norma", package: "norma")],
      resources: [.copy("Fixtures")]),
  ],
  swiftLanguageModes: [.v6]
)
