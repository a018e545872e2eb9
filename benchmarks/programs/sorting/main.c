// Four ways to sort integers and the C library's, on random, nearly sorted and few different values.
#include "../program.h"
#include "sorts.h"

static int compare(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static void library_sort(int *values, size_t n) { qsort(values, n, sizeof *values, compare); }

static void fill(int *values, size_t n, int shape) {
  uint64_t seed = (uint64_t)shape;
  for (size_t i = 0; i < n; i++) {
    int any = (int)random_below(&seed, 1000000);
    values[i] = shape == 0 ? any : shape == 1 ? (int)i * 2 + any % 50 : any % 17;
  }
}

int main(int argc, char **argv) {
  static void (*const ways[])(int *, size_t) = {heap_sort, quick_sort, shell_sort, merge_sort, library_sort};
  size_t n = (size_t)argument(argc, argv, 1);
  int *values = (int *)allocate(n, sizeof *values);
  for (int shape = 0; shape < 3; shape++) {
    uint64_t hashes[5];
    for (int way = 0; way < 5; way++) {
      fill(values, n, shape);
      ways[way](values, n);
      hashes[way] = mix_bytes(0, values, n * sizeof *values);
    }
    int same = 1;
    for (int way = 1; way < 5; way++)
      same &= hashes[way] == hashes[0];
    printf("%016" PRIx64 " %s, middle %d\n", hashes[0], same ? "all the same" : "not the same", values[n / 2]);
  }
  free(values);
}
