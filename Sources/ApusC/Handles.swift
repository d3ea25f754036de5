import ApusGraph
import ApusRuntime
import CApus
import CSystem

/// An apus_model is a retained Model; an apus_session is the head of its block.
typealias ModelHandle = OpaquePointer
typealias SessionHandle = OpaquePointer
typealias ErrorPointer = UnsafeMutablePointer<apus_error>

func model(_ handle: ModelHandle?) -> Model? {
    guard let handle else { return nil }
    return Unmanaged<Model>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
}

func session(_ handle: SessionHandle?) -> Session? { handle.map { Session(handle: UnsafeMutableRawPointer($0)) } }

func requireModel(_ handle: ModelHandle?) throws(ApusError) -> Model {
    guard let model = model(handle) else { throw .argument("model is NULL") }
    return model
}

func requireSession(_ handle: SessionHandle?) throws(ApusError) -> Session {
    guard let session = session(handle) else { throw .argument("session is NULL") }
    return session
}

func require<T>(_ pointer: T?, _ what: String) throws(ApusError) -> T {
    guard let pointer else { throw .argument("\(what) is NULL") }
    return pointer
}

/// No name or path is longer.
private let maximumText = 4096

/// Text that ends, of any bytes.
func requireBytes(_ text: UnsafePointer<CChar>?, _ what: String) throws(ApusError) -> UnsafePointer<CChar> {
    let text = try require(text, what)
    var length = 0
    while text[length] != 0 {
        length += 1
        guard length <= maximumText else { throw .argument("\(what) of more than \(maximumText) bytes") }
    }
    return text
}

func requireText(_ text: UnsafePointer<CChar>?, _ what: String) throws(ApusError) -> String {
    String(cString: try requireBytes(text, what))
}

/// Memory of the caller's, which may be NULL where it has no bytes.
func requireMemory(_ data: UnsafeRawPointer?, _ size: Int, _ what: String) throws(ApusError) -> UnsafeRawBufferPointer {
    guard size >= 0 else { throw .argument("size is too large") }
    return UnsafeRawBufferPointer(start: size == 0 ? data : try require(data, what), count: size)
}

/// Equality of C strings; allocates nothing.
func sameText(_ a: UnsafePointer<CChar>, _ b: UnsafePointer<CChar>) -> Bool {
    var i = 0
    while a[i] == b[i] {
        if a[i] == 0 { return true }
        i += 1
    }
    return false
}

/// Runs a body that may throw, turns its error into a status and fills in the caller's apus_error. `undo` takes back what
/// the body made before it failed or while memory ran out.
func status(
    _ error: ErrorPointer?, undo: () -> Void = {}, _ body: () throws(ApusError) -> Void
) -> apus_status {
    guard cs_guard_begin() == 0 else { return reportNoMemory(to: error) }
    let mode = cs_float_begin()
    defer {
        cs_float_end(mode)
        cs_guard_end()
    }
    var result = APUS_OK
    do throws(ApusError) { try body() } catch let failure { result = report(failure, to: error) }
    if cs_guard_failed() != 0 { result = reportNoMemory(to: error) }
    if result != APUS_OK { undo() }
    return result
}

/// Builds nothing, so that it works without memory.
private func reportNoMemory(to error: ErrorPointer?) -> apus_status {
    if let error {
        error.pointee.code = APUS_OUT_OF_MEMORY
        let text: StaticString = "out of memory"
        withUnsafeMutableBytes(of: &error.pointee.message) { message in
            for i in 0..<text.utf8CodeUnitCount { message[i] = text.utf8Start[i] }
            message[text.utf8CodeUnitCount] = 0
        }
    }
    return APUS_OUT_OF_MEMORY
}

func report(_ failure: ApusError, to error: ErrorPointer?) -> apus_status {
    let code = apus_status(UInt32(failure.code.rawValue))
    guard let error else { return code }
    error.pointee.code = code
    withUnsafeMutableBytes(of: &error.pointee.message) { message in
        // A text that is too long loses characters in its middle: it begins with the thing and ends with what was wanted.
        failure.message.withBytes { text in
            let half = message.count / 2 - 2
            var i = 0, skips = false
            for place in 0..<text.count {
                let byte = text[place]
                if text.count >= message.count && byte & 0xC0 != 0x80 {
                    let skipped = skips
                    skips = place > half - 4 && place < text.count - half
                    if skips && !skipped {
                        for _ in 0..<3 { message[i] = 0x2E; i += 1 }
                    }
                }
                if !skips {
                    message[i] = byte == 0x0A || byte == 0x0D ? 0x20 : byte
                    i += 1
                }
            }
            message[i] = 0
        }
    }
    return code
}

/// The index of a name among C strings.
func find(
    _ name: UnsafePointer<CChar>?, in names: [Names.Text], _ what: String, _ index: UnsafeMutablePointer<Int>?
) throws(ApusError) {
    let index = try require(index, "result")
    let wanted = try require(name, "name")
    for (i, candidate) in names.enumerated() where sameText(candidate, wanted) {
        index.pointee = i
        return
    }
    throw .argument("no \(what) '\(try requireText(name, "name"))'")
}
