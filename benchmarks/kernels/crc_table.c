// A checksum by table: a load in the chain of each byte.
#include "kernel.h"

enum { N = FIT(char, 4) };
unsigned char x[N];
unsigned table[256], result;

void setup(void) {
  fill_random(x, sizeof x);
  fill_random(table, sizeof table);
}

void kernel(void) {
  unsigned crc = ~0u;
  for (int i = 0; i < N; i++)
    crc = table[(crc ^ x[i]) & 255] ^ crc >> 8;
  result = crc;
}
