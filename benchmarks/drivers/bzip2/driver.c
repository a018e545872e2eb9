// Compresses a text and decompresses it again, also with the decompressor that needs little memory.
#include "../text.h"
#include "bzlib.h"

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000, capacity = size + size / 50 + 1000;
  char *text = (char *)allocate(size, 1), *packed = (char *)allocate(capacity, 1), *restored = (char *)allocate(size, 1);
  make_text((unsigned char *)text, size, 1);
  for (int level = 1; level <= 5; level += 4) {
    unsigned packed_size = (unsigned)capacity;
    if (BZ2_bzBuffToBuffCompress(packed, &packed_size, text, (unsigned)size, level, 0, 0) != BZ_OK)
      return 1;
    for (int small = 0; small < 2; small++) {
      unsigned restored_size = (unsigned)size;
      if (BZ2_bzBuffToBuffDecompress(restored, &restored_size, packed, packed_size, small, 0) != BZ_OK)
        return 1;
      printf("level %d: %u bytes %016" PRIx64 " %s\n", level, packed_size, mix_bytes(0, packed, packed_size),
             restored_size == size && memcmp(text, restored, size) == 0 ? "same" : "other");
    }
  }
  free(text);
  free(packed);
  free(restored);
}
