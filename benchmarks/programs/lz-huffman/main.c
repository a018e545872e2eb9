// Compresses a made-up text, and decompresses it again.
#include "../program.h"
#include "codec.h"

// Words of few syllables, some far more often than others, so that there is something to find.
static void make_text(unsigned char *text, size_t size, uint64_t seed) {
  static const char *syllables[] = {"the", "re", "ing", "com", "pi", "la", "tion", "o", "per", "me", "sur", "ed", "fast", "un"};
  for (size_t i = 0; i < size;) {
    uint64_t word = next_random(&seed);
    word = (word & 7) < 5 ? word >> 8 & 63 : word >> 8 & 4095;
    for (uint64_t rest = word * 2654435761u % 100003 + 1; rest > 0 && i < size; rest /= 14)
      for (const char *letter = syllables[rest % 14]; *letter && i < size; letter++)
        text[i++] = (unsigned char)*letter;
    if (i < size)
      text[i++] = word % 11 ? ' ' : '\n';
  }
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000, capacity = size + size / 2 + 1000;
  unsigned char *text = (unsigned char *)allocate(size, 1), *restored = (unsigned char *)allocate(size, 1);
  struct token *tokens = (struct token *)allocate(size, sizeof *tokens);
  struct bits stream = {.bytes = (unsigned char *)allocate(capacity, 1), .size = capacity};
  make_text(text, size, 1);
  size_t n_tokens = find_tokens(text, size, tokens);
  encode_tokens(tokens, n_tokens, &stream);
  size_t packed = stream.position;
  struct bits reader = {.bytes = stream.bytes, .size = packed};
  size_t restored_size = decode_tokens(&reader, restored, size);
  printf("%zu bytes, %zu tokens, %zu packed %016" PRIx64 ", %s\n", size, n_tokens, packed,
         mix_bytes(0, stream.bytes, packed),
         restored_size == size && memcmp(text, restored, size) == 0 ? "restored" : "not restored");
  free(text);
  free(restored);
  free(tokens);
  free(stream.bytes);
}
