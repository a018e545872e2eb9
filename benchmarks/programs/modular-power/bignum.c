#include "bignum.h"
#include "../program.h"

enum { MAX_LIMBS = 128 };

static int compare(const uint32_t *a, const uint32_t *b, int n) {
  for (int i = n - 1; i >= 0; i--)
    if (a[i] != b[i])
      return a[i] < b[i] ? -1 : 1;
  return 0;
}

static void subtract(uint32_t *a, const uint32_t *b, int n) {
  uint64_t borrow = 0;
  for (int i = 0; i < n; i++) {
    uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
    a[i] = (uint32_t)difference;
    borrow = difference >> 63;
  }
}

void montgomery(uint32_t *product, const uint32_t *a, const uint32_t *b, const uint32_t *modulus, uint32_t inverse,
                int n) {
  uint32_t sum[MAX_LIMBS + 2] = {0};
  for (int i = 0; i < n; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < n; j++) {
      carry += (uint64_t)a[i] * b[j] + sum[j];
      sum[j] = (uint32_t)carry;
      carry >>= 32;
    }
    carry += sum[n];
    sum[n] = (uint32_t)carry;
    sum[n + 1] = (uint32_t)(carry >> 32);
    uint32_t factor = sum[0] * inverse;
    carry = ((uint64_t)factor * modulus[0] + sum[0]) >> 32;
    for (int j = 1; j < n; j++) {
      carry += (uint64_t)factor * modulus[j] + sum[j];
      sum[j - 1] = (uint32_t)carry;
      carry >>= 32;
    }
    carry += sum[n];
    sum[n - 1] = (uint32_t)carry;
    sum[n] = sum[n + 1] + (uint32_t)(carry >> 32);
  }
  if (sum[n] || compare(sum, modulus, n) >= 0)
    subtract(sum, modulus, n);
  memcpy(product, sum, n * sizeof *product);
}

uint32_t negative_inverse(uint32_t modulus) {
  uint32_t inverse = modulus; // right in three bits; each round doubles them
  for (int round = 0; round < 4; round++)
    inverse *= 2 - modulus * inverse;
  return -inverse;
}

void double_modulo(uint32_t *x, const uint32_t *modulus, int n) {
  uint32_t carry = 0;
  for (int i = 0; i < n; i++) {
    uint32_t next = x[i] >> 31;
    x[i] = x[i] << 1 | carry;
    carry = next;
  }
  if (carry || compare(x, modulus, n) >= 0)
    subtract(x, modulus, n);
}
