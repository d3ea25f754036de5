// apus_bpe.hpp — text → the tokens of byte-level BPE as GPT-2's, and back. C++17, no dependencies.
//
//     apus::Model model("gpt.apus");
//     apus::BytePair tokenizer(model.metadata());
//     std::string text = tokenizer.decode(tokenizer.encode("a moving film"));
//
// Text is UTF-8; what is not is left out. It is split into words, a word into its bytes; of these the pair that was merged
// first in training is merged as long as there is one. Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words
// with Subword Units, 2016; Radford et al.: Language Models are Unsupervised Multitask Learners, 2019. The library
// `tokenizers` gives the same tokens for any text. A tokenizer may be shared by threads.
#ifndef APUS_BPE_HPP
#define APUS_BPE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apus_wordpiece.hpp"

namespace apus {

class BytePair {
public:
    // Tokens in the order of their numbers, their bytes as the characters that stand for them; the pairs in the order in
    // which they are merged; the tokens that stand for themselves in a text. Throws std::invalid_argument.
    BytePair(std::vector<std::string> vocabulary, const std::vector<std::pair<std::string, std::string>> &merges,
             std::vector<std::string> special = {})
        : vocabulary_(std::move(vocabulary)), special_(std::move(special)) {
        special_.erase(std::remove(special_.begin(), special_.end(), ""), special_.end());
        for (std::size_t i = 0; i < vocabulary_.size(); ++i) numbers_[vocabulary_[i]] = static_cast<std::int64_t>(i);
        for (std::size_t rank = 0; rank < merges.size(); ++rank) {
            const auto &[left, right] = merges[rank];
            merges_[{number(left), number(right)}] = {rank, number(left + right)};
        }
        for (const std::string &token : special_) number(token);
        std::sort(special_.begin(), special_.end(), [](const std::string &a, const std::string &b) {
            return a.size() != b.size() ? a.size() > b.size() : a < b;
        });
        for (int byte = 0; byte < 256; ++byte) {
            const auto found = numbers_.find(character(byte));
            bytes_[static_cast<std::size_t>(byte)] = found == numbers_.end() ? -1 : found->second;
            values_[character(byte)] = static_cast<char>(byte);
        }
    }

    // The tokenizer that a model carries: BytePair(model.metadata()). Throws std::invalid_argument.
    explicit BytePair(const std::map<std::string, std::string> &metadata)
        : BytePair(lines(detail::of_type(metadata, "bpe"), "vocabulary"), pairs(lines(metadata, "merges")), lines(metadata, "special")) {}

    std::vector<std::int64_t> encode(std::string_view text) const {
        std::vector<std::int64_t> tokens;
        std::size_t start = 0;
        for (std::size_t i = 0; i < text.size();) {
            const std::string *found = nullptr;
            for (const std::string &name : special_)
                if (!found && text.substr(i, name.size()) == name) found = &name;
            if (!found) {
                ++i;
                continue;
            }
            append_words(text.substr(start, i - start), tokens);
            tokens.push_back(numbers_.at(*found));
            start = i += found->size();
        }
        append_words(text.substr(start), tokens);
        return tokens;
    }

    // The bytes of tokens, which may end inside a character; numbers outside of the vocabulary are left out.
    std::string decode(const std::vector<std::int64_t> &tokens) const {
        std::string text;
        for (std::int64_t token : tokens)
            if (token >= 0 && static_cast<std::size_t>(token) < vocabulary_.size())
                text += bytes_of(vocabulary_[static_cast<std::size_t>(token)]);
        return text;
    }

    std::size_t size() const { return vocabulary_.size(); }

private:
    struct Merge {
        std::size_t rank;
        std::int64_t token;
    };

    // A pair that was in a word when it was found.
    struct Candidate {
        std::size_t rank, place;
        std::pair<std::int64_t, std::int64_t> pair;
        std::int64_t token;

        bool operator>(const Candidate &other) const {
            return rank != other.rank ? rank > other.rank : place > other.place;
        }
    };

    std::int64_t number(const std::string &token) const {
        const auto found = numbers_.find(token);
        if (found == numbers_.end()) throw std::invalid_argument("no token '" + token + "' in the vocabulary");
        return found->second;
    }

    // The character that stands for a byte: printable Latin ones for themselves, those from U+0100 on for the others.
    static std::string character(int byte) {
        const auto is_plain = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; };
        int code = byte;
        if (!is_plain(byte)) {
            code = 0x100;
            for (int before = 0; before < byte; ++before) code += !is_plain(before);
        }
        std::string result;
        unicode::append_utf8(static_cast<char32_t>(code), result);
        return result;
    }

