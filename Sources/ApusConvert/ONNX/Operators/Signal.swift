import ApusGraph
import Foundation

/// Transforms of signals, as products with matrices of cosines and sines.
let signalOperators: [OnnxOperator] = [
    OnnxOperator("DFT", since: 17) { n throws(ApusError) -> Term in try dft(n, axis: try n.int("axis", 1)) },
    OnnxOperator("DFT", since: 20) { n throws(ApusError) -> Term in
        try dft(n, axis: n.has(2) ? try n.integers(2).first ?? -2 : -2)
    },
    OnnxOperator("STFT", since: 17, stft),
]

/// x [..., 1 or 2], real or complex, along an axis.
private func dft(_ n: NodeContext, axis: Int) throws(ApusError) -> Term {
    let x = try n.term(0)
    let axis = try x.axis(axis), isInverse = try n.flag("inverse"), isOneSided = try n.flag("onesided")
    let extent = try x.extent(axis)
    let natural = isInverse && isOneSided ? 2 * (extent - 1) : extent
    let length = n.has(1) ? try n.integers(1).first ?? natural : natural
    guard axis < x.rank - 1, (1...8192).contains(length) else {
        throw .unsupported("a transform of \(length) elements along axis \(axis)")
    }
    return try n.g.computing([x], in: .real) { terms throws(ApusError) in
        try n.g.fourier(terms[0], axis: axis, length: length, inverse: isInverse, oneSided: isOneSided)
    }
}

/// Frames of a signal [batch, length] or [batch, length, 1 or 2], windowed and transformed: [batch, frames, bins, 2].
private func stft(_ n: NodeContext) throws(ApusError) -> Term {
    var x = try n.term(0)
    if x.rank == 2 { x = try n.g.unsqueeze(x, [2]) }
    let step = try n.integer(1)
    let window: Term? = n.has(2) ? try n.term(2) : nil
    let size = n.has(3) ? try n.integer(3) : try window?.extent(0) ?? 0
    guard x.rank == 3 else { throw .shape("a signal \(x.shape), wanted rank 2 or 3") }
    let length = try x.extent(1)
    guard step >= 1, size >= 1, size <= length else {
        throw .shape("frames of \(size) every \(step) of \(x.shape), wanted 1 ... \(length) every 1 or more")
    }
    let frames = 1 + (length - size) / step
    try requireTable(frames, size)
    let places = (0..<frames * size).map { Double($0 / size * step + $0 % size) }
    let indices = n.g.constant(try Constant("", .i64, [frames, size], places))
    var y = try n.g.gather(x, indices, axis: 1)
    if let window { y = try n.g.mul(y, try n.g.reshape(window, [try window.extent(0), 1])) }
    return try n.g.fourier(y, axis: 2, length: size, inverse: false, oneSided: try n.flag("onesided", true))
}

extension Emitter {
    /// Along `axis` of x [..., 1 or 2]. A one-sided inverse gives real numbers.
    fileprivate func fourier(
        _ x: Term, axis: Int, length: Int, inverse: Bool, oneSided: Bool
    ) throws(ApusError) -> Term {
        let last = x.rank - 1, extent = try x.extent(axis), used = Swift.min(extent, length)
        let isComplex = try x.extent(last) == 2
        let outputs = oneSided && !inverse ? length / 2 + 1 : length
        try requireTable(extent, outputs)
        let sign = inverse ? 1.0 : -1.0, scale = inverse ? 1 / Double(length) : 1
        var cosines: [Double] = [], sines: [Double] = []
        for input in 0..<extent {
            // The bins that a one-sided spectrum leaves out mirror the others.
            let isMirrored = inverse && oneSided && input > 0 && 2 * input != length
            let weight = input < used ? scale * (isMirrored ? 2 : 1) : 0
            for output in 0..<outputs {
                let angle = 2 * Double.pi * Double(input * output % length) / Double(length)
                cosines.append(weight * Foundation.cos(angle))
                sines.append(weight * sign * Foundation.sin(angle))
            }
        }
        let c = constant(try Constant("", x.dtype, [extent, outputs], cosines))
        let s = constant(try Constant("", x.dtype, [extent, outputs], sines))
        func times(_ part: Term, _ matrix: Term) throws(ApusError) -> Term {
            let rows = try moveAxis(try squeeze(part, [last]), from: axis, to: last - 1)
            return try unsqueeze(try moveAxis(try product(rows, matrix), from: last - 1, to: axis), [last])
        }
        let real = try slice(x, axis: last, 0, 1)
        var y = (try times(real, c), try times(real, s))
        if isComplex {
            let imaginary = try slice(x, axis: last, 1, 2)
            y = (try sub(y.0, try times(imaginary, s)), try add(y.1, try times(imaginary, c)))
        }
        return inverse && oneSided ? y.0 : try concat([y.0, y.1], axis: last)
    }
}
