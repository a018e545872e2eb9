// -O2
// Quicksort with insertion sort for what is small, on records through a comparison.
#include <stddef.h>

struct record {
  int key;
  float weight;
};

typedef int (*comparison)(const struct record *, const struct record *);

static int by_key(const struct record *left, const struct record *right) {
  return left->key < right->key ? -1 : left->key > right->key;
}

static void swap(struct record *left, struct record *right) {
  struct record kept = *left;
  *left = *right;
  *right = kept;
}

static void insertion_sort(struct record *records, size_t count, comparison compare) {
  for (size_t next = 1; next < count; next++) {
    struct record moved = records[next];
    size_t at = next;
    while (at > 0 && compare(&moved, &records[at - 1]) < 0) {
      records[at] = records[at - 1];
      at--;
    }
    records[at] = moved;
  }
}

static void quicksort(struct record *records, size_t count, comparison compare) {
  while (count > 16) {
    struct record pivot = records[count / 2];
    size_t low = 0, high = count - 1;
    for (;;) {
      while (compare(&records[low], &pivot) < 0)
        low++;
      while (compare(&pivot, &records[high]) < 0)
        high--;
      if (low >= high)
        break;
      swap(&records[low++], &records[high--]);
    }
    quicksort(records, low, compare);
    records += low;
    count -= low;
  }
  insertion_sort(records, count, compare);
}

void sort_by_key(struct record *records, size_t count) { quicksort(records, count, by_key); }

void sort_records(struct record *records, size_t count, comparison compare) { quicksort(records, count, compare); }
