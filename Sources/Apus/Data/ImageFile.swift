import ApusGraph
import CImage
import Foundation

/// Pictures in PNG and JPEG files, as u8 tensors [H, W, C].
public enum ImageFile {
    public enum Channels: Int, Sendable {
        /// One channel, the luma of ITU-R BT.601.
        case gray = 1
        /// Red, green, blue.
        case rgb = 3
    }

    /// A picture of more pixels is refused: a file of a few bytes may claim any size.
    public static let pixelLimit = 1 << 26

    /// Reads a PNG or JPEG file, whichever its first bytes say. An alpha channel is dropped.
    ///
    /// - Throws: `.badFile` for broken or other files, `.unsupported` above the pixel limit.
    public static func read(_ path: String, channels: Channels = .rgb) throws(ApusError) -> Tensor {
        try FileBytes(contentsOf: path).withBytes { bytes throws(ApusError) in
            try decode(bytes, channels: channels, name: path)
        }
    }

    /// Writes a u8 tensor [H, W] or [H, W, C] with C of 1 (gray), 3 (RGB) or 4 (RGBA) as PNG.
    public static func writePNG(_ tensor: Tensor, to path: String) throws(ApusError) {
        let channels = tensor.shape.count == 2 ? 1 : tensor.shape.last ?? 0
        guard tensor.dtype == .u8, 2...3 ~= tensor.shape.count, [1, 3, 4].contains(channels), tensor.count > 0,
            tensor.count / channels <= pixelLimit
        else { throw .shape("\(path): cannot write \(tensor) as PNG, wanted u8 [H, W, 1, 3 or 4]") }
        var image = cimage()
        image.height = UInt32(tensor.shape[0])
        image.width = UInt32(tensor.shape[1])
        image.channels = UInt32(channels)
        var encoded: UnsafeMutablePointer<UInt8>?
        var length = 0
        let status = tensor.withUnsafeBytes { bytes in
            image.pixels = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            return cimage_encode_png(&image, &encoded, &length)
        }
        try check(status, image, path)
        defer { free(encoded) }
        try AtomicFile.write(Array(UnsafeRawBufferPointer(start: encoded, count: length)), to: path)
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, channels: Channels, name: String
    ) throws(ApusError) -> Tensor {
        let source = bytes.bindMemory(to: UInt8.self).baseAddress
        let count = UInt32(channels.rawValue)
        var image = cimage()
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            try check(cimage_decode_png(source, bytes.count, count, UInt64(pixelLimit), &image), image, name)
        } else if bytes.starts(with: [0xFF, 0xD8]) {
            try check(cimage_decode_jpeg(source, bytes.count, count, UInt64(pixelLimit), &image), image, name)
        } else {
            throw .file("\(name): found the bytes \(Array(bytes.prefix(4))), wanted a PNG or JPEG file")
        }
        defer { free(image.pixels) }
        let shape = [Int(image.height), Int(image.width), channels.rawValue]
        let pixels = UnsafeRawBufferPointer(start: image.pixels, count: shape.reduce(1, *))
        return try Tensor(copying: pixels, dtype: .u8, shape: shape)
    }

    private static func check(_ status: cimage_status, _ image: cimage, _ name: String) throws(ApusError) {
        if status == CIMAGE_OK { return }
        let message = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let code: ApusError.Code =
            status == CIMAGE_TOO_LARGE ? .unsupported : status == CIMAGE_NO_MEMORY ? .outOfMemory : .badFile
        throw ApusError(code, "\(name): \(message)")
    }
}
