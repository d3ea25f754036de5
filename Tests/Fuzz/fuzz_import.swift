import Apus
import ApusGraph
import ApusRuntime
import Foundation

@testable import ApusConvert

private let nowhere = URL(fileURLWithPath: "/nonexistent")

/// A second of work at most: inputs are many.
private let options = {
    var options = OnnxOptions()
    options.limits.onnxNodes = 1 << 12
    options.limits.nodes = 1 << 12
    options.limits.valueBytes = 1 << 22
    options.limits.bytes = 1 << 24
    options.limits.operations = 1 << 26
    return options
}()

/// One input as ONNX: read, imported, rewritten, written and read again. Anything but a valid file or an error of one line
/// ends the process.
@_cdecl("LLVMFuzzerTestOneInput")
public func importOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: size)
    let graph: Graph
    do throws(ApusError) {
        let model = try OnnxReader.read(try OnnxFile.open(bytes: bytes, folder: nowhere))
        guard case .success(let imported) = try Importer.graph(of: model, options) else { return 0 }
        graph = imported
    } catch {
        precondition(!error.message.isEmpty, "an error without a message")
        return 0
    }
    guard graph.size < 1 << 24 else { return 0 }
    let file: HeapStorage
    do throws(ApusError) { file = HeapStorage(try ModelWriter.bytes(try Export.optimize(graph))) } catch {
        precondition(!error.message.isEmpty, "an error without a message")
        return 0
    }
    do throws(ApusError) { _ = try ApusRuntime.Model(bytes: file.bytes) } catch {
        fatalError("a file that was written cannot be read: \(error.message)")
    }
    return 0
}

extension Graph {
    /// Bytes of constants, and of values of the largest dimensions that rewriting might compute.
    fileprivate var size: Int { constants.reduce(0) { $0 + $1.type.byteSize } }
}
