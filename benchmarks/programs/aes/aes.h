// AES with a key of 128 bits, by tables that join substitution and mixing. Source: FIPS 197.
#ifndef AES_H
#define AES_H
#include <stdint.h>

struct aes_key {
  uint32_t words[44];
};

void aes_make_tables(void);
void aes_expand(struct aes_key *key, const unsigned char secret[16]);
void aes_encrypt(const struct aes_key *key, const unsigned char plain[16], unsigned char cipher[16]);

#endif
