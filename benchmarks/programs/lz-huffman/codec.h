// Compression in two stages: repetitions become tokens (lz.c), tokens become bits (huffman.c, bits.c).
#ifndef CODEC_H
#define CODEC_H
#include <stddef.h>
#include <stdint.h>

enum { WINDOW = 1 << 15, MIN_MATCH = 4, MAX_MATCH = 258, N_SYMBOLS = 256 + 32, FIRST_LENGTH = 256 };

// A literal byte if length is 0, else a repetition.
struct token {
  uint16_t length, distance;
  unsigned char literal;
};

struct bits {
  unsigned char *bytes;
  size_t size, position; // in bytes
  uint64_t pending;      // bits that are not written, or read but not used
  int n_pending;
};

void put_bits(struct bits *stream, uint32_t value, int n);
void flush_bits(struct bits *stream);
uint32_t get_bits(struct bits *stream, int n);

// At most `size` tokens; returns how many.
size_t find_tokens(const unsigned char *data, size_t size, struct token *tokens);

void encode_tokens(const struct token *tokens, size_t n_tokens, struct bits *stream);

// Returns the number of bytes that it wrote to `data`, at most `capacity`.
size_t decode_tokens(struct bits *stream, unsigned char *data, size_t capacity);

#endif
