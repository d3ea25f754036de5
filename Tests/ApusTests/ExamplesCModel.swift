import CApus
import XCTest

import ApusC

/// A file opened through apus.h, as a C program sees it.
final class CModel {
    private let model: OpaquePointer

    struct Failure: Error, CustomStringConvertible { let description: String }

    private static func check(_ call: (inout apus_error) -> apus_status) throws {
        var error = apus_error()
        guard call(&error) != APUS_OK else { return }
        throw Failure(
            description: withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }

    init(_ path: String) throws {
        var opened: OpaquePointer?
        try CModel.check { apus_model_open(path, &opened, &$0) }
        model = try XCTUnwrap(opened)
    }

    deinit { apus_model_close(model) }

    /// The bytes of output 0, one element a sample, for samples given as bytes: a session for `batch` samples runs them
    /// batch by batch, the last smaller where they do not divide.
    func predict(_ samples: [[UInt8]], batch: Int, threads: Int) throws -> [[UInt8]] {
        var session: OpaquePointer?
        try "batch".withCString { name in
            try withUnsafePointer(to: apus_dimension_limit(name: name, maximum: Int64(batch))) { limit in
                var options = apus_session_options()
                apus_session_options_init(&options)
                options.threads = Int32(threads)
                options.dimensions = limit
                options.dimension_count = 1
                try CModel.check { apus_session_create(model, &options, &session, &$0) }
            }
        }
        defer { apus_session_destroy(session) }
        var results: [[UInt8]] = []
        for start in stride(from: 0, to: samples.count, by: batch) {
            let part = samples[start..<min(start + batch, samples.count)]
            try CModel.check { apus_session_set_dimension(session, "batch", Int64(part.count), &$0) }
            let bytes = part.flatMap { $0 }
            try CModel.check { apus_session_set_input(session, 0, 0, bytes, bytes.count, &$0) }
            try CModel.check { apus_session_run(session, &$0) }
            var info = apus_tensor_info()
            try CModel.check { apus_session_output_info(session, 0, 0, &info, &$0) }
            var output = [UInt8](repeating: 0xAA, count: info.byte_size)
            try CModel.check { apus_session_get_output(session, 0, 0, &output, output.count, &$0) }
            let size = output.count / part.count
            for row in 0..<part.count { results.append(Array(output[row * size..<(row + 1) * size])) }
        }
        return results
    }
}
