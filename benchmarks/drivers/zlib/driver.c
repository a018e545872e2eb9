// Compresses a text at three levels and as a stream of small pieces, and decompresses it again.
#include "../text.h"
#include "zlib.h"

static void round_trip(const unsigned char *text, size_t size, int level, unsigned char *packed, size_t capacity,
                       unsigned char *restored) {
  uLongf packed_size = capacity, restored_size = size;
  if (compress2(packed, &packed_size, text, size, level) != Z_OK ||
      uncompress(restored, &restored_size, packed, packed_size) != Z_OK)
    exit(1);
  printf("level %d: %lu bytes %016" PRIx64 " %s\n", level, packed_size, mix_bytes(0, packed, packed_size),
         restored_size == size && memcmp(text, restored, size) == 0 ? "same" : "other");
}

static void stream(unsigned char *text, size_t size, unsigned char *packed, size_t capacity) {
  z_stream z = {0};
  if (deflateInit2(&z, 3, Z_DEFLATED, -12, 5, Z_FILTERED) != Z_OK)
    exit(1);
  z.next_out = packed;
  z.avail_out = (uInt)capacity;
  for (size_t i = 0; i < size; i += 1000) {
    z.next_in = text + i;
    z.avail_in = (uInt)(size - i < 1000 ? size - i : 1000);
    if (deflate(&z, i + 1000 >= size ? Z_FINISH : i % 16000 ? Z_NO_FLUSH : Z_SYNC_FLUSH) == Z_STREAM_ERROR)
      exit(1);
  }
  printf("stream: %lu bytes %016" PRIx64 "\n", z.total_out, mix_bytes(0, packed, z.total_out));
  deflateEnd(&z);
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000, capacity = compressBound(size) + size / 8;
  unsigned char *text = (unsigned char *)allocate(size, 1), *restored = (unsigned char *)allocate(size, 1);
  unsigned char *packed = (unsigned char *)allocate(capacity, 1);
  make_text(text, size, 1);
  round_trip(text, size, 1, packed, capacity, restored);
  round_trip(text, size, 6, packed, capacity, restored);
  round_trip(text, size / 4, 9, packed, capacity, restored);
  stream(text, size, packed, capacity);
  printf("crc %08lx adler %08lx\n", crc32(0, text, (uInt)size), adler32(1, text, (uInt)size));
  free(text);
  free(restored);
  free(packed);
}
