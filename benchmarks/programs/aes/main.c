// AES in counter mode, and chained, over a buffer; first the test vector of the standard.
#include "../program.h"
#include "aes.h"

static void count_up(unsigned char counter[16]) {
  for (int i = 15; i >= 0 && ++counter[i] == 0; i--)
    ;
}

static void encrypt_counter(const struct aes_key *key, unsigned char *data, size_t size) {
  unsigned char counter[16] = {1}, stream[16];
  for (size_t i = 0; i < size; i++) {
    if (i % 16 == 0) {
      aes_encrypt(key, counter, stream);
      count_up(counter);
    }
    data[i] ^= stream[i % 16];
  }
}

static void encrypt_chained(const struct aes_key *key, unsigned char *data, size_t size) {
  unsigned char previous[16] = {0};
  for (size_t i = 0; i + 16 <= size; i += 16) {
    for (int k = 0; k < 16; k++)
      data[i + k] ^= previous[k];
    aes_encrypt(key, data + i, previous);
    memcpy(data + i, previous, 16);
  }
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1024;
  unsigned char secret[16], block[16], *data = (unsigned char *)allocate(size, 1);
  struct aes_key key;
  for (int i = 0; i < 16; i++) {
    secret[i] = (unsigned char)i;
    block[i] = (unsigned char)(i * 0x11);
  }
  aes_make_tables();
  aes_expand(&key, secret);
  aes_encrypt(&key, block, block);
  for (int i = 0; i < 16; i++)
    printf("%02x", block[i]);
  encrypt_counter(&key, data, size);
  printf("\ncounter %016" PRIx64 "\n", mix_bytes(0, data, size));
  encrypt_chained(&key, data, size);
  printf("chained %016" PRIx64 "\n", mix_bytes(0, data, size));
  free(data);
}
