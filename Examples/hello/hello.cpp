// hello MODEL IMAGE: prints the label and the logits of one image (raw little-endian f32).
#include <apus.hpp>

#include <cstdio>
#include <fstream>

int main(int count, char **arguments) try {
    if (count != 3) return std::fputs("usage: hello MODEL IMAGE\n", stderr), 2;
    apus::Model model(arguments[1]);
    apus::Options options;
    options.dimensions["batch"] = 1;
    apus::Session session(model, options);

    apus::span<float> image = session.input<float>(0);
    const std::streamsize size = static_cast<std::streamsize>(image.size() * sizeof(float));
    std::ifstream file(arguments[2], std::ios::binary);
    if (!file.read(reinterpret_cast<char *>(image.data()), size) || file.peek() != EOF)
        return std::fprintf(stderr, "hello: %s: not %td bytes\n", arguments[2], size), 1;
    session.run();

    apus::span<const float> logits = session.output<float>(0);
    const std::size_t best = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    const std::vector<std::string> labels = model.labels("logits");
    std::printf("label %s\nlogits", best < labels.size() ? labels[best].c_str() : "?");
    for (float logit : logits) std::printf(" %.9g", logit);
    std::printf("\n");
} catch (const std::exception &error) {
    return std::fprintf(stderr, "hello: %s\n", error.what()), 1;
}
