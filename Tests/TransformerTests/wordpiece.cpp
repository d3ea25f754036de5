// wordpiece VOCABULARY LOWERCASE STRIP SPLIT [SPECIAL] < TEXTS > IDS: each text is a little-endian u32 length and as many bytes;
// its ids are a line, those of [CLS] and [SEP] among them. SPECIAL has the special pieces, a line each.
#include <apus_wordpiece.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>

int main(int count, char **arguments) {
    if (count != 5 && count != 6) return 64;
    std::ifstream file(arguments[1], std::ios::binary);
    apus::WordPiece::Options options;
    options.lowercase = *arguments[2] == '1';
    options.strip_accents = *arguments[3] == '1';
    options.split_chinese = *arguments[4] == '1';
    if (count == 6) options.special = arguments[5];
    const apus::WordPiece tokenizer({std::istreambuf_iterator<char>(file), {}}, options);
    unsigned char size[4];
    while (std::fread(size, 4, 1, stdin) == 1) {
        std::string text(size[0] | size[1] << 8 | size[2] << 16 | static_cast<std::size_t>(size[3]) << 24, '\0');
        if (std::fread(text.data(), 1, text.size(), stdin) != text.size()) return 1;
        for (std::int64_t id : tokenizer.encode(text)) std::printf("%lld ", static_cast<long long>(id));
        std::putchar('\n');
    }
}
