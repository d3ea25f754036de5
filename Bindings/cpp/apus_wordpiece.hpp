// apus_wordpiece.hpp — text → the ids of a WordPiece vocabulary, as BERT's tokenizer gives them. C++17, no dependencies.
//
//     apus::Model model("minilm.apus");
//     apus::WordPiece tokenizer(model.metadata());
//     apus::WordPiece::Batch batch = tokenizer.batch({"a moving film", "not bad at all"});
//
// Text is UTF-8; what is not is left out. It is cleaned, Chinese characters are set apart, accents are stripped, letters
// made small, words split at spaces and punctuation; then each word is the longest piece of the vocabulary that it begins
// with, and so on with its rest. Wu et al.: Google's Neural Machine Translation System, 2016; Devlin et al.: BERT, 2018.
// The library `tokenizers` gives the same ids for any text. A tokenizer may be shared by threads.
#ifndef APUS_WORDPIECE_HPP
#define APUS_WORDPIECE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apus_unicode.hpp"

namespace apus {

namespace unicode {

// The value of the run that a character is in, of a table of (first character << bits | value).
template <std::size_t Count> std::uint32_t run_of(const std::uint32_t (&table)[Count], char32_t c, int bits) {
    const std::uint32_t key = (static_cast<std::uint32_t>(c) << bits) | ((1U << bits) - 1);
    return *(std::upper_bound(std::begin(table), std::end(table), key) - 1) & ((1U << bits) - 1);
}

inline Class class_of(char32_t c) { return static_cast<Class>(run_of(classes, c, 3)); }

// Appends the canonical decomposition of a character; its marks are not sorted yet.
inline void decompose(char32_t c, std::u32string &out) {
    if (c >= 0xAC00 && c <= 0xD7A3) {  // Hangul syllables: leading, vowel and trailing letters by arithmetic
        const char32_t syllable = c - 0xAC00, trailing = syllable % 28;
        out += 0x1100 + syllable / 588;
        out += 0x1161 + syllable % 588 / 28;
        if (trailing) out += 0x11A7 + trailing;
        return;
    }
    const auto found = std::lower_bound(std::begin(decompositions), std::end(decompositions), std::uint64_t{c} << 42);
    if (found == std::end(decompositions) || *found >> 42 != c) {
        out += c;
        return;
    }
    decompose(static_cast<char32_t>(*found >> 21 & 0x1FFFFF), out);
    if (*found & 0x1FFFFF) decompose(static_cast<char32_t>(*found & 0x1FFFFF), out);
}

// Normalization form D: decomposed, and each run of marks in the order of their classes, equal ones as they came.
inline std::u32string nfd(const std::u32string &text) {
    std::u32string result;
    for (char32_t c : text) decompose(c, result);
    std::vector<std::uint64_t> run;  // class << 56 | place << 21 | mark
    for (std::size_t i = 0; i <= result.size(); ++i) {
        const std::uint64_t kind = i < result.size() ? run_of(combining, result[i], 8) : 0;
        if (kind != 0) {
            run.push_back(kind << 56 | std::uint64_t{run.size()} << 21 | result[i]);
            continue;
        }
        std::sort(run.begin(), run.end());
        for (std::size_t k = 0; k < run.size(); ++k) result[i - run.size() + k] = run[k] & 0x1FFFFF;
        run.clear();
    }
    return result;
}

inline void append_lowercase(char32_t c, std::u32string &out) {
    if (c == 0x130) {
        out += U"i\u0307";
        return;
    }
    const auto found = std::lower_bound(std::begin(lowercase), std::end(lowercase), c,
                                        [](const Lowercase &run, char32_t wanted) { return run.last < wanted; });
    const bool has = found != std::end(lowercase) && c >= found->first && (c - found->first) % found->step == 0;
    out += has ? static_cast<char32_t>(static_cast<std::int32_t>(c) + found->distance) : c;
}

// The characters of UTF-8; bytes that are none are left out.
inline std::u32string decoded(std::string_view text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i++]);
        const int more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2
                         : first >= 0xF0 && first < 0xF5 ? 3 : -1;
        if (more < 0) continue;
        char32_t c = more == 0 ? first : first & (0x3F >> more);
        int read = 0;
        for (; read < more && i < text.size(); ++read, ++i) {
            const auto next = static_cast<unsigned char>(text[i]);
            // The first byte after tells overlong forms, surrogates and what lies beyond the last character.
            const unsigned low = read > 0 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
            const unsigned high = read > 0 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
            if (next < low || next > high) break;
            c = c << 6 | (next & 0x3F);
        }
        if (read == more) result += c;
    }
    return result;
}

