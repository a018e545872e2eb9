// Nests whose arrays overlap in all ways; what each gives must not depend on how it was optimized.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SPACE = 2000 };
#define HIDDEN __attribute__((noinline))
typedef double real;

HIDDEN void product(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      real sum = 0;
      for (int k = 0; k < inner; k++)
        sum += a[i * inner + k] * b[k * columns + j];
      c[i * columns + j] = sum;
    }
}
HIDDEN void accumulate(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      for (int k = 0; k < inner; k++)
        c[i] += a[k * columns + i] * b[k];
}
HIDDEN void rows_apart(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (int p = 0; p < rows; p++)
    for (int j = 0; j < columns; j++)
      c[(long)p * inner + j] = c[(long)p * inner + j] * 0.5 + a[p] + b[j]; // rows overlap where inner < columns
}
HIDDEN void down_columns(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++)
    for (long j = 0; j < columns; j++)
      c[j * inner + p] = c[j * inner + p] * 0.25 + a[p] - b[j]; // columns overlap where inner is small
}
HIDDEN void same_row(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++)
    for (long j = 0; j < columns; j++)
      c[j] += a[p] * b[p * columns + j];
}
HIDDEN void neighbours(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++)
    for (long j = 1; j < columns; j++)
      c[j] += c[j - 1] * 0.5 + a[p] * b[j];
}
HIDDEN void carried(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++)
    for (long j = 0; j < columns; j++)
      c[p + 1] += c[p] * b[j];
}
HIDDEN void before(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++) {
    real first = c[p]; // written by iterations of the inner loop before
    for (long j = 0; j < columns; j++)
      c[j * rows + p + 1] = first * b[j];
  }
}
HIDDEN void last(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++) {
    for (long j = 0; j < columns; j++)
      c[j] += a[p] * b[j];
    c[0] = a[p];
  }
}
HIDDEN void backwards(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = rows - 1; p >= 0; p--)
    for (long j = columns - 1; j >= 0; j--)
      c[p * columns + j] += a[p * columns + j] * b[j];
}
HIDDEN void around(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++) {
    real first = c[p];
    for (long j = 0; j < columns; j++)
      c[p + rows + j] += first * b[j];
    c[p + 1] = a[p] + first;
  }
}
HIDDEN void chosen(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++)
    for (long j = 0; j < columns; j++)
      if (b[j] > 0)
        c[j] += a[p];
      else
        c[j] -= b[j] * a[p];
}
HIDDEN void deep(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++)
    for (long j = 0; j < columns; j++)
      for (long k = 0; k < inner; k++)
        c[j * inner + k] += a[p] * b[k];
}
HIDDEN void after(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++) {
    real sum = c[p * 2];
    for (long k = 0; k < inner; k++)
      sum = sum * 0.5 + a[k] * b[k * rows + p];
    c[p * 2] = sum;
    c[p * 2 + 1] = sum * 0.25;
  }
}
HIDDEN void mirrored(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++) {
    real sum = 0;
    for (long k = 0; k < inner; k++)
      sum += a[k * 9] * b[k * 9 + p];
    c[columns * 9 + p] = sum;
    c[p * 9 + columns] = sum * 0.5; // the two meet where p is columns
  }
}
HIDDEN void widths(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  float *narrow = (float *)(void *)c; // distinct by type: nothing to look up
  const int *numbers = (const int *)(const void *)(a + 200);
  for (long p = 0; p < rows; p++)
    for (long j = 0; j < columns; j++)
      narrow[j] += (float)numbers[p * columns + j];
}
HIDDEN void seldom(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (long p = 0; p < rows; p++) {
    real sum = 0;
    for (long j = 0; j < columns; j++) {
      if (p == inner + (b[j] > 1e300)) // in one iteration of the outer loop; in the first, this would be in front of address 0
        c[(p - inner) * 1048576] = a[p] + b[j];
      sum += b[j];
    }
    c[p + 300] = sum;
  }
}
HIDDEN void twice(const real *a, const real *b, real *c, int rows, int inner, int columns) {
  for (int round = 0; round < 2; round++) // is unrolled, so there are two executions of the nest in a row
    for (long p = 0; p < rows; p++)
      for (long j = 0; j < columns; j++)
        c[round + p] += a[p] * b[j];
}

typedef void kernel(const real *, const real *, real *, int, int, int);
static kernel *const kernels[] = {product, accumulate, rows_apart, down_columns, same_row, neighbours, carried, before, last, backwards, around, chosen, deep, after, mirrored, widths, seldom, twice};
static const char *const names[] = {"product", "accumulate", "rows_apart", "down_columns", "same_row", "neighbours", "carried", "before", "last", "backwards", "around", "chosen", "deep", "after", "mirrored", "widths", "seldom", "twice"};

static real memory[SPACE];

static uint64_t run(kernel *call, int a, int b, int c, int rows, int inner, int columns) {
  for (int i = 0; i < SPACE; i++)
    memory[i] = (i * 37 % 101 - 50) / 16.0;
  if (call == widths)
    memset(memory, 0, sizeof memory);
  call(memory + a, memory + b, memory + c, rows, inner, columns);
  uint64_t hash = 0;
  for (int i = 0; i < SPACE; i++) {
    uint64_t bits;
    memcpy(&bits, &memory[i], sizeof bits);
    hash = (hash ^ bits) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

int main(void) {
  static const int sizes[] = {0, 1, 2, 3, 5, 8, 9, 17};
  for (unsigned k = 0; k < sizeof kernels / sizeof *kernels; k++) {
    uint64_t hash = 0;
    for (int r = 0; r < 8; r++)
      for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
          for (int place = 0; place < 12; place++) {
            int a = 700 + (place % 4 == 0 ? 0 : place * 5), b = 700 + (place % 3 == 0 ? 400 : place * 7 % 40), c = 700 + place % 8 * 3;
            hash = hash * 31 + run(kernels[k], a, b, c, sizes[r], sizes[i], sizes[j]);
          }
    printf("%s %016llx\n", names[k], (unsigned long long)hash);
  }
}
