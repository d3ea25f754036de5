// bpe VOCABULARY MERGES SPECIAL < TEXTS > TOKENS: each text is a little-endian u32 length and as many bytes; its tokens are a
// line, after which comes one of the bytes that they stand for, in hexadecimal.
#include <apus_bpe.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>

int main(int count, char **arguments) {
    if (count != 4) return 64;
    std::map<std::string, std::string> metadata{{"tokenizer.type", "bpe"}};
    const char *names[] = {"tokenizer.vocabulary", "tokenizer.merges", "tokenizer.special"};
    for (int i = 0; i < 3; ++i) {
        std::ifstream file(arguments[i + 1], std::ios::binary);
        metadata[names[i]] = {std::istreambuf_iterator<char>(file), {}};
    }
    const apus::BytePair tokenizer(metadata);
    unsigned char size[4];
    while (std::fread(size, 4, 1, stdin) == 1) {
        std::string text(size[0] | size[1] << 8 | size[2] << 16 | static_cast<std::size_t>(size[3]) << 24, '\0');
        if (std::fread(text.data(), 1, text.size(), stdin) != text.size()) return 1;
        const auto tokens = tokenizer.encode(text);
        for (std::int64_t token : tokens) std::printf("%lld ", static_cast<long long>(token));
        std::putchar('\n');
        for (char byte : tokenizer.decode(tokens)) std::printf("%02x", static_cast<unsigned char>(byte));
        std::putchar('\n');
    }
}
