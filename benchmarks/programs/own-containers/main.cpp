// Inserts, finds and removes in an array, a hash table and a search tree of its own, with numbers and with texts.
#include "../program.h"
#include "containers.h"
#include <cstring>

namespace {

// A text that owns its characters; moving takes them along.
class Text {
public:
  explicit Text(const char *from) : characters(new char[std::strlen(from) + 1]) { std::strcpy(characters, from); }
  Text(const Text &other) : Text(other.characters) {}
  Text(Text &&other) noexcept : characters(other.characters) { other.characters = nullptr; }
  Text &operator=(Text other) noexcept {
    std::swap(characters, other.characters);
    return *this;
  }
  ~Text() { delete[] characters; }
  const char *get() const { return characters; }

private:
  char *characters;
};

struct TextLess {
  bool operator()(const Text &a, const Text &b) const { return std::strcmp(a.get(), b.get()) < 0; }
};
struct NumberLess {
  bool operator()(std::uint32_t a, std::uint32_t b) const { return a < b; }
};

} // namespace

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  uint64_t seed = 1, hash = 0;

  HashMap<std::uint32_t, std::uint32_t> counts;
  for (int i = 0; i < 4 * n; i++)
    counts[random_below(&seed, static_cast<uint32_t>(n))]++;
  int n_removed = 0;
  for (int i = 0; i < n; i += 2)
    n_removed += counts.remove(static_cast<std::uint32_t>(i));
  uint32_t most = 0;
  for (int i = 1; i < n; i += 2)
    most = counts[static_cast<std::uint32_t>(i)] > most ? counts[static_cast<std::uint32_t>(i)] : most;
  printf("map: %zu left, %d removed, most %u\n", counts.size(), n_removed, most);

  Treap<std::uint32_t, NumberLess> numbers{NumberLess{}};
  int n_added = 0, n_found = 0;
  for (int i = 0; i < n; i++)
    n_added += numbers.insert(random_below(&seed, static_cast<uint32_t>(n)));
  for (int i = 0; i < n; i++)
    n_found += numbers.remove(random_below(&seed, static_cast<uint32_t>(n)));
  numbers.for_each([&hash](std::uint32_t number) { hash = mix(hash, number); });
  printf("numbers: %d added, %d removed, rest %016" PRIx64 "\n", n_added, n_found, hash);

  Array<Text> texts;
  Treap<Text, TextLess> sorted{TextLess{}};
  for (int i = 0; i < n / 2; i++) {
    char text[32];
    snprintf(text, sizeof text, "%s number %u", i % 3 ? "text" : "another", random_below(&seed, 5000));
    Text made(text);
    sorted.insert(made);
    texts.push(std::move(made));
    if (i % 7 == 6)
      hash = mix_bytes(hash, texts.pop().get(), 4);
  }
  std::size_t n_sorted = 0;
  sorted.for_each([&](const Text &text) {
    hash = mix_bytes(hash, text.get(), std::strlen(text.get()));
    n_sorted++;
  });
  printf("texts: %zu kept, %zu different, %016" PRIx64 "\n", texts.size(), n_sorted, hash);
}
