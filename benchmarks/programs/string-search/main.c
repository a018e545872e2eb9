// Searches a text of few letters, where patterns nearly match often, for patterns of several lengths.
#include "../program.h"
#include "search.h"

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000, totals[4] = {0};
  char *text = (char *)allocate(size + 1, 1), pattern[64];
  uint64_t seed = 1;
  for (size_t i = 0; i < size; i++)
    text[i] = "aaaabbc d"[random_below(&seed, 9)];
  for (size_t length = 1; length < sizeof pattern; length = length * 2 + 1) {
    memcpy(pattern, text + size / 3, length);
    size_t counts[4] = {count_plain(text, size, pattern, length), count_by_prefixes(text, size, pattern, length),
                        count_by_skips(text, size, pattern, length), count_by_hash(text, size, pattern, length)};
    for (int way = 0; way < 4; way++)
      totals[way] += counts[way];
    printf("length %zu: %zu\n", length, counts[0]);
  }
  printf("totals %zu %zu %zu %zu\n", totals[0], totals[1], totals[2], totals[3]);
  free(text);
}
