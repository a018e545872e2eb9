// Ways to count the places where a pattern begins in a text. All give the same answer.
#ifndef SEARCH_H
#define SEARCH_H
#include <stddef.h>

size_t count_plain(const char *text, size_t size, const char *pattern, size_t length);
size_t count_by_prefixes(const char *text, size_t size, const char *pattern, size_t length); // Knuth, Morris, Pratt
size_t count_by_skips(const char *text, size_t size, const char *pattern, size_t length);    // Boyer, Moore, Horspool
size_t count_by_hash(const char *text, size_t size, const char *pattern, size_t length);     // Karp, Rabin

#endif
