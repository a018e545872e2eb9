#include "search.h"
#include "../program.h"

size_t count_plain(const char *text, size_t size, const char *pattern, size_t length) {
  size_t count = 0;
  for (size_t i = 0; i + length <= size; i++) {
    size_t k = 0;
    while (k < length && text[i + k] == pattern[k])
      k++;
    count += k == length;
  }
  return count;
}

size_t count_by_prefixes(const char *text, size_t size, const char *pattern, size_t length) {
  size_t *border = (size_t *)allocate(length + 1, sizeof *border), count = 0, matched = 0;
  for (size_t i = 1, k = 0; i < length; i++) {
    while (k > 0 && pattern[i] != pattern[k])
      k = border[k];
    k += pattern[i] == pattern[k];
    border[i + 1] = k;
  }
  for (size_t i = 0; i < size; i++) {
    while (matched > 0 && (matched == length || text[i] != pattern[matched]))
      matched = border[matched];
    matched += text[i] == pattern[matched];
    count += matched == length;
  }
  free(border);
  return count;
}

size_t count_by_skips(const char *text, size_t size, const char *pattern, size_t length) {
  size_t skip[256], count = 0;
  for (int c = 0; c < 256; c++)
    skip[c] = length;
  for (size_t i = 0; i + 1 < length; i++)
    skip[(unsigned char)pattern[i]] = length - 1 - i;
  for (size_t i = 0; i + length <= size; i += skip[(unsigned char)text[i + length - 1]]) {
    size_t k = length;
    while (k > 0 && text[i + k - 1] == pattern[k - 1])
      k--;
    count += k == 0;
  }
  return count;
}

size_t count_by_hash(const char *text, size_t size, const char *pattern, size_t length) {
  const uint64_t base = 1000003;
  uint64_t wanted = 0, rolling = 0, highest = 1;
  size_t count = 0;
  if (size < length)
    return 0;
  for (size_t i = 0; i < length; i++) {
    wanted = wanted * base + (unsigned char)pattern[i];
    rolling = rolling * base + (unsigned char)text[i];
    highest *= i ? base : 1;
  }
  for (size_t i = 0;; i++) {
    count += rolling == wanted && memcmp(text + i, pattern, length) == 0;
    if (i + length >= size)
      return count;
    rolling = (rolling - highest * (unsigned char)text[i]) * base + (unsigned char)text[i + length];
  }
}