inline void append_utf8(char32_t c, std::string &out) {
    const int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    out += static_cast<char>(more == 0 ? c : (0xF0U << (3 - more) & 0xFF) | c >> 6 * more);
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (c >> 6 * i & 0x3F));
}

}  // namespace unicode

// What tokenizers read of a model's metadata.
namespace detail {

using Metadata = std::map<std::string, std::string>;

// The entry of a tokenizer, by its name after "tokenizer."; nothing where there is none.
inline std::optional<std::string_view> entry(const Metadata &metadata, const std::string &name) {
    const auto found = metadata.find("tokenizer." + name);
    return found == metadata.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

// Throws std::invalid_argument unless the tokenizer is of a type.
inline const Metadata &of_type(const Metadata &metadata, std::string_view wanted) {
    const std::string_view found = entry(metadata, "type").value_or("none");
    if (found == wanted) return metadata;
    throw std::invalid_argument("metadata: tokenizer.type " + std::string(found) + " found, " + std::string(wanted) + " wanted");
}

// The lines of a text without their ends; an end is no line of its own.
inline std::vector<std::string_view> lines(std::string_view text) {
    std::vector<std::string_view> result;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        result.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return result;
}

}  // namespace detail

class WordPiece {
public:
    struct Options {
        bool lowercase = true;
        bool strip_accents = true;
        bool split_chinese = true;
        std::size_t max_tokens = 512;  // that a sequence is cut to, [CLS] and [SEP] included
        // A line each, the pieces that stand for themselves wherever a text has them: [PAD], [UNK], [CLS], [SEP] and [MASK]
        // unless given.
        std::optional<std::string> special = std::nullopt;
    };

    // The inputs of an encoder for some texts, rows · tokens each: padded to the longest, the mask 0 there.
    struct Batch {
        std::size_t rows = 0, tokens = 0;
        std::vector<std::int64_t> input_ids, attention_mask, token_type_ids;
    };

    // A vocabulary of a piece a line, in the order of their ids; those that continue a word begin with "##". It has
    // [UNK], [CLS], [SEP] and [PAD]. Throws std::invalid_argument.
    explicit WordPiece(std::string vocabulary) : WordPiece(std::move(vocabulary), Options()) {}
    WordPiece(std::string vocabulary, Options options)
        : options_(std::move(options)), text_(std::make_shared<const std::string>(std::move(vocabulary))) {
        tokens_ = detail::lines(*text_);
        for (std::size_t id = 0; id < tokens_.size(); ++id) {
            const bool continues = tokens_[id].substr(0, 2) == "##";
            const std::string_view piece = tokens_[id].substr(continues ? 2 : 0);
            pieces_[continues][piece] = static_cast<std::int64_t>(id);
            longest_ = std::max(longest_, piece.size());
        }
        for (std::string_view name : {"[UNK]", "[CLS]", "[SEP]", "[PAD]"})
            if (!pieces_[0].count(name))
                throw std::invalid_argument("a vocabulary of " + std::to_string(tokens_.size()) + " tokens without " +
                                            std::string(name));
        for (std::string_view name : detail::lines(options_.special ? std::string_view(*options_.special) : usual_special)) {
            const bool continues = name.substr(0, 2) == "##";
            const auto found = pieces_[continues].find(name.substr(continues ? 2 : 0));
            if (found != pieces_[continues].end() && !name.empty())
                special_.emplace_back(name, found->second);
            else if (options_.special && !name.empty())
                throw std::invalid_argument("special piece '" + std::string(name) + "' is not in the vocabulary");
        }
        std::sort(special_.begin(), special_.end(),
                  [](const auto &a, const auto &b) { return a.first.size() > b.first.size(); });
        if (options_.max_tokens < 2) throw std::invalid_argument("max_tokens below 2");
    }

    // The tokenizer that a model carries: WordPiece(model.metadata()). Throws std::invalid_argument.
    explicit WordPiece(const std::map<std::string, std::string> &metadata)
        : WordPiece(std::string(detail::entry(detail::of_type(metadata, "wordpiece"), "vocabulary").value_or("")),
                    Options{flag(metadata, "lowercase"), flag(metadata, "strip_accents"), flag(metadata, "split_chinese"),
                            std::stoul(std::string(detail::entry(metadata, "max_tokens").value_or("512"))),
                            std::optional<std::string>(detail::entry(metadata, "special"))}) {}

