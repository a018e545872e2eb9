// -Oz
// A decoder of tagged fields: a state machine over bytes with variable-length integers.
#include <stddef.h>
#include <stdint.h>

enum state { TAG, NUMBER, LENGTH, BYTES, FIXED, FAILED };

struct decoder {
  enum state state;
  uint32_t tag;
  uint64_t number;
  unsigned shift;
  size_t left;
  void (*on_number)(void *, uint32_t, uint64_t);
  void (*on_bytes)(void *, uint32_t, const uint8_t *, size_t);
  void *context;
};

static int add_byte(struct decoder *decoder, uint8_t byte) {
  if (decoder->shift > 63)
    return -1;
  decoder->number |= (uint64_t)(byte & 0x7f) << decoder->shift;
  decoder->shift += 7;
  return !(byte & 0x80);
}

static void restart(struct decoder *decoder, enum state state) {
  decoder->state = state;
  decoder->number = 0;
  decoder->shift = 0;
}

size_t decode(struct decoder *decoder, const uint8_t *input, size_t size) {
  size_t at = 0;
  while (at < size && decoder->state != FAILED) {
    uint8_t byte = input[at];
    switch (decoder->state) {
    case TAG: {
      int done = add_byte(decoder, byte);
      at++;
      if (done < 0) {
        decoder->state = FAILED;
      } else if (done) {
        decoder->tag = (uint32_t)(decoder->number >> 3);
        unsigned kind = decoder->number & 7;
        restart(decoder, kind == 0 ? NUMBER : kind == 2 ? LENGTH : kind == 5 ? FIXED : FAILED);
        decoder->left = 4;
      }
      break;
    }
    case NUMBER: {
      int done = add_byte(decoder, byte);
      at++;
      if (done < 0)
        decoder->state = FAILED;
      else if (done) {
        decoder->on_number(decoder->context, decoder->tag, decoder->number);
        restart(decoder, TAG);
      }
      break;
    }
    case LENGTH: {
      int done = add_byte(decoder, byte);
      at++;
      if (done < 0)
        decoder->state = FAILED;
      else if (done) {
        size_t length = decoder->number;
        restart(decoder, length ? BYTES : TAG);
        decoder->left = length;
      }
      break;
    }
    case BYTES: {
      size_t piece = decoder->left < size - at ? decoder->left : size - at;
      decoder->on_bytes(decoder->context, decoder->tag, input + at, piece);
      at += piece;
      decoder->left -= piece;
      if (!decoder->left)
        restart(decoder, TAG);
      break;
    }
    case FIXED:
      decoder->number |= (uint64_t)byte << (8 * (4 - decoder->left));
      at++;
      if (!--decoder->left) {
        decoder->on_number(decoder->context, decoder->tag, decoder->number);
        restart(decoder, TAG);
      }
      break;
    case FAILED:
      break;
    }
  }
  return at;
}
