// Conway's game of life on a torus: a byte for each cell, and 64 cells in a word; both must agree.
#include "../program.h"

static void step_bytes(const unsigned char *from, unsigned char *to, int n) {
  for (int y = 0; y < n; y++) {
    const unsigned char *above = from + (size_t)((y + n - 1) % n) * n, *here = from + (size_t)y * n;
    const unsigned char *below = from + (size_t)((y + 1) % n) * n;
    for (int x = 0; x < n; x++) {
      int left = x ? x - 1 : n - 1, right = x + 1 < n ? x + 1 : 0;
      int around = above[left] + above[x] + above[right] + here[left] + here[right] + below[left] + below[x] + below[right];
      to[(size_t)y * n + x] = around == 3 || (around == 2 && here[x]);
    }
  }
}

// Sum and carry of three words, bit by bit.
static inline void add(uint64_t a, uint64_t b, uint64_t c, uint64_t *sum, uint64_t *carry) {
  uint64_t either = a ^ b;
  *sum = either ^ c;
  *carry = (a & b) | (either & c);
}

static inline uint64_t from_left(const uint64_t *row, int i, int n) { return row[i] << 1 | row[i ? i - 1 : n - 1] >> 63; }

static inline uint64_t from_right(const uint64_t *row, int i, int n) {
  return row[i] >> 1 | row[i + 1 < n ? i + 1 : 0] << 63;
}

static void step_words(const uint64_t *from, uint64_t *to, int n_words, int height) {
  for (int y = 0; y < height; y++) {
    const uint64_t *above = from + (size_t)((y + height - 1) % height) * n_words, *here = from + (size_t)y * n_words;
    const uint64_t *below = from + (size_t)((y + 1) % height) * n_words;
    for (int i = 0; i < n_words; i++) {
      uint64_t sums[3], carries[3], ones, twos, fours, more, unused;
      add(from_left(above, i, n_words), above[i], from_right(above, i, n_words), &sums[0], &carries[0]);
      add(from_left(below, i, n_words), below[i], from_right(below, i, n_words), &sums[1], &carries[1]);
      add(from_left(here, i, n_words), from_right(here, i, n_words), 0, &sums[2], &carries[2]);
      add(sums[0], sums[1], sums[2], &ones, &more);
      add(carries[0], carries[1], carries[2], &twos, &fours);
      add(twos, more, 0, &twos, &unused);
      to[(size_t)y * n_words + i] = twos & ~(fours | unused) & (ones | here[i]);
    }
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), steps = argument(argc, argv, 2), n_words = n / 64, differences = 0;
  size_t n_cells = (size_t)n * n;
  unsigned char *bytes = (unsigned char *)allocate(n_cells, 1), *next_bytes = (unsigned char *)allocate(n_cells, 1);
  uint64_t *words = (uint64_t *)allocate(n_cells / 64, 8), *next_words = (uint64_t *)allocate(n_cells / 64, 8), seed = 1;
  for (size_t i = 0; i < n_cells; i++) {
    bytes[i] = random_below(&seed, 3) == 0;
    words[i / 64] |= (uint64_t)bytes[i] << i % 64;
  }
  for (int t = 0; t < steps; t++) {
    step_bytes(bytes, next_bytes, n);
    step_words(words, next_words, n_words, n);
    step_words(next_words, words, n_words, n);
    step_bytes(next_bytes, bytes, n);
  }
  int alive = 0;
  for (size_t i = 0; i < n_cells; i++) {
    differences += bytes[i] != (words[i / 64] >> i % 64 & 1);
    alive += bytes[i];
  }
  printf("alive %d differences %d cells %016" PRIx64 "\n", alive, differences, mix_bytes(0, words, n_cells / 8));
  free(bytes);
  free(next_bytes);
  free(words);
  free(next_words);
}
