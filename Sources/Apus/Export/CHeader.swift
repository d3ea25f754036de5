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
        guard !keywords.contains(name) else { throw .argument("'\(name)' is a keyword of C or C++") }
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

    /// Of C17, C++20 and the alternative spellings of C++.
    private static let keywords = Set(
        """
        alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class co_await \
        co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default delete do \
        double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace \
        new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires restrict \
        return short signed sizeof static static_assert static_cast struct switch template this thread_local throw true try \
        typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
        """.split(separator: " ").map(String.init))
}
