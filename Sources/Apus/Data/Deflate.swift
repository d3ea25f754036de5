import ApusGraph
import CImage
import Foundation

/// Whole buffers through zlib.
enum Deflate {
    /// The window bits that tell zlib what stands around the deflated data.
    enum Container: Int32 {
        case none = -15
        case gzip = 31
    }

    /// Deflate makes at most this many bytes of one.
    static let largestRatio = 1032

    /// Inflates `source`, which must give exactly as many bytes as `destination` has.
    static func inflate(
        _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer, name: String
    ) throws(ApusError) {
        let stream = makeStream()
        defer { stream.deallocate() }
        guard inflateInit2_(stream, Container.none.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw ApusError(.outOfMemory, "\(name): no memory to inflate") }
        defer { inflateEnd(stream) }
        let status = run(stream, source, destination) { CImage.inflate($0, Z_NO_FLUSH) }
        let made = Int(stream.pointee.total_out)
        guard status == Z_STREAM_END, made == destination.count else {
            throw .file("\(name): broken deflated data: found \(made) bytes, wanted \(destination.count)")
        }
    }

    static func compress(_ source: UnsafeRawBufferPointer, container: Container) throws(ApusError) -> [UInt8] {
        let stream = makeStream()
        defer { stream.deallocate() }
        guard deflateInit2_(
            stream, Z_BEST_COMPRESSION, Z_DEFLATED, container.rawValue, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw ApusError(.outOfMemory, "no memory to deflate") }
        defer { deflateEnd(stream) }
        let bound = Int(deflateBound(stream, UInt(source.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            _ = run(stream, source, UnsafeMutableRawBufferPointer(buffer)) {
                let offered = Int($0.pointee.total_in) + Int($0.pointee.avail_in)
                return deflate($0, offered == source.count ? Z_FINISH : Z_NO_FLUSH)
            }
            count = Int(stream.pointee.total_out)
        }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var sum: UInt = 0
        var offset = 0
        while offset < bytes.count {
            let part = min(bytes.count - offset, 1 << 30)
            sum = crc32(sum, (bytes.baseAddress! + offset).assumingMemoryBound(to: UInt8.self), UInt32(part))
            offset += part
        }
        return UInt32(sum)
    }

    /// A stream at a fixed address, which zlib remembers.
    private static func makeStream() -> UnsafeMutablePointer<z_stream> {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        return stream
    }

    /// Feeds zlib, which counts in 32 bits, until it ends, fails or stands still. Once the destination is full, a spare
    /// byte shows whether the data go on.
    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ source: UnsafeRawBufferPointer,
        _ destination: UnsafeMutableRawBufferPointer, step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> Int32 {
        let part = 1 << 30
        var spare: UInt8 = 0
        return withUnsafeMutablePointer(to: &spare) { spare in
            while true {
                let read = Int(stream.pointee.total_in)
                let made = Int(stream.pointee.total_out)
                if read < source.count {
                    stream.pointee.next_in = UnsafeMutablePointer(
                        mutating: (source.baseAddress! + read).assumingMemoryBound(to: UInt8.self))
                }
                stream.pointee.avail_in = UInt32(min(source.count - read, part))
                if made < destination.count {
                    stream.pointee.next_out = (destination.baseAddress! + made).assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(min(destination.count - made, part))
                } else {
                    stream.pointee.next_out = spare
                    stream.pointee.avail_out = made == destination.count ? 1 : 0
                }
                let status = step(stream)
                let stands = Int(stream.pointee.total_in) == read && Int(stream.pointee.total_out) == made
                if status != Z_OK || stands { return status }
            }
        }
    }
}
