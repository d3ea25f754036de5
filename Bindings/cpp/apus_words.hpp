// apus_words.hpp — text → the indices of a vocabulary of words, and back. C++17, no dependencies.
//
//     apus::Model model("sentiment.apus");
//     apus::Words tokenizer(model.metadata());
//     std::vector<std::int32_t> rows = tokenizer.batch({"a moving film", "not bad at all"}, 60);
//
// Text is UTF-8; what is not is left out. A word is a run of letters, numbers, marks on them and apostrophes, in lower case;
// everything else parts words. Words that look alike are one, whether their marks are characters of their own or not.
// 0 is padding, 1 a word that the vocabulary lacks. A tokenizer may be shared by threads.
#ifndef APUS_WORDS_HPP
#define APUS_WORDS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apus_wordpiece.hpp"

namespace apus {

class Words {
public:
    static constexpr std::int64_t padding = 0, unknown = 1;

    // The words of index 2, 3, …. Throws std::invalid_argument.
    explicit Words(std::vector<std::string> vocabulary) : vocabulary_(std::move(vocabulary)) {
        for (const std::string &word : vocabulary_) {
            const std::vector<std::u32string> found = words(word);
            if (found.size() != 1 || found[0] != unicode::nfd(unicode::decoded(word)))
                throw std::invalid_argument("'" + word + "' in a vocabulary is no word");
            if (!indices_.emplace(found[0], static_cast<std::int64_t>(indices_.size() + 2)).second)
                throw std::invalid_argument("'" + word + "' comes twice in a vocabulary");
        }
    }

    // The tokenizer that a model carries: Words(model.metadata()). Throws std::invalid_argument.
    explicit Words(const std::map<std::string, std::string> &metadata) : Words(listed(metadata)) {}

    std::vector<std::int64_t> encode(std::string_view text) const {
        std::vector<std::int64_t> tokens;
        for (const std::u32string &word : words(text)) {
            const auto found = indices_.find(word);
            tokens.push_back(found == indices_.end() ? unknown : found->second);
        }
        return tokens;
    }

    // Texts as rows of `length` indices, one row after another: the first of a longer text, and padding after a shorter one.
    std::vector<std::int32_t> batch(const std::vector<std::string> &texts, std::size_t length) const {
        std::vector<std::int32_t> rows(texts.size() * length, static_cast<std::int32_t>(padding));
        for (std::size_t row = 0; row < texts.size(); ++row) {
            const std::vector<std::int64_t> tokens = encode(texts[row]);
            for (std::size_t i = 0; i < std::min(length, tokens.size()); ++i)
                rows[row * length + i] = static_cast<std::int32_t>(tokens[i]);
        }
        return rows;
    }

    // Words of the vocabulary with spaces between; other numbers are left out.
    std::string decode(const std::vector<std::int64_t> &tokens) const {
        std::string text;
        for (std::int64_t token : tokens) {
            if (token < 2 || static_cast<std::size_t>(token) >= size()) continue;
            if (!text.empty()) text += ' ';
            text += vocabulary_[static_cast<std::size_t>(token) - 2];
        }
        return text;
    }

    // Indices are below this.
    std::size_t size() const { return vocabulary_.size() + 2; }

private:
    // The words of a text, in normalization form D.
    static std::vector<std::u32string> words(std::string_view text) {
        std::u32string small;
        for (char32_t c : unicode::decoded(text)) unicode::append_lowercase(c, small);
        std::vector<std::u32string> result;
        bool inside = false;
        for (char32_t c : unicode::nfd(small)) {
            const std::uint32_t piece = unicode::run_of(unicode::piece_runs, c, 2);
            const bool is_part = c == U'\'' || piece == unicode::letter || piece == unicode::number ||
                                 unicode::run_of(unicode::mark_runs, c, 1) == 1;
            if (is_part && !inside) result.emplace_back();
            if (is_part) result.back() += c;
            inside = is_part;
        }
        return result;
    }

    static std::vector<std::string> listed(const std::map<std::string, std::string> &metadata) {
        const auto words = detail::entry(detail::of_type(metadata, "words"), "words");
        if (!words) throw std::invalid_argument("metadata: a tokenizer of words without tokenizer.words");
        std::vector<std::string> result;
        for (std::string_view line : detail::lines(*words))
            if (!line.empty()) result.emplace_back(line);
        return result;
    }

    std::vector<std::string> vocabulary_;
    std::unordered_map<std::u32string, std::int64_t> indices_;
};

}  // namespace apus

#endif
