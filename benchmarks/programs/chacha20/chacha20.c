// The ChaCha20 stream cipher and the Poly1305 checksum in limbs of 26 bits. Source: RFC 8439.
#include "../program.h"

static inline uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

static inline void quarter_round(uint32_t *x, int a, int b, int c, int d) {
  x[a] += x[b];
  x[d] = rotate(x[d] ^ x[a], 16);
  x[c] += x[d];
  x[b] = rotate(x[b] ^ x[c], 12);
  x[a] += x[b];
  x[d] = rotate(x[d] ^ x[a], 8);
  x[c] += x[d];
  x[b] = rotate(x[b] ^ x[c], 7);
}

static void chacha_block(const uint32_t state[16], unsigned char stream[64]) {
  uint32_t x[16];
  memcpy(x, state, sizeof x);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 4; i++)
      quarter_round(x, i, i + 4, i + 8, i + 12);
    for (int i = 0; i < 4; i++)
      quarter_round(x, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12);
  }
  for (int i = 0; i < 16; i++) {
    uint32_t word = x[i] + state[i];
    for (int k = 0; k < 4; k++)
      stream[4 * i + k] = (unsigned char)(word >> (8 * k));
  }
}

static void encrypt(uint32_t state[16], unsigned char *data, size_t size) {
  unsigned char stream[64];
  for (size_t i = 0; i < size; i += 64) {
    chacha_block(state, stream);
    state[12]++;
    size_t n = size - i < 64 ? size - i : 64;
    for (size_t k = 0; k < n; k++)
      data[i + k] ^= stream[k];
  }
}

// Of whole blocks of 16 bytes, without the final addition of the second half of the key.
static void poly1305(const uint32_t r[5], const unsigned char *data, size_t size, uint32_t h[5]) {
  for (size_t i = 0; i + 16 <= size; i += 16) {
    uint64_t low, high, d[5];
    memcpy(&low, data + i, 8);
    memcpy(&high, data + i + 8, 8);
    h[0] += low & 0x3ffffff;
    h[1] += low >> 26 & 0x3ffffff;
    h[2] += (low >> 52 | high << 12) & 0x3ffffff;
    h[3] += high >> 14 & 0x3ffffff;
    h[4] += (uint32_t)(high >> 40) | 1u << 24;
    for (int n = 0; n < 5; n++) {
      d[n] = 0;
      for (int k = 0; k < 5; k++)
        d[n] += (uint64_t)h[k] * (k <= n ? r[n - k] : 5 * r[n + 5 - k]);
    }
    for (int n = 0; n < 4; n++) {
      d[n + 1] += d[n] >> 26;
      h[n] = d[n] & 0x3ffffff;
    }
    h[4] = d[4] & 0x3ffffff;
    h[0] += 5 * (uint32_t)(d[4] >> 26);
    h[1] += h[0] >> 26;
    h[0] &= 0x3ffffff;
  }
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000;
  unsigned char *data = (unsigned char *)allocate(size, 1), stream[64];
  // The example of RFC 8439, section 2.3.2, whose stream begins with 10 f1 e7 e4.
  uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, [12] = 1, 0x09000000, 0x4a000000, 0};
  for (uint32_t i = 0; i < 8; i++)
    state[4 + i] = 0x03020100 + i * 0x04040404;
  chacha_block(state, stream);
  printf("stream %02x %02x %02x %02x\n", stream[0], stream[1], stream[2], stream[3]);
  uint32_t r[5] = {0x3ffffff & 0x1234567, 0x3ffff03 & 0x2345678, 0x3ffc0ff & 0x3456789, 0x3f03fff & 0x1111111, 0xfffff},
           h[5] = {0};
  for (int round = 0; round < 3; round++) {
    encrypt(state, data, size);
    poly1305(r, data, size, h);
  }
  printf("data %016" PRIx64 " tag %07x %07x %07x %07x %07x\n", mix_bytes(0, data, size), h[0], h[1], h[2], h[3], h[4]);
  free(data);
}
