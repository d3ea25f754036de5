import ApusGraph
import CKernels
import CSystem

/// How a session is made; the fields are those of `apus_session_options`.
public struct SessionOptions {
    public typealias ParallelFor = @convention(c) (
        UnsafeMutableRawPointer?, Int, cs_body?, UnsafeMutableRawPointer?
    ) -> Void
    public typealias Allocate = @convention(c) (UnsafeMutableRawPointer?, Int, Int) -> UnsafeMutableRawPointer?
    public typealias Release = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int) -> Void

    /// Threads that run may use, the calling one included.
    public var threads = 1
    public var parallelFor: ParallelFor?
    public var parallelContext: UnsafeMutableRawPointer?
    /// The session's memory when the caller provides it.
    public var memory: UnsafeMutableRawBufferPointer?
    public var allocate: Allocate?
    public var release: Release?
    public var allocatorContext: UnsafeMutableRawPointer?
    /// Smaller maxima for symbolic dimensions.
    public var dimensionLimits: [(name: String, maximum: Int)] = []
    public var profile = false
    /// The highest instruction set to use; nil: what the processor has, capped by the environment's APUS_ISA.
    public var isa: ck_isa?

    public static let maximumThreads = 256

    public init() {}

    /// The limits of a graph's symbolic dimensions under these options.
    func maxima(_ graph: Graph) throws(ApusError) -> [Int] {
        var result = graph.maxima
        for limit in dimensionLimits {
            guard let index = graph.dimensions.firstIndex(where: { $0.name.sameBytes(limit.name) }) else {
                throw .argument("no dimension '\(limit.name)'")
            }
            let symbol = graph.dimensions[index]
            guard !graph.measuredDimensions[index] else {
                throw .argument("limit of dimension '\(limit.name)', which the model measures")
            }
            guard limit.maximum >= symbol.minimum && limit.maximum <= symbol.maximum else {
                throw .shape(
                    "dimension '\(limit.name)' limited to \(limit.maximum), wanted \(symbol.minimum) ... "
                        + "\(symbol.maximum)")
            }
            result[index] = limit.maximum
        }
        return result
    }

    func checkedThreads() throws(ApusError) -> Int {
        guard threads >= 1 && threads <= SessionOptions.maximumThreads else {
            throw .argument("\(threads) threads, wanted 1 ... \(SessionOptions.maximumThreads)")
        }
        return threads
    }

    var resolvedISA: ck_isa { isa ?? InstructionSet.selected }
}

/// Instruction sets by name.
public enum InstructionSet {
    /// All there are kernels for.
    public static let all = [
        CK_ISA_REFERENCE, CK_ISA_AVX2, CK_ISA_AVX_VNNI, CK_ISA_AVX512, CK_ISA_AVX512_VNNI, CK_ISA_AVX512_AMX,
    ]

    /// The best the processor has, or what APUS_ISA = reference | avx2 | avx_vnni | avx512 | avx512_vnni | avx512_amx
    /// names, if it has that.
    public static var selected: ck_isa {
        guard let text = cs_environment("APUS_ISA") else { return ck_isa_native() }
        for isa in all where String(cString: text).sameBytes(name(isa)) && ck_isa_is_supported(isa) != 0 { return isa }
        return ck_isa_native()
    }

    public static func name(_ isa: ck_isa) -> String { String(cString: text(isa)) }

    /// The same as a C string that lives for ever.
    public static func text(_ isa: ck_isa) -> UnsafePointer<CChar> { ck_isa_name(isa) }
}
