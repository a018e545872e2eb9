// Digests of a long message, of many short ones, and of the test vector of the standard.
#include "../program.h"
#include "sha256.h"

static void print_digest(const char *name, const unsigned char digest[32]) {
  printf("%s ", name);
  for (int i = 0; i < 32; i++)
    printf("%02x", digest[i]);
  printf("\n");
}

static void digest_of(const void *data, size_t size, unsigned char digest[32]) {
  struct sha256 hash;
  sha256_start(&hash);
  sha256_add(&hash, data, size);
  sha256_end(&hash, digest);
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1024;
  unsigned char *message = (unsigned char *)allocate(size, 1), digest[32];
  uint64_t seed = 1;
  for (size_t i = 0; i < size; i++)
    message[i] = (unsigned char)next_random(&seed);
  digest_of("abc", 3, digest);
  print_digest("abc", digest);
  digest_of(message, size, digest);
  print_digest("message", digest);
  for (size_t i = 0; i + 40 <= size; i += 40) {
    memcpy(message + i, digest, 8); // so that each depends on the one before
    digest_of(message + i, 1 + i % 40, digest);
  }
  print_digest("pieces", digest);
  free(message);
}
