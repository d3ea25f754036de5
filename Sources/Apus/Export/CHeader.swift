import ApusGraph

/// A file as an array in a C header, for programs that carry their model with them.
public enum CHeader {
    /// A header that compiles as C99, C11 and C++11 and later: `NAME`, aligned to 64 so that the weights are used in
    /// place, and `NAME_size`. Throws unless `name` is a C identifier.
    public static func text(_ bytes: [UInt8], name: String, comment: String) throws(ApusError) -> [UInt8] {
        let characters = Array(name.utf8)
        guard let first = characters.first, isLetter(first),
            characters.allSatisfy({ isLetter($0) || (48...57).contains($0) })
        else { throw .argument("'\(name)' is not a C identifier") }
        let guardName = name.uppercased() + "_H"
        let note = comment.replacing("*/", with: "* /")
        var text = Array(
            """
            /* \(note) */
            #ifndef \(guardName)
            #define \(guardName)

            #include <stddef.h>

            #if defined(__cplusplus)
            alignas(64)
            #elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
            _Alignas(64)
            #elif defined(_MSC_VER)
            __declspec(align(64))
            #else
            __attribute__((aligned(64)))
            #endif
            static const unsigned char \(name)[\(bytes.count)] = {

            """.utf8)
        text.reserveCapacity(text.count + bytes.count * 4 + bytes.count / 24)
        for (i, byte) in bytes.enumerated() {
            append(byte, to: &text)
            text.append(UInt8(ascii: i % 24 == 23 || i == bytes.count - 1 ? "\n" : " "))
        }
        text += Array(
            """
            };
            static const size_t \(name)_size = \(bytes.count);

            #endif

            """.utf8)
        return text
    }

    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        if byte >= 100 { text.append(48 + byte / 100) }
        if byte >= 10 { text.append(48 + byte / 10 % 10) }
        text.append(48 + byte % 10)
        text.append(UInt8(ascii: ","))
    }

    private static func isLetter(_ c: UInt8) -> Bool { (65...90).contains(c) || (97...122).contains(c) || c == 95 }
}
