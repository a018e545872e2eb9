// Compresses a text at three levels, and many small pieces with a dictionary, and decompresses all of it.
#include "../text.h"
#include "zstd.h"

static void round_trip(const char *text, size_t size, int level, char *packed, size_t capacity, char *restored) {
  size_t packed_size = ZSTD_compress(packed, capacity, text, size, level);
  size_t restored_size = ZSTD_isError(packed_size) ? 0 : ZSTD_decompress(restored, size, packed, packed_size);
  printf("level %d: %zu bytes %016" PRIx64 " %s\n", level, packed_size, mix_bytes(0, packed, packed_size),
         restored_size == size && memcmp(text, restored, size) == 0 ? "same" : "other");
}

static void pieces(const char *text, size_t size, char *packed, size_t capacity, char *restored) {
  enum { PIECE = 700, DICTIONARY = 4096 };
  ZSTD_CCtx *compressor = ZSTD_createCCtx();
  ZSTD_DCtx *decompressor = ZSTD_createDCtx();
  size_t total = 0;
  int same = 1;
  for (size_t i = DICTIONARY; i + PIECE <= size; i += PIECE) {
    size_t n = ZSTD_compress_usingDict(compressor, packed, capacity, text + i, PIECE, text, DICTIONARY, 3);
    size_t back = ZSTD_decompress_usingDict(decompressor, restored, PIECE, packed, n, text, DICTIONARY);
    same &= back == PIECE && memcmp(text + i, restored, PIECE) == 0;
    total += n;
  }
  printf("pieces: %zu bytes %s\n", total, same ? "same" : "other");
  ZSTD_freeCCtx(compressor);
  ZSTD_freeDCtx(decompressor);
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000, capacity = ZSTD_compressBound(size);
  char *text = (char *)allocate(size, 1), *packed = (char *)allocate(capacity, 1), *restored = (char *)allocate(size, 1);
  make_text((unsigned char *)text, size, 1);
  round_trip(text, size, 1, packed, capacity, restored);
  round_trip(text, size, 3, packed, capacity, restored);
  round_trip(text, size / 4, 9, packed, capacity, restored);
  pieces(text, size / 8, packed, capacity, restored);
  free(text);
  free(packed);
  free(restored);
}
