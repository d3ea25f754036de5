// words VOCABULARY < TEXTS > INDICES: each text is a little-endian u32 length and as many bytes; its indices are a line, after
// which comes one of the words that they stand for.
#include <apus_words.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>

int main(int count, char **arguments) {
    if (count != 2) return 64;
    std::ifstream file(arguments[1], std::ios::binary);
    const apus::Words tokenizer(std::map<std::string, std::string>{
        {"tokenizer.type", "words"}, {"tokenizer.words", {std::istreambuf_iterator<char>(file), {}}}});
    unsigned char size[4];
    while (std::fread(size, 4, 1, stdin) == 1) {
        std::string text(size[0] | size[1] << 8 | size[2] << 16 | static_cast<std::size_t>(size[3]) << 24, '\0');
        if (std::fread(text.data(), 1, text.size(), stdin) != text.size()) return 1;
        const auto tokens = tokenizer.encode(text);
        for (std::int64_t token : tokens) std::printf("%lld ", static_cast<long long>(token));
        std::printf("\n%s\n", tokenizer.decode(tokens).c_str());
        if (tokenizer.batch({text}, 3).size() != 3) return 2;
    }
}
