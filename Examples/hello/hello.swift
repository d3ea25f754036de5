// hello MODEL IMAGE: prints the label and the logits of one image (raw little-endian f32).
import CApus
import Foundation

func fail(_ message: String, status: Int32 = 1) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(status)
}

/// Calls a function of apus.h; ends the program with its message unless it succeeds.
func check(_ call: (inout apus_error) -> apus_status) {
    var error = apus_error()
    if call(&error) == APUS_OK { return }
    fail("hello: " + withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
}

guard CommandLine.arguments.count == 3 else { fail("usage: hello MODEL IMAGE", status: 2) }
var model: OpaquePointer?
check { apus_model_open(CommandLine.arguments[1], &model, &$0) }
defer { apus_model_close(model) }

var session: OpaquePointer?
"batch".withCString { name in
    withUnsafePointer(to: apus_dimension_limit(name: name, maximum: 1)) { batch in
        var options = apus_session_options()
        apus_session_options_init(&options)
        options.dimensions = batch
        options.dimension_count = 1
        check { apus_session_create(model, &options, &session, &$0) }
    }
}
defer { apus_session_destroy(session) }

var info = apus_tensor_info()
check { apus_session_input_info(session, 0, 0, &info, &$0) }
guard let image = FileManager.default.contents(atPath: CommandLine.arguments[2]), image.count == info.byte_size else {
    fail("hello: \(CommandLine.arguments[2]): not \(info.byte_size) bytes")
}
check { error in image.withUnsafeBytes { apus_session_set_input(session, 0, 0, $0.baseAddress, $0.count, &error) } }
check { apus_session_run(session, &$0) }

check { apus_session_output_info(session, 0, 0, &info, &$0) }
var logits = [Float](repeating: 0, count: info.byte_size / MemoryLayout<Float>.stride)
check { error in
    logits.withUnsafeMutableBytes { apus_session_get_output(session, 0, 0, $0.baseAddress, $0.count, &error) }
}
let best = logits.indices.max { logits[$0] < logits[$1] }!
let labels = apus_model_metadata(model, "labels.logits").map { String(cString: $0).split(separator: "\n") } ?? []
print("label", best < labels.count ? labels[best] : "?")
print("logits", logits.map { String(format: "%.9g", Double($0)) }.joined(separator: " "))
