// Fast Fourier transform, radix 2, in place, forwards and back, on complex numbers held as pairs.
#include "../program.h"
#include <math.h>

struct complex_number {
  double re, im;
};

static void reverse_bits(struct complex_number *values, size_t n) {
  for (size_t i = 1, j = 0; i < n; i++) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1)
      j ^= bit;
    j ^= bit;
    if (i < j) {
      struct complex_number swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }
}

// The roots of unity, by halving angles: only square roots, which are the same on every machine.
static void make_roots(struct complex_number *roots, size_t n) {
  roots[0] = (struct complex_number){1, 0};
  double cosine = -1, sine = 0;
  for (size_t step = n / 2; step >= 1; step /= 2) {
    struct complex_number root = {cosine, sine};
    for (size_t i = step; i < n; i += 2 * step) {
      struct complex_number before = roots[i - step];
      roots[i].re = before.re * root.re - before.im * root.im;
      roots[i].im = before.re * root.im + before.im * root.re;
    }
    sine = sqrt(0.5 * (1 - cosine));
    cosine = sqrt(0.5 * (1 + cosine));
  }
}

static void transform(struct complex_number *values, size_t n, const struct complex_number *roots, int inverse) {
  reverse_bits(values, n);
  for (size_t half = 1; half < n; half *= 2)
    for (size_t block = 0; block < n; block += 2 * half)
      for (size_t i = 0; i < half; i++) {
        struct complex_number root = roots[i * (n / (2 * half))];
        double im = inverse ? root.im : -root.im;
        struct complex_number a = values[block + i], b = values[block + half + i];
        double re_part = b.re * root.re - b.im * im, im_part = b.re * im + b.im * root.re;
        values[block + i] = (struct complex_number){a.re + re_part, a.im + im_part};
        values[block + half + i] = (struct complex_number){a.re - re_part, a.im - im_part};
      }
}

int main(int argc, char **argv) {
  size_t n = (size_t)1 << argument(argc, argv, 1);
  int rounds = argument(argc, argv, 2);
  struct complex_number *values = (struct complex_number *)allocate(n, sizeof *values);
  struct complex_number *roots = (struct complex_number *)allocate(n, sizeof *roots);
  fill_random(&values[0].re, 2 * n, 1);
  make_roots(roots, n);
  for (int round = 0; round < rounds; round++) {
    transform(values, n, roots, 0);
    if (round == 0)
      print_values("spectrum", &values[0].re, 2 * n);
    transform(values, n, roots, 1);
    for (size_t i = 0; i < n; i++) {
      values[i].re /= (double)n;
      values[i].im /= (double)n;
    }
  }
  print_values("signal", &values[0].re, 2 * n);
  free(values);
  free(roots);
}
