// search index MODEL TEXTS INDEX          embeds every line of a text: INDEX becomes its vectors, f32 [lines, width]
// search query MODEL TEXTS INDEX QUERY…   prints the five lines nearest to each query, with their cosines
#include <apus.hpp>
#include <apus_wordpiece.hpp>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>

constexpr std::size_t batch_size = 16, hits = 5;
using Strings = std::vector<std::string>;

// Vectors of length 1, in the order of the texts. Texts of about one length are computed together.
static std::vector<float> embed(const char *path, const Strings &texts) {
    const apus::Model model(path);
    const apus::WordPiece tokenizer(model.metadata());
    apus::Options options;
    options.threads = 2;
    options.dimensions["batch"] = batch_size;
    apus::Session session(model, options);
    const auto width = static_cast<std::size_t>(model.outputs().front().shape[1]);
    std::vector<std::pair<std::size_t, std::size_t>> order;  // (length, line)
    for (std::size_t line = 0; line < texts.size(); ++line) order.emplace_back(texts[line].size(), line);
    std::sort(order.begin(), order.end());
    std::vector<float> vectors(texts.size() * width);
    for (std::size_t start = 0; start < texts.size(); start += batch_size) {
        const std::size_t count = std::min(batch_size, texts.size() - start);
        Strings lines;
        for (std::size_t i = 0; i < count; ++i) lines.push_back(texts[order[start + i].second]);
        const apus::WordPiece::Batch batch = tokenizer.batch(lines);
        session.set_dimension("batch", static_cast<std::int64_t>(batch.rows));
        session.set_dimension("tokens", static_cast<std::int64_t>(batch.tokens));
        session.set_input("input_ids", batch.input_ids);
        session.set_input("attention_mask", batch.attention_mask);
        session.set_input("token_type_ids", batch.token_type_ids);
        session.run();
        const float *embedding = session.output<float>("sentence_embedding").data();
        for (std::size_t i = 0; i < count; ++i)
            std::copy_n(embedding + i * width, width, vectors.data() + order[start + i].second * width);
        std::fprintf(stderr, "\r%zu of %zu texts", start + count, texts.size());
    }
    std::fputc('\n', stderr);
    return vectors;
}

static std::string read(const char *path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(std::string(path) + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

static int run(int count, char **arguments) {
    const std::string command = count < 5 ? "" : arguments[1];
    if (command != "index" && command != "query") {
        std::fputs("search index MODEL TEXTS INDEX\nsearch query MODEL TEXTS INDEX QUERY...\n", stderr);
        return 1;
    }
    Strings texts;
    const std::string all = read(arguments[3]);
    for (std::size_t start = 0, end; start < all.size(); start = end + 1) {
        end = std::min(all.find('\n', start), all.size());
        texts.push_back(all.substr(start, end - start));
    }
    if (command == "index") {
        const std::vector<float> vectors = embed(arguments[2], texts);
        std::ofstream file(arguments[4], std::ios::binary);
        file.write(reinterpret_cast<const char *>(vectors.data()), static_cast<std::streamsize>(vectors.size() * sizeof(float)));
        return file.flush() ? 0 : 1;
    }
    const Strings queries(arguments + 5, arguments + count);
    const std::vector<float> asked = embed(arguments[2], queries);
    const std::size_t width = queries.empty() ? 0 : asked.size() / queries.size();
    const std::string bytes = read(arguments[4]);
    if (bytes.size() != texts.size() * width * sizeof(float)) throw std::runtime_error("the index is of another text");
    std::vector<float> vectors(texts.size() * width);
    std::memcpy(vectors.data(), bytes.data(), bytes.size());
    for (std::size_t q = 0; q < queries.size(); ++q) {
        std::vector<std::pair<float, std::size_t>> nearest;
        for (std::size_t line = 0; line < texts.size(); ++line) {
            const float *vector = vectors.data() + line * width;
            nearest.emplace_back(-std::inner_product(vector, vector + width, asked.data() + q * width, 0.0F), line);
        }
        const std::size_t shown = std::min(hits, nearest.size());
        std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(shown), nearest.end());
        std::puts(queries[q].c_str());
        for (std::size_t i = 0; i < shown; ++i)
            std::printf("  %.3f  %s\n", static_cast<double>(-nearest[i].first), texts[nearest[i].second].c_str());
    }
    return 0;
}

int main(int count, char **arguments) {
    try {
        return run(count, arguments);
    } catch (const std::exception &error) {
        return std::fprintf(stderr, "search: %s\n", error.what()), 1;
    }
}