    // The ids of a text's pieces, without [CLS] and [SEP]. Where the text has the name of a special token, it is that.
    std::vector<std::int64_t> pieces(std::string_view text) const {
        std::vector<std::int64_t> ids;
        std::size_t start = 0;
        for (std::size_t i = 0; i < text.size();) {
            const auto found = std::find_if(special_.begin(), special_.end(), [&](const auto &one) {
                return text[i] == one.first[0] && text.substr(i, one.first.size()) == one.first;
            });
            if (found == special_.end()) {
                ++i;
                continue;
            }
            append_words(text.substr(start, i - start), ids);
            ids.push_back(found->second);
            start = i += found->first.size();
        }
        append_words(text.substr(start), ids);
        return ids;
    }

    // The ids of [CLS], the text's pieces and [SEP].
    std::vector<std::int64_t> encode(std::string_view text) const {
        std::vector<std::int64_t> ids = pieces(text);
        ids.resize(std::min(ids.size(), options_.max_tokens - 2));
        ids.insert(ids.begin(), pieces_[0].at("[CLS]"));
        ids.push_back(pieces_[0].at("[SEP]"));
        return ids;
    }

    Batch batch(const std::vector<std::string> &texts) const {
        std::vector<std::vector<std::int64_t>> rows;
        Batch result;
        for (const std::string &text : texts) {
            rows.push_back(encode(text));
            result.tokens = std::max(result.tokens, rows.back().size());
        }
        result.rows = rows.size();
        result.input_ids.assign(result.rows * result.tokens, pieces_[0].at("[PAD]"));
        result.attention_mask.assign(result.input_ids.size(), 0);
        result.token_type_ids.assign(result.input_ids.size(), 0);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const auto place = static_cast<std::ptrdiff_t>(row * result.tokens);
            std::copy(rows[row].begin(), rows[row].end(), result.input_ids.begin() + place);
            std::fill_n(result.attention_mask.begin() + place, rows[row].size(), 1);
        }
        return result;
    }

    std::string_view token(std::int64_t id) const { return tokens_.at(static_cast<std::size_t>(id)); }

private:
    static bool flag(const std::map<std::string, std::string> &metadata, const char *name) {
        return detail::entry(metadata, name).value_or("1") == "1";
    }

    void append_words(std::string_view text, std::vector<std::int64_t> &ids) const {
        std::u32string clean, word;
        for (char32_t c : unicode::decoded(text)) {
            const unicode::Class kind = unicode::class_of(c);
            if (kind == unicode::removed) continue;
            const bool apart = kind == unicode::chinese && options_.split_chinese;
            if (apart) clean += U' ';
            clean += kind == unicode::space ? U' ' : c;
            if (apart) clean += U' ';
        }
        std::u32string folded;
        for (char32_t c : options_.strip_accents ? unicode::nfd(clean) : clean) {
            if (options_.strip_accents && unicode::class_of(c) == unicode::mark) continue;
            if (options_.lowercase) unicode::append_lowercase(c, folded);
            else folded += c;
        }
        folded += U' ';
        for (char32_t c : folded) {
            const bool apart = unicode::class_of(c) == unicode::punctuation;
            if (!apart && c != U' ') {
                word += c;
                continue;
            }
            append_pieces(word, ids);
            word.clear();
            if (apart) append_pieces(std::u32string(1, c), ids);
        }
    }

    void append_pieces(const std::u32string &word, std::vector<std::int64_t> &ids) const {
        constexpr std::size_t longest_word = 100;
        std::string bytes;
        if (word.size() <= longest_word)
            for (char32_t c : word) unicode::append_utf8(c, bytes);
        const std::size_t before = ids.size();
        bool known = word.size() <= longest_word;
        for (std::size_t start = 0; known && start < bytes.size();) {
            const auto &pieces = pieces_[start > 0];
            std::size_t size = std::min(bytes.size() - start, longest_);
            auto found = pieces.end();
            for (; size > 0; --size) {
                found = pieces.find(std::string_view(bytes).substr(start, size));
                if (found != pieces.end()) break;
            }
            known = found != pieces.end();
            if (known) ids.push_back(found->second);
            start += size;
        }
        if (known) return;
        ids.resize(before);
        ids.push_back(pieces_[0].at("[UNK]"));
    }

    static constexpr const char *usual_special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]";

    Options options_;
    std::shared_ptr<const std::string> text_;  // that the pieces are parts of
    std::vector<std::string_view> tokens_;
    std::unordered_map<std::string_view, std::int64_t> pieces_[2];  // that begin a word; that continue one, without "##"
    std::vector<std::pair<std::string, std::int64_t>> special_;  // longer ones first
    std::size_t longest_ = 0;
};

}  // namespace apus

#endif
