#include "codec.h"

void put_bits(struct bits *stream, uint32_t value, int n) {
  stream->pending |= (uint64_t)value << stream->n_pending;
  stream->n_pending += n;
  while (stream->n_pending >= 8) {
    if (stream->position < stream->size)
      stream->bytes[stream->position] = (unsigned char)stream->pending;
    stream->position++;
    stream->pending >>= 8;
    stream->n_pending -= 8;
  }
}

void flush_bits(struct bits *stream) {
  if (stream->n_pending > 0)
    put_bits(stream, 0, 8 - stream->n_pending);
}

uint32_t get_bits(struct bits *stream, int n) {
  while (stream->n_pending < n) {
    uint64_t byte = stream->position < stream->size ? stream->bytes[stream->position] : 0;
    stream->position++;
    stream->pending |= byte << stream->n_pending;
    stream->n_pending += 8;
  }
  uint32_t value = (uint32_t)(stream->pending & ((1ull << n) - 1));
  stream->pending >>= n;
  stream->n_pending -= n;
  return value;
}
