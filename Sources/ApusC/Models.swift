import ApusGraph
import ApusRuntime
import CApus

// 2. Models

@_cdecl("apus_model_open") @implementation
public func apus_model_open(
    _ path: UnsafePointer<CChar>!, _ model: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    model?.pointee = nil
    return status(error, undo: { close(model) }) { () throws(ApusError) in
        let result = try require(model, "model")
        let opened = try Model(path: try requireBytes(path, "path"))
        result.pointee = OpaquePointer(Unmanaged.passRetained(opened).toOpaque())
    }
}

@_cdecl("apus_model_open_memory") @implementation
public func apus_model_open_memory(
    _ bytes: UnsafeRawPointer!, _ size: Int, _ model: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    model?.pointee = nil
    return status(error, undo: { close(model) }) { () throws(ApusError) in
        let result = try require(model, "model")
        let opened = try Model(bytes: try requireMemory(bytes, size, "bytes"))
        result.pointee = OpaquePointer(Unmanaged.passRetained(opened).toOpaque())
    }
}

@_cdecl("apus_model_close") @implementation
public func apus_model_close(_ model: OpaquePointer!) {
    guard let model else { return }
    Unmanaged<Model>.fromOpaque(UnsafeRawPointer(model)).release()
}

private func close(_ model: UnsafeMutablePointer<OpaquePointer?>?) {
    apus_model_close(model?.pointee)
    model?.pointee = nil
}
