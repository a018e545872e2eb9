// A made-up text for the compressors: words that come back, numbers, and lines that are nearly the same.
#ifndef TEXT_H
#define TEXT_H

#include "../programs/program.h"

static inline void make_text(unsigned char *text, size_t size, uint64_t seed) {
  char line[160];
  for (size_t i = 0; i < size;) {
    int length = snprintf(line, sizeof line, "%08" PRIx64 " unit %u of %u: ", next_random(&seed) >> 40,
                          (unsigned)(i / 1000 % 97), (unsigned)(i / 5000 % 13));
    for (int word = 0; word < 8; word++)
      for (uint64_t rest = next_random(&seed) >> 54, at = 0; at < 3; at++, rest /= 8)
        length += snprintf(line + length, sizeof line - (size_t)length, "%.2s%s", &"relaticomenterosupe"[2 * (rest % 8)],
                           at == 2 ? " " : "");
    line[length++] = '\n';
    size_t copied = size - i < (size_t)length ? size - i : (size_t)length;
    memcpy(text + i, line, copied);
    i += copied;
  }
}

#endif
