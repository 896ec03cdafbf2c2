// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "norma",
  platforms: [.macOS(.v15)],
  products: [
    // All of it, and the parts for whoever needs less: tensors alone link neither libpng nor zlib.
    .library(name: "Norma", targets: ["Norma"]),
    .library(name: "NormaTensor", targets: ["NormaTensor"]),
    .library(name: "NormaNN", targets: ["NormaNN"]),
    .library(name: "NormaFiles", targets: ["NormaFiles"]),
    .library(name: "NormaExplain", targets: ["NormaExplain"]),
    .executable(name: "norma", targets: ["NormaCLI"]),
  ],
  traits: [
    .trait(
      name: "OneDNN",
      description: "Matrix products through oneDNN. Without it they run on plain loops."),
    .default(enabledTraits: ["OneDNN"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // 1: loops and libraries behind small C headers.
    .target(name: "CNormaLoops"),
    .target(
      name: "COneDNN",
      cSettings: [.define("NORMA_ONEDNN", .when(traits: ["OneDNN"]))],
      linkerSettings: [.linkedLibrary("dnnl", .when(traits: ["OneDNN"]))]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CLibPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(name: "CPNG", dependencies: ["CLibPNG"]),

    // 2: kernels know pointers, counts and strides, and no tensor.
    .target(name: "NormaKernels", dependencies: ["CNormaLoops"]),
    .target(name: "NormaOneDNN", dependencies: ["COneDNN"]),
    .target(name: "NormaReference"),

    // 3: tensors.
    .target(name: "NormaTensor", dependencies: ["CNormaLoops", "NormaKernels", "NormaOneDNN"]),

    // 4: networks and files.
    .target(name: "NormaNN", dependencies: ["NormaTensor", "NormaKernels"]),
    .target(name: "NormaFiles", dependencies: ["NormaTensor", "NormaKernels", "CZlib", "CPNG"]),

    // 5 to 7: explanations, the module that users import, the command line.
    .target(
      name: "NormaExplain",
      dependencies: ["NormaNN", "NormaFiles", "NormaTensor", "NormaKernels"]),
    .target(
      name: "Norma",
      dependencies: ["NormaKernels", "NormaTensor", "NormaNN", "NormaFiles", "NormaExplain"]),
    .executableTarget(
      name: "NormaCLI",
      dependencies: [
        "Norma", "NormaExplain", "NormaTensor",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      resources: [
        .embedInCode("Capture/norma_capture.py"), .embedInCode("Capture/norma_capture_numpy.py"),
      ]),
    .target(
      name: "NormaConformance",
      dependencies: ["NormaKernels", "NormaTensor", "NormaNN", "NormaFiles", "NormaExplain"]),
    .executableTarget(
      name: "conformance",
      dependencies: [
        "NormaConformance", "Norma", "NormaExplain", "NormaFiles", "NormaTensor",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Conformance"),

    .testTarget(
      name: "NormaKernelsTests", dependencies: ["NormaKernels", "NormaReference", "CNormaLoops"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "NormaReferenceTests", dependencies: ["NormaReference"]),
    .testTarget(name: "NormaOneDNNTests", dependencies: ["NormaOneDNN", "NormaReference"]),
    .testTarget(
      name: "NormaTensorTests",
      dependencies: ["NormaTensor", "NormaKernels", "NormaReference", "CNormaLoops"]),
    .testTarget(
      name: "NormaFilesTests", dependencies: ["NormaFiles", "NormaTensor", "NormaKernels"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaNNTests",
      dependencies: ["NormaNN", "NormaTensor", "NormaKernels", "NormaReference", "NormaFiles"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaExplainTests",
      dependencies: [
        "NormaExplain", "NormaNN", "NormaFiles", "NormaTensor", "NormaKernels", "NormaReference",
      ]),
    .testTarget(
      name: "NormaConformanceTests",
      dependencies: ["NormaConformance", "NormaNN", "NormaTensor", "NormaFiles"]),
    .testTarget(
      name: "NormaTests", dependencies: ["Norma", "NormaTensor", "NormaNN", "NormaFiles"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaCLITests",
      dependencies: ["NormaCLI", "Norma", "NormaExplain", "NormaTensor", "NormaNN", "NormaFiles"],
      exclude: ["Fixtures"]),
  ],
  swiftLanguageModes: [.v6]
)
