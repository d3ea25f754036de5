import ApusGraph

/// The binary version of CIFAR-10 (Krizhevsky 2009): records of one label byte and 3,072 bytes of a 32 × 32 picture.
public enum CIFAR10 {
    /// How a record keeps its picture. The official files are channels-first: 1,024 red, 1,024 green, 1,024 blue.
    public enum Layout: Sendable {
        case channelsFirst
        case channelsLast
    }

    public static let classNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    private static let side = 32
    private static let channels = 3

    /// Reads files, gzipped or not, one after another: inputs u8 [N, 32, 32, 3], targets i32 [N].
    public static func read(
        _ paths: [String], layout: Layout = .channelsFirst
    ) throws(ApusError) -> Dataset {
        var pictures: [Tensor] = []
        var labels: [Tensor] = []
        for path in paths {
            let part = try FileBytes(contentsOf: path).withBytes { bytes throws(ApusError) in
                try parse(bytes, layout: layout, name: path)
            }
            pictures.append(part.pictures)
            labels.append(part.labels)
        }
        return try Dataset(
            inputs: .concatenated(pictures), targets: .concatenated(labels), classNames: classNames)
    }

    static func parse(
        _ bytes: UnsafeRawBufferPointer, layout: Layout, name: String
    ) throws(ApusError) -> (pictures: Tensor, labels: Tensor) {
        let plane = side * side
        let size = channels * plane
        let record = 1 + size
        guard bytes.count % record == 0, bytes.count > 0 else {
            throw .file("\(name): found \(bytes.count) bytes, wanted CIFAR-10 records of \(record) bytes each")
        }
        let count = bytes.count / record
        var labels: [Int32] = []
        for index in 0..<count {
            let label = bytes[index * record]
            guard label < classNames.count else {
                throw .file("\(name): record \(index) has the label \(label), wanted 0 to \(classNames.count - 1)")
            }
            labels.append(Int32(label))
        }
        let pictures = try Tensor(dtype: .u8, shape: [count, side, side, channels]) { destination throws(ApusError) in
            for index in 0..<count {
                let source = bytes.baseAddress! + index * record + 1
                let picture = destination.baseAddress! + index * size
                switch layout {
                case .channelsLast:
                    picture.copyMemory(from: source, byteCount: size)
                case .channelsFirst:
                    let planes = source.assumingMemoryBound(to: UInt8.self)
                    let pixels = picture.assumingMemoryBound(to: UInt8.self)
                    for pixel in 0..<plane {
                        for channel in 0..<channels {
                            pixels[pixel &* channels &+ channel] = planes[channel &* plane &+ pixel]
                        }
                    }
                }
            }
        }
        return (pictures, try Tensor(labels))
    }
}
