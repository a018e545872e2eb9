#include "sorts.h"
#include "../program.h"

static void swap(int *a, int *b) {
  int swapped = *a;
  *a = *b;
  *b = swapped;
}

static void sift_down(int *values, size_t n, size_t at) {
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && values[child + 1] > values[child])
      child++;
    if (values[at] >= values[child])
      return;
    swap(&values[at], &values[child]);
  }
}

void heap_sort(int *values, size_t n) {
  for (size_t i = n / 2; i > 0; i--)
    sift_down(values, n, i - 1);
  for (size_t end = n; end > 1; end--) {
    swap(&values[0], &values[end - 1]);
    sift_down(values, end - 1, 0);
  }
}

static void insertion_sort(int *values, size_t n) {
  for (size_t i = 1; i < n; i++) {
    int value = values[i];
    size_t at = i;
    for (; at > 0 && values[at - 1] > value; at--)
      values[at] = values[at - 1];
    values[at] = value;
  }
}

void quick_sort(int *values, size_t n) {
  while (n > 16) {
    int *middle = &values[n / 2], *last = &values[n - 1];
    if (*middle < values[0])
      swap(middle, values);
    if (*last < values[0])
      swap(last, values);
    if (*last < *middle)
      swap(last, middle);
    int pivot = *middle;
    size_t low = 0, high = n - 1;
    for (;;) {
      while (values[low] < pivot)
        low++;
      while (values[high] > pivot)
        high--;
      if (low >= high)
        break;
      swap(&values[low++], &values[high--]);
    }
    // The smaller side by recursion, so that the stack stays small.
    size_t left = high + 1;
    if (left < n - left) {
      quick_sort(values, left);
      values += left;
      n -= left;
    } else {
      quick_sort(values + left, n - left);
      n = left;
    }
  }
  insertion_sort(values, n);
}

void shell_sort(int *values, size_t n) {
  static const size_t gaps[] = {1636411, 737099, 332013, 149549, 67363, 30341, 13667, 6157, 2773, 1249, 563,
                                253,     111,    49,     21,     9,     4,     1};
  for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
    for (size_t i = gaps[g]; i < n; i++) {
      int value = values[i];
      size_t at = i;
      for (; at >= gaps[g] && values[at - gaps[g]] > value; at -= gaps[g])
        values[at] = values[at - gaps[g]];
      values[at] = value;
    }
}

static void merge(const int *a, size_t n_a, const int *b, size_t n_b, int *to) {
  while (n_a > 0 && n_b > 0) {
    if (*b < *a) {
      *to++ = *b++;
      n_b--;
    } else {
      *to++ = *a++;
      n_a--;
    }
  }
  memcpy(to, a, n_a * sizeof *a);
  memcpy(to + n_a, b, n_b * sizeof *b);
}

void merge_sort(int *values, size_t n) {
  int *spare = (int *)allocate(n, sizeof *spare), *from = values, *to = spare;
  for (size_t i = 0; i < n; i += 8)
    insertion_sort(values + i, n - i < 8 ? n - i : 8);
  for (size_t width = 8; width < n; width *= 2) {
    for (size_t i = 0; i < n; i += 2 * width) {
      size_t n_a = n - i < width ? n - i : width, rest = n - i - n_a;
      merge(from + i, n_a, from + i + n_a, rest < width ? rest : width, to + i);
    }
    int *swapped = from;
    from = to;
    to = swapped;
  }
  if (from != values)
    memcpy(values, from, n * sizeof *values);
  free(spare);
}
