// swift-tools-version: 6.1
import PackageDescription

// Everything behind a trait is there by default. The default is one trait for all of them, rather
// than all of them: SwiftPM before 6.4 recompiles a package with several enabled traits whenever it
// plans a build, because it passes their names in a changing order (swift-package-manager#10525).
let everything = "Everything"

func target(_ name: String, trait: String) -> [Target.Dependency] {
  [trait, everything].map { .target(name: name, condition: .when(traits: [$0])) }
}

/// The condition that C sources see: `NORMA_PNG`.
func cDefine(trait: String) -> [CSetting] {
  [trait, everything].map { .define("NORMA_\(trait.uppercased())", .when(traits: [$0])) }
}

/// The same for Swift.
func define(trait: String) -> [SwiftSetting] {
  [trait, everything].map { .define("NORMA_\(trait.uppercased())", .when(traits: [$0])) }
}

/// MPI is no part of the default: whoever wants it says so.
let mpi: [Target.Dependency] = [.target(name: "CMPI", condition: .when(traits: ["MPI"]))]

let argumentParser: [Target.Dependency] = ["Command", everything].map {
  .product(
    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: [$0]))
}

let package = Package(
  name: "norma",
  platforms: [.macOS(.v15)],
  products: [
    // All of it, and the parts for whoever needs less.
    .library(name: "Norma", targets: ["Norma"]),
    .library(name: "NormaTensor", targets: ["NormaTensor"]),
    .library(name: "NormaNN", targets: ["NormaNN"]),
    .library(name: "NormaFiles", targets: ["NormaFiles"]),
    .library(name: "NormaExplain", targets: ["NormaExplain"]),
    .library(name: "NormaONNX", targets: ["NormaONNX"]),
    .library(name: "NormaModels", targets: ["NormaModels"]),
    .library(name: "NormaDistributed", targets: ["NormaDistributed"]),
    .executable(name: "norma", targets: ["NormaCLI"]),
  ],
  traits: [
    .trait(
      name: "OneDNN",
      description: "Matrix products through oneDNN. Without it they run on plain loops."),
    .trait(name: "PNG", description: "PNG images through libpng."),
    .trait(name: "JPEG", description: "JPEG images through libjpeg."),
    .trait(
      name: "Compression",
      description: "Compressed files (.gz, .npz, .pt) through zlib. Others are read without it."),
    .trait(
      name: "Command",
      description: "The command norma. Without it, swift-argument-parser is not fetched."),
    .trait(name: "Everything", description: "All of these, as by default."),
    .trait(
      name: "MPI",
      description: "Training on several machines, through Open MPI or MPICH; beside Everything."),
    .default(enabledTraits: ["Everything"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // 1: loops and libraries behind small C headers.
    .target(
      name: "CNormaLoops",
      cSettings: [
        "Attention", "Convolution", "Copying", "Elementwise", "Indexing", "Levels", "Linear",
        "Math", "Normalization", "Random", "Recurrent", "Reductions", "Runner", "Scans", "Sorting",
        "Threads",
      ].map { .headerSearchPath($0) }),
    .target(
      name: "COneDNN",
      cSettings: cDefine(trait: "OneDNN"),
      linkerSettings: ["OneDNN", everything].map {
        .linkedLibrary("dnnl", .when(traits: [$0]))
      }),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CLibPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(
      name: "CPNG", dependencies: target("CLibPNG", trait: "PNG"),
      cSettings: cDefine(trait: "PNG")),
    .systemLibrary(
      name: "CLibJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .target(
      name: "CJPEG", dependencies: target("CLibJPEG", trait: "JPEG"),
      cSettings: cDefine(trait: "JPEG")),
    .systemLibrary(
      name: "CLibMPI", pkgConfig: "ompi-c",
      providers: [.apt(["libopenmpi-dev"]), .brew(["open-mpi"])]),
    .target(
      name: "CMPI",
      dependencies: [.target(name: "CLibMPI", condition: .when(traits: ["MPI"]))],
      cSettings: [.define("NORMA_MPI", .when(traits: ["MPI"]))]),

    // 2: values, random numbers, and kernels, which know pointers and strides, and no tensor.
    .target(name: "NormaValues"),
    .target(name: "NormaRandom", dependencies: ["CNormaLoops", "NormaValues"]),
    .target(name: "NormaKernels", dependencies: ["CNormaLoops", "NormaValues"]),
    .target(
      name: "NormaOneDNN", dependencies: ["COneDNN", "CNormaLoops", "NormaValues"]),
    .target(name: "NormaReference"),

    // 3: tensors.
    .target(
      name: "NormaTensor",
      dependencies: ["CNormaLoops", "NormaValues", "NormaRandom", "NormaKernels", "NormaOneDNN"]),

    // 4: networks and files.
    .target(name: "NormaNN", dependencies: ["NormaTensor", "NormaKernels"]),
    .target(
      name: "NormaFiles",
      dependencies: ["NormaTensor"] + target("CZlib", trait: "Compression")
        + target("CPNG", trait: "PNG") + target("CJPEG", trait: "JPEG"),
      swiftSettings: ["Compression", "PNG", "JPEG"].flatMap(define(trait:))),

    // 5 to 7: known networks, explanations, the module that users import, the command line.
    .target(name: "NormaModels", dependencies: ["NormaNN", "NormaFiles", "NormaTensor"]),
    .target(
      name: "NormaExplain",
      dependencies: ["NormaNN", "NormaFiles", "NormaTensor"]),
    .target(
      name: "NormaONNX", dependencies: ["NormaNN", "NormaFiles", "NormaTensor", "NormaKernels"]),
    .target(
      name: "NormaDistributed", dependencies: ["NormaNN", "NormaTensor", "NormaRandom"] + mpi,
      swiftSettings: [.define("NORMA_MPI", .when(traits: ["MPI"]))]),
    .target(
      name: "Norma",
      dependencies: [
        "NormaValues", "NormaRandom", "NormaTensor", "NormaNN", "NormaFiles", "NormaExplain",
      ]),
    .executableTarget(
      name: "NormaCLI",
      dependencies: [
        "Norma", "NormaONNX", "NormaDistributed", "NormaModels", "NormaExplain", "NormaTensor",
        "NormaKernels",
      ] + argumentParser,
      resources: [
        .embedInCode("Capture/norma_capture.py"), .embedInCode("Capture/norma_capture_numpy.py"),
      ]),
    .target(
      name: "NormaConformance",
      dependencies: [
        "NormaTensor", "NormaNN", "NormaFiles", "NormaExplain", "NormaModels", "NormaONNX",
      ]),
    .executableTarget(
      name: "conformance", dependencies: ["NormaConformance"] + argumentParser,
      path: "Sources/Conformance"),

    .testTarget(name: "NormaValuesTests", dependencies: ["NormaValues"]),
    .testTarget(
      name: "NormaRandomTests", dependencies: ["NormaRandom", "NormaValues", "CNormaLoops"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "NormaKernelsTests",
      dependencies: ["NormaKernels", "NormaValues", "NormaReference", "CNormaLoops"]),
    .testTarget(name: "NormaReferenceTests", dependencies: ["NormaReference"]),
    .testTarget(
      name: "NormaOneDNNTests", dependencies: ["NormaOneDNN", "NormaReference", "CNormaLoops"]),
    .testTarget(
      name: "NormaTensorTests",
      dependencies: ["NormaTensor", "NormaOneDNN", "NormaReference", "CNormaLoops"]),
    .testTarget(
      name: "NormaFilesTests", dependencies: ["NormaFiles", "NormaTensor"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaNNTests",
      dependencies: ["NormaNN", "NormaTensor", "NormaReference", "NormaFiles"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaExplainTests",
      dependencies: ["NormaExplain", "NormaNN", "NormaFiles", "NormaTensor", "NormaReference"]),
    .testTarget(
      name: "NormaONNXTests", dependencies: ["NormaONNX", "NormaNN", "NormaFiles", "NormaTensor"]),
    .testTarget(
      name: "NormaDistributedTests", dependencies: ["NormaDistributed", "NormaNN", "NormaTensor"]),
    .testTarget(
      name: "NormaModelsTests",
      dependencies: ["NormaModels", "NormaNN", "NormaFiles", "NormaTensor"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaConformanceTests",
      dependencies: ["NormaConformance", "NormaNN", "NormaTensor", "NormaFiles"]),
    .testTarget(
      name: "NormaTests", dependencies: ["Norma", "NormaTensor", "NormaNN", "NormaFiles"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "NormaCLITests",
      dependencies: [
        "NormaCLI", "Norma", "NormaONNX", "NormaExplain", "NormaTensor", "NormaNN", "NormaFiles",
      ],
      exclude: ["Fixtures"]),
  ],
  swiftLanguageModes: [.v6]
)
