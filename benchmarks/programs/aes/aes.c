#include "aes.h"

static unsigned char substitution[256];
static uint32_t mixed[4][256]; // of a byte in each of a column's rows: substituted and multiplied by the mixing matrix

static unsigned char times_two(unsigned char x) { return (unsigned char)(x << 1 ^ (x & 0x80 ? 0x1b : 0)); }

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

void aes_make_tables(void) {
  // 3 generates the field's units: p runs through its powers, q through their inverses.
  unsigned char p = 1, q = 1;
  do {
    p = (unsigned char)(p ^ times_two(p));
    q ^= (unsigned char)(q << 1);
    q ^= (unsigned char)(q << 2);
    q ^= (unsigned char)(q << 4);
    if (q & 0x80)
      q ^= 0x09;
    unsigned char affine = 0x63;
    for (int n = 0; n < 5; n++)
      affine ^= (unsigned char)(q << n | q >> (8 - n));
    substitution[p] = affine;
  } while (p != 1);
  substitution[0] = 0x63;
  for (int i = 0; i < 256; i++) {
    unsigned char s = substitution[i], s2 = times_two(s);
    uint32_t column = (uint32_t)s2 << 24 | (uint32_t)s << 16 | (uint32_t)s << 8 | (unsigned char)(s ^ s2);
    for (int row = 0; row < 4; row++)
      mixed[row][i] = row ? rotate(column, 8 * row) : column;
  }
}

static uint32_t substitute(uint32_t word) {
  return (uint32_t)substitution[word >> 24] << 24 | (uint32_t)substitution[word >> 16 & 255] << 16 |
         (uint32_t)substitution[word >> 8 & 255] << 8 | substitution[word & 255];
}

static uint32_t load(const unsigned char *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store(unsigned char *bytes, uint32_t word) {
  for (int i = 0; i < 4; i++)
    bytes[i] = (unsigned char)(word >> (24 - 8 * i));
}

void aes_expand(struct aes_key *key, const unsigned char secret[16]) {
  unsigned char constant = 1;
  for (int i = 0; i < 4; i++)
    key->words[i] = load(secret + 4 * i);
  for (int i = 4; i < 44; i++) {
    uint32_t word = key->words[i - 1];
    if (i % 4 == 0) {
      word = substitute(rotate(word, 24)) ^ (uint32_t)constant << 24;
      constant = times_two(constant);
    }
    key->words[i] = key->words[i - 4] ^ word;
  }
}

void aes_encrypt(const struct aes_key *key, const unsigned char plain[16], unsigned char cipher[16]) {
  const uint32_t *round_key = key->words;
  uint32_t state[4], next[4];
  for (int i = 0; i < 4; i++)
    state[i] = load(plain + 4 * i) ^ round_key[i];
  for (int round = 1; round < 10; round++) {
    round_key += 4;
    for (int i = 0; i < 4; i++)
      next[i] = mixed[0][state[i] >> 24] ^ mixed[1][state[(i + 1) % 4] >> 16 & 255] ^
                mixed[2][state[(i + 2) % 4] >> 8 & 255] ^ mixed[3][state[(i + 3) % 4] & 255] ^ round_key[i];
    for (int i = 0; i < 4; i++)
      state[i] = next[i];
  }
  round_key += 4;
  for (int i = 0; i < 4; i++) {
    uint32_t shifted = (state[i] & 0xff000000u) | (state[(i + 1) % 4] & 0xff0000u) | (state[(i + 2) % 4] & 0xff00u) |
                       (state[(i + 3) % 4] & 0xffu);
    store(cipher + 4 * i, substitute(shifted) ^ round_key[i]);
  }
}