    // Those of the token itself where it has a character that stands for none.
    std::string bytes_of(const std::string &token) const {
        std::string result;
        for (char32_t c : unicode::decoded(token)) {
            std::string one;
            unicode::append_utf8(c, one);
            const auto found = values_.find(one);
            if (found == values_.end()) return token;
            result += found->second;
        }
        return result;
    }

    // Where the word ends that begins at a place: an English contraction; letters, digits or other symbols, with a space
    // before them; blanks, the last of which is left to what follows.
    static std::size_t word_end(const std::u32string &text, std::size_t start) {
        using unicode::blank;
        const auto kind = [&](std::size_t i) { return unicode::run_of(unicode::piece_runs, text[i], 2); };
        const auto run = [&](std::size_t from) {
            std::size_t end = from + 1;
            while (end < text.size() && kind(end) == kind(from)) ++end;
            return end;
        };
        if (text[start] == U'\'')
            for (std::u32string_view rest : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"})
                if (text.compare(start + 1, rest.size(), rest) == 0) return start + 1 + rest.size();
        if (kind(start) != blank) return run(start);
        if (text[start] == U' ' && start + 1 < text.size() && kind(start + 1) != blank) return run(start + 1);
        const std::size_t end = run(start);
        return end < text.size() && end - start > 1 ? end - 1 : end;
    }

    void append_words(std::string_view part, std::vector<std::int64_t> &tokens) const {
        const std::u32string text = unicode::decoded(part);
        for (std::size_t start = 0; start < text.size();) {
            const std::size_t end = word_end(text, start);
            std::string bytes;
            for (; start < end; ++start) unicode::append_utf8(text[start], bytes);
            append_merged(bytes, tokens);
        }
    }

    void append_merged(const std::string &word, std::vector<std::int64_t> &tokens) const {
        std::vector<std::int64_t> parts;
        for (char byte : word)
            if (const std::int64_t token = bytes_[static_cast<unsigned char>(byte)]; token >= 0) parts.push_back(token);
        // Parts that are left: those merged into the one before are -1.
        const std::size_t count = parts.size();
        std::vector<std::size_t> previous(count), next(count);
        for (std::size_t i = 0; i < count; ++i) previous[i] = i - 1, next[i] = i + 1;
        std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
        const auto consider = [&](std::size_t place) {
            if (place >= count || next[place] >= count) return;
            const std::pair<std::int64_t, std::int64_t> pair(parts[place], parts[next[place]]);
            const auto found = merges_.find(pair);
            if (found != merges_.end()) candidates.push({found->second.rank, place, pair, found->second.token});
        };
        for (std::size_t place = 0; place < count; ++place) consider(place);
        while (!candidates.empty()) {
            const Candidate best = candidates.top();
            candidates.pop();
            const std::size_t place = best.place, second = next[place];
            if (second >= count || parts[place] != best.pair.first || parts[second] != best.pair.second) continue;
            parts[place] = best.token;
            parts[second] = -1;
            next[place] = next[second];
            if (next[place] < count) previous[next[place]] = place;
            consider(previous[place]);  // beyond the last where there is none
            consider(place);
        }
        std::copy_if(parts.begin(), parts.end(), std::back_inserter(tokens), [](std::int64_t token) { return token >= 0; });
    }

    static std::vector<std::string> lines(const std::map<std::string, std::string> &metadata, const char *name) {
        const std::vector<std::string_view> found = detail::lines(detail::entry(metadata, name).value_or(""));
        return {found.begin(), found.end()};
    }

    static std::vector<std::pair<std::string, std::string>> pairs(const std::vector<std::string> &lines) {
        std::vector<std::pair<std::string, std::string>> result;
        for (const std::string &line : lines) {
            const std::size_t space = line.find(' ');
            if (space == std::string::npos) throw std::invalid_argument("merge '" + line + "', wanted two tokens");
            result.emplace_back(line.substr(0, space), line.substr(space + 1));
        }
        return result;
    }

    std::vector<std::string> vocabulary_, special_;
    std::unordered_map<std::string, std::int64_t> numbers_;
    std::map<std::pair<std::int64_t, std::int64_t>, Merge> merges_;
    std::array<std::int64_t, 256> bytes_{};
    std::unordered_map<std::string, char> values_;
};

}  // namespace apus

#endif
