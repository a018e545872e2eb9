// Big numbers of a fixed number of 32-bit limbs, the lowest first.
#ifndef BIGNUM_H
#define BIGNUM_H
#include <stdint.h>

// Montgomery multiplication: product = a b / 2^(32 n) mod modulus; `product` may be a or b.
// Source: Montgomery, "Modular multiplication without trial division", 1985.
void montgomery(uint32_t *product, const uint32_t *a, const uint32_t *b, const uint32_t *modulus, uint32_t inverse,
                int n);

// -1 / modulus mod 2^32, of an odd modulus.
uint32_t negative_inverse(uint32_t modulus);

// x = 2 x mod modulus.
void double_modulo(uint32_t *x, const uint32_t *modulus, int n);

#endif
