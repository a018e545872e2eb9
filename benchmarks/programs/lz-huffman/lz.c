#include "../program.h"
#include "codec.h"

enum { HASH_BITS = 14, MAX_CHAIN = 24 };

static uint32_t hash_of(const unsigned char *bytes) {
  uint32_t word;
  memcpy(&word, bytes, 4);
  return (word * 2654435761u) >> (32 - HASH_BITS);
}

static size_t common_length(const unsigned char *a, const unsigned char *b, size_t limit) {
  size_t n = 0;
  while (n < limit && a[n] == b[n])
    n++;
  return n;
}

size_t find_tokens(const unsigned char *data, size_t size, struct token *tokens) {
  int32_t *head = (int32_t *)allocate((size_t)1 << HASH_BITS, sizeof *head);
  int32_t *previous = (int32_t *)allocate(WINDOW, sizeof *previous);
  size_t n_tokens = 0;
  for (size_t i = 0; i < (size_t)1 << HASH_BITS; i++)
    head[i] = -1;
  for (size_t i = 0; i < size;) {
    size_t best = 0, best_distance = 0, limit = size - i < MAX_MATCH ? size - i : MAX_MATCH;
    if (limit >= MIN_MATCH) {
      int32_t candidate = head[hash_of(data + i)];
      for (int tries = 0; tries < MAX_CHAIN && candidate >= 0 && i - (size_t)candidate < WINDOW; tries++) {
        if (data[candidate + best] == data[i + best] || best == limit) {
          size_t length = common_length(data + candidate, data + i, limit);
          if (length > best) {
            best = length;
            best_distance = i - (size_t)candidate;
            if (best == limit)
              break;
          }
        }
        candidate = previous[candidate % WINDOW];
      }
    }
    size_t step = best >= MIN_MATCH ? best : 1;
    tokens[n_tokens++] = best >= MIN_MATCH ? (struct token){(uint16_t)best, (uint16_t)best_distance, 0}
                                           : (struct token){0, 0, data[i]};
    for (; step > 0; step--, i++)
      if (size - i >= MIN_MATCH) {
        uint32_t hash = hash_of(data + i);
        previous[i % WINDOW] = head[hash];
        head[hash] = (int32_t)i;
      }
  }
  free(head);
  free(previous);
  return n_tokens;
}
