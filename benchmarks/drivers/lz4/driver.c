// Compresses a text in blocks, fast and with much effort, and decompresses it again.
#include "../text.h"
#include "lz4.h"
#include "lz4hc.h"

enum { BLOCK = 64 << 10 };

static void round_trip(const char *name, const char *text, int size, int effort, char *packed, int capacity,
                       char *restored) {
  size_t total = 0;
  uint64_t hash = 0;
  int same = 1;
  for (int i = 0; i < size; i += BLOCK) {
    int n = size - i < BLOCK ? size - i : BLOCK;
    int packed_size = effort ? LZ4_compress_HC(text + i, packed, n, capacity, effort)
                             : LZ4_compress_default(text + i, packed, n, capacity);
    int restored_size = LZ4_decompress_safe(packed, restored, packed_size, n);
    same &= restored_size == n && memcmp(text + i, restored, (size_t)n) == 0;
    total += (size_t)packed_size;
    hash = mix_bytes(hash, packed, (size_t)packed_size);
  }
  printf("%s: %zu bytes %016" PRIx64 " %s\n", name, total, hash, same ? "same" : "other");
}

int main(int argc, char **argv) {
  int size = argument(argc, argv, 1) * 1000, capacity = LZ4_compressBound(BLOCK);
  char *text = (char *)allocate((size_t)size, 1), *restored = (char *)allocate(BLOCK, 1);
  char *packed = (char *)allocate((size_t)capacity, 1);
  make_text((unsigned char *)text, (size_t)size, 1);
  for (int round = 0; round < 4; round++)
    round_trip("fast", text + round, size - round, 0, packed, capacity, restored);
  round_trip("effort 4", text, size, 4, packed, capacity, restored);
  round_trip("effort 10", text, size / 4, 10, packed, capacity, restored);
  free(text);
  free(restored);
  free(packed);
}
