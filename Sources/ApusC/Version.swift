import CApus

// 1. Version and errors

private let version = StaticString("1.0.0\0")

@_cdecl("apus_version") @implementation
public func apus_version() -> UnsafePointer<CChar>! { text(version) }

@_cdecl("apus_status_text") @implementation
public func apus_status_text(_ status: apus_status) -> UnsafePointer<CChar>! {
    switch status {
    case APUS_OK: text("ok\0")
    case APUS_INVALID_ARGUMENT: text("invalid argument\0")
    case APUS_IO_ERROR: text("input/output error\0")
    case APUS_BAD_FILE: text("bad file\0")
    case APUS_UNSUPPORTED: text("unsupported\0")
    case APUS_BAD_SHAPE: text("bad shape\0")
    case APUS_OUT_OF_MEMORY: text("out of memory\0")
    case APUS_NOT_READY: text("not ready\0")
    case APUS_THREAD_ERROR: text("thread error\0")
    default: text("unknown status\0")
    }
}

private func text(_ string: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
}
