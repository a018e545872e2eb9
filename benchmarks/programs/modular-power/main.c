// Powers modulo big odd numbers, by squaring and multiplying; a check of Fermat's little theorem with 2^521 - 1.
#include "../program.h"
#include "bignum.h"

enum { N_LIMBS = 17, N_BITS = 521 };

// base^exponent, all of N_LIMBS limbs.
static void power(const uint32_t *base, const uint32_t *exponent, const uint32_t *modulus, uint32_t *result) {
  uint32_t one[N_LIMBS] = {1}, plain_one[N_LIMBS] = {1}, factor[N_LIMBS], inverse = negative_inverse(modulus[0]);
  memcpy(factor, base, sizeof factor);
  for (int i = 0; i < 32 * N_LIMBS; i++) { // times 2^(32 n): into Montgomery's form
    double_modulo(one, modulus, N_LIMBS);
    double_modulo(factor, modulus, N_LIMBS);
  }
  memcpy(result, one, sizeof one);
  for (int bit = 32 * N_LIMBS - 1; bit >= 0; bit--) {
    montgomery(result, result, result, modulus, inverse, N_LIMBS);
    if (exponent[bit / 32] >> (bit % 32) & 1)
      montgomery(result, result, factor, modulus, inverse, N_LIMBS);
  }
  montgomery(result, result, plain_one, modulus, inverse, N_LIMBS);
}

int main(int argc, char **argv) {
  int rounds = argument(argc, argv, 1);
  uint32_t modulus[N_LIMBS], exponent[N_LIMBS], base[N_LIMBS] = {0}, result[N_LIMBS];
  uint64_t seed = 1;
  for (int i = 0; i < N_LIMBS; i++)
    exponent[i] = modulus[i] = i < N_LIMBS - 1 ? 0xffffffffu : (1u << (N_BITS % 32)) - 1;
  exponent[0]--;
  base[0] = 3;
  power(base, exponent, modulus, result);
  printf("3^(p-1) mod p begins with %08x, ends with %08x\n", result[N_LIMBS - 1], result[0]);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < N_LIMBS - 1; i++)
      exponent[i] = (uint32_t)next_random(&seed);
    power(result, exponent, modulus, base);
    base[0] ^= 2 * (uint32_t)round + 3; // or one and zero would stay what they are
    memcpy(result, base, sizeof base);
  }
  printf("result %016" PRIx64 " %08x\n", mix_bytes(0, result, sizeof result), result[0]);
}
