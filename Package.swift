// swift-tools-version: 6.2
import PackageDescription

// APUS_EMBEDDED=1 builds the lean targets as Embedded Swift: what ships as libapus (see Makefile).
let embedded = Context.environment["APUS_EMBEDDED"] == "1"

let leanSettings: [SwiftSetting] =
    embedded
    ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-stack-protector"])]
    : []
let cSettings: [CSetting] =
    embedded
    ? [.unsafeFlags([
        "-fPIC", "-ffunction-sections", "-fdata-sections", "-fvisibility=hidden",
        "-fno-asynchronous-unwind-tables", "-Os",
    ])]
    : []

let leanTargets: [Target] = [
    .target(name: "CSystem", exclude: ["README.md"], cSettings: cSettings),
    .target(name: "CKernels", exclude: ["README.md", "gemm/README.md", "mixed/README.md", "conv/README.md", "pool/README.md", "quantized/README.md", "recurrent/README.md", "selection/README.md"], cSettings: cSettings),
    .target(
        name: "CModelFormat", exclude: ["README.md", "generate.sh"], cSettings: cSettings,
        linkerSettings: embedded ? [] : [.linkedLibrary("protobuf-c")]),
    .target(
        name: "ApusGraph", dependencies: ["CKernels", "CModelFormat"], exclude: ["README.md"],
        swiftSettings: leanSettings),
    .target(
        name: "ApusRuntime", dependencies: ["ApusGraph", "CModelFormat", "CSystem", "CKernels"],
        exclude: ["README.md"], swiftSettings: leanSettings),
    .systemLibrary(name: "CApus", path: "Include"),
    .target(
        name: "ApusC", dependencies: ["ApusRuntime", "CApus", "CSystem"], exclude: ["README.md"],
        swiftSettings: leanSettings),
]

let hostTargets: [Target] = [
    .target(
        name: "Apus", dependencies: ["ApusRuntime", "ApusGraph", "CModelFormat", "CKernels", "CSystem", "CImage"],
        exclude: [
            "README.md", "Export/README.md", "Quantizer/README.md", "Report/README.md", "Text/README.md", "Trainer/README.md",
        ]),
    .systemLibrary(
        name: "CImage", providers: [.apt(["libpng-dev", "libjpeg-dev", "zlib1g-dev"])]),
    .target(
        name: "COnnxFormat", exclude: ["README.md", "generate.sh", "onnx.proto"],
        linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(
        name: "ApusConvert", dependencies: ["Apus", "ApusRuntime", "ApusGraph", "COnnxFormat", "CSystem", "CKernels"],
        exclude: [
            "README.md", "ONNX/Integer/README.md", "ONNX/Operators/README.md", "OnnxExport/README.md",
            "OnnxExport/Rules/README.md", "Catalog/README.md",
        ]),
    .target(
        name: "ToolSupport",
        dependencies: [
            "Apus", "ApusRuntime", "ApusGraph", "CKernels",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ], exclude: ["README.md"]),
    .executableTarget(
        name: "convert-model", dependencies: ["ApusConvert", "ToolSupport", "Apus", "ApusRuntime", "ApusGraph"],
        exclude: ["README.md"]),
    // Not "apus": where case does not tell files apart, its build folder would be that of "Apus".
    .executableTarget(
        name: "apus-cli",
        dependencies: ["ToolSupport", "Apus", "ApusRuntime", "ApusGraph", "CKernels", "CSystem"],
        exclude: ["README.md"]),
    // What a test of Apus kills and starts again.
    .executableTarget(name: "train-crash-test", dependencies: ["Apus"], path: "Tests/TrainCrashTest", exclude: ["README.md"]),
    .testTarget(
        name: "ApusTests",
        dependencies: [
            "train-crash-test", "Apus", "ApusConvert", "ApusRuntime", "ApusGraph", "ApusC", "CApus", "CKernels",
            "CModelFormat",
            "example-xor", "example-binary-classifier", "example-digits", "example-forecasting", "example-keywords",
        ], exclude: ["README.md"]),
]

/// What a folder of an example holds beside its program.
let extras = ["binary-classifier": ["data"], "digits": ["data"], "character-gpt": ["curves.svg", "generate.c", "torch_twin.py"]]

let exampleDependencies: [Target.Dependency] = [
    "Apus", "ApusGraph", "ApusRuntime", "ExampleSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
]

/// What an example needs beside those.
let extraDependencies: [String: [Target.Dependency]] = ["fine-tuning": ["ApusConvert"]]

let exampleTargets: [Target] =
    [
        .target(
            name: "ExampleSupport",
            dependencies: ["Apus", "ApusGraph", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Examples/support", exclude: ["README.md"])
    ]
    + [
        "xor", "binary-classifier", "digits", "mnist-cnn", "cifar-cnn", "cifar-resnet", "cifar-mobilenet", "vgg", "sentiment",
        "forecasting", "keywords", "character-gpt", "fine-tuning",
    ].map { name in
        .executableTarget(
            name: "example-" + name,
            dependencies: exampleDependencies + (extraDependencies[name] ?? []),
            path: "Examples/" + name,
            exclude: ["README.md"] + (extras[name] ?? []))
    }

// APUS_DOCS=1 adds what `make docs` needs.
let hostPackages: [Package.Dependency] =
    [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")]
    + (Context.environment["APUS_DOCS"] == "1"
        ? [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0")] : [])

let package = Package(
    name: "Apus",
    products: embedded
        ? [.library(name: "apus", type: .static, targets: ["ApusC"])]
        : [
            .library(name: "Apus", targets: ["Apus"]),
            .library(name: "ApusC", targets: ["ApusC"]),
            .library(name: "ApusConvert", targets: ["ApusConvert"]),
            .executable(name: "apus", targets: ["apus-cli"]),
            .executable(name: "convert-model", targets: ["convert-model"]),
        ],
    dependencies: embedded ? [] : hostPackages,
    targets: embedded ? leanTargets : leanTargets + hostTargets + exampleTargets,
    swiftLanguageModes: [.v6]
)
