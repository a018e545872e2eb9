// Lengths are grouped by their highest bit: symbol FIRST_LENGTH + n, then n bits; distances are written plainly.
#include "../program.h"
#include "codec.h"

enum { MAX_BITS = 32, END_OF_DATA = N_SYMBOLS - 1 };

struct code {
  unsigned char length[N_SYMBOLS];
  uint32_t bits[N_SYMBOLS]; // reversed, so that the first bit comes first
};

static int highest_bit(uint32_t x) {
  int n = 0;
  while (x >>= 1)
    n++;
  return n;
}

// Joins the two rarest nodes until one is left; a heap keeps them in order of weight, and of number among equals.
static void sift_down(int *heap, int n, int i, const uint64_t *weight) {
  for (;;) {
    int least = i;
    for (int child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
      if (weight[heap[child]] < weight[heap[least]] ||
          (weight[heap[child]] == weight[heap[least]] && heap[child] < heap[least]))
        least = child;
    if (least == i)
      return;
    int swapped = heap[i];
    heap[i] = heap[least];
    heap[least] = swapped;
    i = least;
  }
}

static void make_lengths(const uint32_t *counts, unsigned char *length) {
  uint64_t weight[2 * N_SYMBOLS];
  int parent[2 * N_SYMBOLS], heap[N_SYMBOLS], n = 0, n_nodes = N_SYMBOLS;
  for (int i = 0; i < N_SYMBOLS; i++) {
    weight[i] = counts[i];
    if (counts[i])
      heap[n++] = i;
  }
  for (int i = n / 2; i >= 0; i--)
    sift_down(heap, n, i, weight);
  while (n > 1) {
    int first = heap[0];
    heap[0] = heap[--n];
    sift_down(heap, n, 0, weight);
    int second = heap[0];
    weight[n_nodes] = weight[first] + weight[second];
    parent[first] = parent[second] = n_nodes;
    heap[0] = n_nodes++;
    sift_down(heap, n, 0, weight);
  }
  for (int i = 0; i < N_SYMBOLS; i++) {
    length[i] = 0;
    if (counts[i])
      for (int node = i; node != n_nodes - 1; node = parent[node])
        length[i]++;
  }
}

// Canonical codes: by length, and by symbol among equal lengths.
static void make_codes(struct code *code) {
  uint32_t next = 0;
  for (int length = 1; length <= MAX_BITS; length++) {
    for (int i = 0; i < N_SYMBOLS; i++)
      if (code->length[i] == length) {
        uint32_t reversed = 0;
        for (int bit = 0; bit < length; bit++)
          reversed |= (next >> bit & 1) << (length - 1 - bit);
        code->bits[i] = reversed;
        next++;
      }
    next <<= 1;
  }
}

void encode_tokens(const struct token *tokens, size_t n_tokens, struct bits *stream) {
  uint32_t counts[N_SYMBOLS] = {0};
  struct code code;
  counts[END_OF_DATA] = counts[0] = 1; // two symbols at least
  for (size_t i = 0; i < n_tokens; i++)
    counts[tokens[i].length ? FIRST_LENGTH + highest_bit(tokens[i].length) : tokens[i].literal]++;
  make_lengths(counts, code.length);
  make_codes(&code);
  for (int i = 0; i < N_SYMBOLS; i++)
    put_bits(stream, code.length[i], 6);
  for (size_t i = 0; i < n_tokens; i++) {
    const struct token *token = &tokens[i];
    int extra = token->length ? highest_bit(token->length) : 0;
    int symbol = token->length ? FIRST_LENGTH + extra : token->literal;
    put_bits(stream, code.bits[symbol], code.length[symbol]);
    if (token->length) {
      put_bits(stream, token->length & ((1u << extra) - 1), extra);
      put_bits(stream, token->distance, 15);
    }
  }
  put_bits(stream, code.bits[END_OF_DATA], code.length[END_OF_DATA]);
  flush_bits(stream);
}

// A canonical code is decoded by what codes of each length begin with: no tree is needed.
struct decoder {
  uint32_t first[MAX_BITS + 1], count[MAX_BITS + 1], offset[MAX_BITS + 1];
  uint16_t symbols[N_SYMBOLS];
};

static void make_decoder(struct decoder *decoder, const unsigned char *length) {
  uint32_t next = 0, n = 0;
  for (int bits = 1; bits <= MAX_BITS; bits++) {
    decoder->first[bits] = next;
    decoder->offset[bits] = n;
    for (int i = 0; i < N_SYMBOLS; i++)
      if (length[i] == bits)
        decoder->symbols[n++] = (uint16_t)i;
    decoder->count[bits] = n - decoder->offset[bits];
    next = (next + decoder->count[bits]) << 1;
  }
}

static int decode_symbol(const struct decoder *decoder, struct bits *stream) {
  uint32_t code = 0;
  for (int bits = 1; bits <= MAX_BITS; bits++) {
    code = code << 1 | get_bits(stream, 1);
    if (code - decoder->first[bits] < decoder->count[bits])
      return decoder->symbols[decoder->offset[bits] + code - decoder->first[bits]];
  }
  return END_OF_DATA;
}

size_t decode_tokens(struct bits *stream, unsigned char *data, size_t capacity) {
  unsigned char length[N_SYMBOLS];
  struct decoder decoder;
  size_t n = 0;
  for (int i = 0; i < N_SYMBOLS; i++)
    length[i] = (unsigned char)get_bits(stream, 6);
  make_decoder(&decoder, length);
  for (int symbol; (symbol = decode_symbol(&decoder, stream)) != END_OF_DATA && n < capacity;) {
    if (symbol < FIRST_LENGTH) {
      data[n++] = (unsigned char)symbol;
      continue;
    }
    int extra = symbol - FIRST_LENGTH;
    size_t count = get_bits(stream, extra) | 1u << extra, distance = get_bits(stream, 15);
    if (distance == 0 || distance > n)
      break;
    for (; count > 0 && n < capacity; count--, n++)
      data[n] = data[n - distance];
  }
  return n;
}
