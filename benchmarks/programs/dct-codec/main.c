// A lossy image codec: cosine transform, quantization, zigzag order, run lengths with variable-length numbers; and back.
#include "../program.h"
#include "dct.h"

static int zigzag[64];

static void make_zigzag(void) {
  int n = 0;
  for (int diagonal = 0; diagonal < 15; diagonal++)
    for (int i = 0; i <= diagonal; i++) {
      int x = diagonal % 2 ? diagonal - i : i, y = diagonal - x;
      if (x < 8 && y < 8)
        zigzag[n++] = 8 * y + x;
    }
}

static int step_of(int position) { return 6 + 3 * (position / 8 + position % 8); }

static unsigned char *put_number(unsigned char *to, int value) {
  unsigned rest = value < 0 ? (unsigned)-value * 2 - 1 : (unsigned)value * 2;
  for (; rest >= 128; rest >>= 7)
    *to++ = (unsigned char)(rest | 128);
  *to++ = (unsigned char)rest;
  return to;
}

static const unsigned char *get_number(const unsigned char *from, int *value) {
  unsigned rest = 0;
  for (int shift = 0;; shift += 7) {
    rest |= (unsigned)(*from & 127) << shift;
    if (*from++ < 128)
      break;
  }
  *value = rest & 1 ? -(int)(rest / 2) - 1 : (int)(rest / 2);
  return from;
}

static unsigned char *encode_block(const int *block, unsigned char *to) {
  int coefficients[64], run = 0;
  forward_dct(block, coefficients);
  for (int i = 0; i < 64; i++) {
    int position = zigzag[i], value = coefficients[position] / step_of(position);
    if (value == 0) {
      run++;
      continue;
    }
    *to++ = (unsigned char)run;
    to = put_number(to, value);
    run = 0;
  }
  *to++ = 255;
  return to;
}

static const unsigned char *decode_block(const unsigned char *from, int *block) {
  int coefficients[64] = {0}, i = 0;
  while (*from != 255) {
    int value;
    i += *from++;
    from = get_number(from, &value);
    coefficients[zigzag[i]] = value * step_of(zigzag[i]);
    i++;
  }
  inverse_dct(coefficients, block);
  return from + 1;
}

static void make_picture(unsigned char *picture, int side) {
  uint64_t seed = 1;
  for (int y = 0; y < side; y++)
    for (int x = 0; x < side; x++) {
      int wave = (x * x / 64 + y * 3) & 127;
      picture[y * side + x] = (unsigned char)((wave < 64 ? wave : 127 - wave) * 3 + (int)random_below(&seed, 12));
    }
}

int main(int argc, char **argv) {
  int side = argument(argc, argv, 1) * 8, block[64];
  unsigned char *picture = (unsigned char *)allocate((size_t)side * side, 1);
  unsigned char *packed = (unsigned char *)allocate((size_t)side * side * 4, 1), *end = packed;
  int64_t squares = 0;
  make_cosines();
  make_zigzag();
  make_picture(picture, side);
  for (int y = 0; y < side; y += 8)
    for (int x = 0; x < side; x += 8) {
      for (int i = 0; i < 64; i++)
        block[i] = picture[(y + i / 8) * side + x + i % 8] - 128;
      end = encode_block(block, end);
    }
  const unsigned char *from = packed;
  for (int y = 0; y < side; y += 8)
    for (int x = 0; x < side; x += 8) {
      from = decode_block(from, block);
      for (int i = 0; i < 64; i++) {
        int difference = block[i] + 128 - picture[(y + i / 8) * side + x + i % 8];
        squares += difference * difference;
      }
    }
  printf("packed %td of %d bytes %016" PRIx64 " squared error %" PRId64 "\n", end - packed, side * side,
         mix_bytes(0, packed, (size_t)(end - packed)), squares);
  free(picture);
  free(packed);
}
