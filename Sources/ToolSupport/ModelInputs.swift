import Apus
import ApusGraph
import Foundation

/// Tensors for the inputs of a function, from files.
///
/// An argument is PATH, taken in the order of the inputs, or NAME=PATH. A path ends in .npy, in .npz (arrays are matched
/// by name, others left alone), in .png, .jpg or .jpeg, or holds the bytes of the tensor. Pictures, and u8 data for a
/// real input with a contract, are taken through the input's contract; other numbers are converted among reals and among
/// integers. A missing first dimension of 1 is added.
public struct ModelInputs {
    private let function: Function
    private let resizesPictures: Bool
    private let severalBatches: Bool
    private var found: [Tensor?]
    private var archives: [(path: String, arrays: [String])] = []

    /// - Parameter severalBatches: as for `conform`.
    public static func read(
        _ arguments: [String], for function: Function, resizingPictures: Bool = false, severalBatches: Bool = false
    ) throws(ApusError) -> [Tensor] {
        var inputs = ModelInputs(function, resizingPictures, severalBatches)
        for argument in arguments { try inputs.read(argument) }
        return try inputs.complete()
    }

    private init(_ function: Function, _ resizesPictures: Bool, _ severalBatches: Bool) {
        self.function = function
        self.resizesPictures = resizesPictures
        self.severalBatches = severalBatches
        found = [Tensor?](repeating: nil, count: function.inputs.count)
    }

    private mutating func read(_ argument: String) throws(ApusError) {
        var path = argument
        var index = found.firstIndex { $0 == nil } ?? found.count
        if let equals = argument.firstIndex(of: "="), !FileManager.default.fileExists(atPath: argument) {
            let name = String(argument[..<equals])
            guard let named = function.inputs.firstIndex(where: { $0.name == name }) else {
                throw .argument("no input '\(name)', wanted \(inputNames)")
            }
            index = named
            path = String(argument[argument.index(after: equals)...])
        }
        if path.lowercased().hasSuffix(".npz") { return try readArchive(path) }
        guard index < found.count else { throw .argument("\(path): more inputs than \(found.count) (\(inputNames))") }
        let input = function.inputs[index]
        do throws(ApusError) {
            found[index] = try ModelInputs.conform(try readOne(path, input), input, severalBatches: severalBatches)
        } catch {
            throw error.message.hasPrefix(path) ? error : error.within("\(path)")
        }
    }

    private mutating func readArchive(_ path: String) throws(ApusError) {
        let arrays = try NPZ.read(path)
        archives.append((path, arrays.map { $0.name }))
        for (i, input) in function.inputs.enumerated() where found[i] == nil {
            var array = arrays.first { $0.name == input.name }
            if array == nil, arrays.count == 1, function.inputs.count == 1 { array = arrays[0] }
            guard let array else { continue }
            do throws(ApusError) {
                found[i] = try ModelInputs.conform(array.tensor, input, severalBatches: severalBatches)
            } catch {
                throw error.within("\(path)")
            }
        }
    }

    private func complete() throws(ApusError) -> [Tensor] {
        var tensors: [Tensor] = []
        for (input, tensor) in zip(function.inputs, found) {
            guard let tensor else {
                let found = archives.map { "; \($0.path) has \($0.arrays.joined(separator: ", "))" }.joined()
                throw .argument("no file or array for input '\(input.name)'\(found); inputs are \(inputNames)")
            }
            tensors.append(tensor)
        }
        return tensors
    }

    private var inputNames: String { function.inputs.map { $0.name }.joined(separator: ", ") }

    // MARK: One file

    private func readOne(_ path: String, _ input: FunctionInput) throws(ApusError) -> Tensor {
        let name = path.lowercased()
        if name.hasSuffix(".npy") { return try NPY.read(path) }
        if [".png", ".jpg", ".jpeg"].contains(where: { name.hasSuffix($0) }) { return try picture(path, input) }
        return try raw(path, input)
    }

