// Ways to sort integers, smallest first.
#ifndef SORTS_H
#define SORTS_H
#include <stddef.h>

void heap_sort(int *values, size_t n);
void quick_sort(int *values, size_t n);
void shell_sort(int *values, size_t n);
void merge_sort(int *values, size_t n);

#endif
