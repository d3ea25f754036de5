import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// A tool of the package, run as a program of its own.
struct CLIRun {
    let code: Int32
    let output: String
    let errors: String

    /// The executable lies beside the tests.
    static func path(_ tool: String) -> String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(tool).path
    }

    init(
        _ tool: String, _ arguments: [String], environment: [String: String] = [:], output: String? = nil, input: [UInt8] = []
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CLIRun.path(tool))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (outputPipe, errorPipe) = (Pipe(), Pipe())
        process.standardOutput = try output.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) } ?? outputPipe
        process.standardError = errorPipe
        let inputPipe = Pipe()
        process.standardInput = inputPipe
        try process.run()
        try? inputPipe.fileHandleForWriting.write(contentsOf: input)
        try? inputPipe.fileHandleForWriting.close()
        // Both are read at once: a full pipe would stop the tool.
        let errorReader = PipeReader(errorPipe)
        let outputData = output == nil ? outputPipe.fileHandleForReading.readDataToEndOfFile() : Data()
        errors = String(decoding: errorReader.data(), as: UTF8.self)
        process.waitUntilExit()
        code = process.terminationStatus
        self.output = String(decoding: outputData, as: UTF8.self)
    }

    /// Runs a tool that must succeed, and returns the greatest size its resident set was seen to have had, in KB.
    static func peakMemory(_ tool: String, _ arguments: [String]) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path(tool))
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        // What AddressSanitizer holds back of freed memory is none of the tool's.
        var environment = ProcessInfo.processInfo.environment
        environment["ASAN_OPTIONS"] = (environment["ASAN_OPTIONS"].map { $0 + ":" } ?? "") + "quarantine_size_mb=1"
        process.environment = environment
        try process.run()
        var peak = 0.0
        while process.isRunning {
            let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
            if let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                let size = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
            {
                peak = max(peak, size)
            }
            usleep(2000)
        }
        XCTAssertEqual(process.terminationStatus, 0, "\(tool) \(arguments)")
        return peak
    }

    /// The run ended with `code` and one line on standard error that has `parts` in it, in this order.
    func expectFailure(_ code: Int32, _ parts: String..., file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(self.code, code, errors, file: file, line: line)
        let lines = errors.split(separator: "\n", omittingEmptySubsequences: false)
        XCTAssertEqual(lines.count, 2, "one line: \(errors)", file: file, line: line)
        var rest = errors[...]
        for part in parts {
            guard let range = rest.range(of: part) else {
                XCTFail("no '\(part)' in: \(errors)", file: file, line: line)
                continue
            }
            rest = rest[range.upperBound...]
        }
    }

    func expectSuccess(file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(code, 0, errors, file: file, line: line)
    }

    func json(file: StaticString = #filePath, line: UInt = #line) throws -> [String: Any] {
        try XCTUnwrap(
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], output, file: file, line: line)
    }
}

private final class PipeReader: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var read = Data()

    init(_ pipe: Pipe) {
        Thread.detachNewThread { [self] in
            read = pipe.fileHandleForReading.readDataToEndOfFile()
            done.signal()
        }
    }

    func data() -> Data {
        done.wait()
        return read
    }
}

/// A folder with a small convolutional model, "m.apus", for inputs [batch, 8, 8, 1] of bytes / 255.
final class CLIFixture {
    let folder: ScratchFolder
    let model: String
    let network: Network

    init() throws {
        folder = try ScratchFolder()
        model = folder.file("m.apus")
        network = try Sequential(input: [8, 8, 1], name: "small", seed: 5) {
            Conv2D(4, kernel: 3, activation: .relu)
            BatchNorm()
            Flatten()
            Dense(3)
        }
        var contract = InputContract()
        contract.layout = "NHWC"
        contract.color = "gray"
        contract.rawRange = 0...255
        contract.scale = 1 / 255
        try network.setContract(contract)
        network.classNames = ["red", "green", "blue"]
        try network.export(to: model)
    }

    func file(_ name: String) -> String { folder.file(name) }

    /// Random samples within the contract, written as "NAME".
    func samples(_ count: Int, _ name: String) throws -> Tensor {
        let graph = try network.inferenceGraph(maximumBatch: count)
        let tensor = try Goldens.randomInputs(of: graph, function: 0, dimensions: [count])[0]
        try NPY.write(tensor, to: file(name))
        return tensor
    }
}
