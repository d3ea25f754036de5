import ApusGraph
import ApusRuntime
import CApus

// 3. What a model holds

@_cdecl("apus_model_function_count") @implementation
public func apus_model_function_count(_ handle: OpaquePointer!) -> Int { model(handle)?.names.functions.count ?? 0 }

@_cdecl("apus_model_function_name") @implementation
public func apus_model_function_name(_ handle: OpaquePointer!, _ function: Int) -> UnsafePointer<CChar>! {
    element(model(handle)?.names.functions, function)
}

@_cdecl("apus_model_find_function") @implementation
public func apus_model_find_function(
    _ handle: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ function: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        try find(name, in: try requireModel(handle).names.functions, "function", function)
    }
}

@_cdecl("apus_model_input_count") @implementation
public func apus_model_input_count(_ handle: OpaquePointer!, _ function: Int) -> Int {
    element(model(handle)?.names.inputs, function)?.count ?? 0
}

@_cdecl("apus_model_output_count") @implementation
public func apus_model_output_count(_ handle: OpaquePointer!, _ function: Int) -> Int {
    element(model(handle)?.names.outputs, function)?.count ?? 0
}

@_cdecl("apus_model_input_info") @implementation
public func apus_model_input_info(
    _ handle: OpaquePointer!, _ function: Int, _ input: Int, _ info: UnsafeMutablePointer<apus_tensor_info>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let model = try requireModel(handle)
        try fill(info, model, .input, function, input, dimensions: model.graph.maxima)
    }
}

@_cdecl("apus_model_output_info") @implementation
public func apus_model_output_info(
    _ handle: OpaquePointer!, _ function: Int, _ output: Int, _ info: UnsafeMutablePointer<apus_tensor_info>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let model = try requireModel(handle)
        try fill(info, model, .output, function, output, dimensions: model.graph.maxima)
    }
}

@_cdecl("apus_model_find_input") @implementation
public func apus_model_find_input(
    _ handle: OpaquePointer!, _ function: Int, _ name: UnsafePointer<CChar>!, _ input: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        try find(name, in: try edgeNames(handle, .input, function), "input", input)
    }
}

@_cdecl("apus_model_find_output") @implementation
public func apus_model_find_output(
    _ handle: OpaquePointer!, _ function: Int, _ name: UnsafePointer<CChar>!, _ output: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        try find(name, in: try edgeNames(handle, .output, function), "output", output)
    }
}

@_cdecl("apus_model_dimension_count") @implementation
public func apus_model_dimension_count(_ handle: OpaquePointer!) -> Int { model(handle)?.names.dimensions.count ?? 0 }

@_cdecl("apus_model_dimension_info") @implementation
public func apus_model_dimension_info(
    _ handle: OpaquePointer!, _ dimension: Int, _ info: UnsafeMutablePointer<apus_dimension_info>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let model = try requireModel(handle)
        let info = try require(info, "info")
        guard let name = element(model.names.dimensions, dimension) else {
            throw .argument("dimension \(dimension), wanted 0 ..< \(model.names.dimensions.count)")
        }
        let symbol = model.graph.dimensions[dimension]
        info.pointee.name = name
        info.pointee.minimum = Int64(symbol.minimum)
        info.pointee.maximum = Int64(symbol.maximum)
    }
}

@_cdecl("apus_model_metadata_count") @implementation
public func apus_model_metadata_count(_ handle: OpaquePointer!) -> Int { model(handle)?.names.metadata.count ?? 0 }

@_cdecl("apus_model_metadata_key") @implementation
public func apus_model_metadata_key(_ handle: OpaquePointer!, _ index: Int) -> UnsafePointer<CChar>! {
    element(model(handle)?.names.metadata, index)?.key
}

@_cdecl("apus_model_metadata_value") @implementation
public func apus_model_metadata_value(_ handle: OpaquePointer!, _ index: Int) -> UnsafePointer<CChar>! {
    element(model(handle)?.names.metadata, index)?.value
}

@_cdecl("apus_model_metadata") @implementation
public func apus_model_metadata(_ handle: OpaquePointer!, _ key: UnsafePointer<CChar>!) -> UnsafePointer<CChar>! {
    guard let model = model(handle), let key else { return nil }
    for entry in model.names.metadata where sameText(entry.key, key) { return entry.value }
    return nil
}

// MARK: What the functions above share

func element<T>(_ array: [T]?, _ index: Int) -> T? {
    guard let array, index >= 0 && index < array.count else { return nil }
    return array[index]
}

private func edgeNames(
    _ handle: OpaquePointer?, _ edge: Session.Edge, _ function: Int
) throws(ApusError) -> [Names.Text] {
    let names = try requireModel(handle).names
    guard let found = element(edge == .input ? names.inputs : names.outputs, function) else {
        throw .argument("function \(function), wanted 0 ..< \(names.functions.count)")
    }
    return found
}

/// Describes an input or output for given values of the symbolic dimensions.
func fill(
    _ info: UnsafeMutablePointer<apus_tensor_info>?, _ model: Model, _ edge: Session.Edge, _ function: Int,
    _ index: Int, dimensions: [Int]
) throws(ApusError) {
    let info = try require(info, "info")
    guard function >= 0 && function < model.graph.functions.count else {
        throw .argument("function \(function), wanted 0 ..< \(model.graph.functions.count)")
    }
    let names = edge == .input ? model.names.inputs[function] : model.names.outputs[function]
    guard let name = element(names, index) else {
        throw .argument("\(edge == .input ? "input" : "output") \(index), wanted 0 ..< \(names.count)")
    }
    let definition = model.graph.functions[function]
    let declared = edge == .input ? definition.inputs[index].type : definition.outputs[index].type
    fill(info, name, declared: declared, try declared.resolved(dimensions))
}

/// Describes a tensor; extents of `declared` below 0 are symbols.
func fill(_ info: UnsafeMutablePointer<apus_tensor_info>, _ name: Names.Text, declared: TensorType, _ type: TensorType) {
    info.pointee = apus_tensor_info()
    info.pointee.name = name
    info.pointee.dtype = apus_dtype(type.dtype.rawValue)
    info.pointee.rank = Int32(type.shape.rank)
    info.pointee.byte_size = type.byteSize
    withUnsafeMutableBytes(of: &info.pointee.shape) { shape in
        let extents = shape.bindMemory(to: Int64.self)
        for axis in 0..<type.shape.rank { extents[axis] = Int64(type.shape[axis]) }
    }
    withUnsafeMutableBytes(of: &info.pointee.symbol) { symbol in
        let symbols = symbol.bindMemory(to: Int32.self)
        for axis in 0..<symbols.count {
            let extent = axis < declared.shape.rank ? declared.shape[axis] : 0
            symbols[axis] = extent < 0 ? Int32(-1 - extent) : -1
        }
    }
    if let quantization = type.quantization, quantization.granularity == .perTensor {
        info.pointee.scale = quantization.scales[0]
        info.pointee.zero_point = quantization.zeroPoints.first ?? 0
    }
}