    private func picture(_ path: String, _ input: FunctionInput) throws(ApusError) -> Tensor {
        let shape = input.type.shape.dimensions
        guard shape.count == 3 || shape.count == 4, let channels = ImageFile.Channels(rawValue: shape.last ?? 0) else {
            throw .shape("a picture for '\(input.name)' \(input.type), wanted an input [batch, H, W, 1 or 3]")
        }
        let (height, width) = (shape[shape.count - 3], shape[shape.count - 2])
        var tensor = try ImageFile.read(path, channels: channels)
        if resizesPictures && height > 0 && width > 0 {
            tensor = try ImageFile.resize(tensor, height: height, width: width)
        }
        return try tensor.reshaped([1] + tensor.shape)
    }

    /// A file of as many whole samples as its size says.
    private func raw(_ path: String, _ input: FunctionInput) throws(ApusError) -> Tensor {
        var status = stat()
        let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        guard kind != S_IFDIR else { throw ApusError(.ioError, "\(path): is a directory") }
        // What a device gives need not end.
        guard kind != S_IFCHR else { throw ApusError(.ioError, "\(path): is a device, wanted a file or a pipe") }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ApusError(.ioError, "\(path): cannot open: \(String(cString: strerror(errno)))")
        }
        guard let data = try? file.readToEnd() ?? Data() else { throw ApusError(.ioError, "\(path): cannot read") }
        var shape = input.type.shape.dimensions
        let sample = shape.reduce(1) { $1 < 0 ? $0 : $0 * $1 } * input.type.dtype.bitWidth / 8
        guard shape.count(where: { $0 < 0 }) <= 1, sample > 0, data.count % sample == 0, !data.isEmpty else {
            throw .shape("\(data.count) bytes for '\(input.name)', wanted a multiple of \(sample)")
        }
        if let axis = shape.firstIndex(where: { $0 < 0 }) { shape[axis] = data.count / sample }
        return try Tensor(dtype: input.type.dtype, shape: shape) { bytes throws(ApusError) in
            data.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    // MARK: Types and shapes

    /// A tensor in the type and shape that an input takes.
    /// - Parameter severalBatches: a first dimension that the model fixes may be a multiple of what it says.
    public static func conform(
        _ tensor: Tensor, _ input: FunctionInput, severalBatches: Bool = false
    ) throws(ApusError) -> Tensor {
        var tensor = tensor
        let wanted = input.type
        if tensor.dtype != wanted.dtype {
            if tensor.dtype == .u8 && wanted.dtype == .f32 && input.contract != nil {
                tensor = try input.contract!.normalization(try tensor.converted(to: .f32))
            } else if tensor.dtype.isFloat && wanted.dtype.isFloat
                || tensor.dtype.isInteger && wanted.dtype.isInteger
            {
                tensor = try tensor.converted(to: wanted.dtype)
            } else {
                let isPixels = tensor.dtype == .u8 && wanted.dtype == .f32
                throw .shape("'\(input.name)' given as \(tensor), wanted \(wanted.dtype.name)"
                    + (isPixels ? "; the model has no input contract that says what bytes stand for" : ""))
            }
        }
        if tensor.shape.count == wanted.shape.rank - 1, wanted.shape[0] < 0 || wanted.shape[0] == 1 {
            tensor = try tensor.reshaped([1] + tensor.shape)
        }
        let fits = tensor.shape.count == wanted.shape.rank
            && zip(tensor.shape, wanted.shape.dimensions).enumerated().allSatisfy { axis, extents in
                let (found, wanted) = extents
                return wanted < 0 || found == wanted || (severalBatches && axis == 0 && wanted > 0 && found % wanted == 0)
            }
        guard fits else {
            let text = wanted.shape.dimensions.enumerated().map { axis, extent in
                extent < 0 ? "any" : severalBatches && axis == 0 && extent > 1 ? "a multiple of \(extent)" : "\(extent)"
            }.joined(separator: ", ")
            throw .shape("'\(input.name)' given as \(tensor), wanted \(wanted.dtype.name) [\(text)]")
        }
        return tensor
    }
}

extension InputContract {
    /// raw → (raw · scale − mean) / std, mean and std along the last axis.
    public var normalization: Normalization { Normalization(scale: scale, mean: mean, std: std) }
}
