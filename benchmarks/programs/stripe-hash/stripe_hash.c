// A fast hash that takes its input in stripes of four accumulators, and short keys of a table by another way.
#include "../program.h"

#define PRIME_1 0x9e3779b185ebca87u
#define PRIME_2 0xc2b2ae3d27d4eb4fu
#define PRIME_3 0x165667b19e3779f9u

static inline uint64_t rotate(uint64_t x, int n) { return (x << n) | (x >> (64 - n)); }

static inline uint64_t load(const unsigned char *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

static inline uint64_t round_of(uint64_t lane, uint64_t word) { return rotate(lane + word * PRIME_2, 31) * PRIME_1; }

static uint64_t hash_stripes(const void *data, size_t size, uint64_t seed) {
  const unsigned char *bytes = data, *end = bytes + size;
  uint64_t lanes[4] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
  for (; end - bytes >= 32; bytes += 32)
    for (int lane = 0; lane < 4; lane++)
      lanes[lane] = round_of(lanes[lane], load(bytes + 8 * lane));
  uint64_t hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18) + size;
  for (; end - bytes >= 8; bytes += 8)
    hash = rotate(hash ^ round_of(0, load(bytes)), 27) * PRIME_1 + PRIME_3;
  for (; bytes < end; bytes++)
    hash = rotate(hash ^ *bytes * PRIME_3, 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1024;
  unsigned char *data = (unsigned char *)allocate(size, 1);
  uint64_t seed = 1, hash = 0, key_hash = 0;
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t word = next_random(&seed);
    memcpy(data + i, &word, 8);
  }
  for (int round = 0; round < 16; round++)
    hash = hash_stripes(data, size - round, hash);
  // Keys of a few bytes, at all alignments.
  for (size_t i = 0; i + 32 < size; i += 9)
    key_hash += hash_stripes(data + i, i % 24, key_hash);
  printf("long %016" PRIx64 " keys %016" PRIx64 "\n", hash, key_hash);
  free(data);
}
