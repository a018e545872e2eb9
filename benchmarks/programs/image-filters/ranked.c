#include "../program.h"
#include "filters.h"

static void order(unsigned char *a, unsigned char *b) {
  unsigned char low = *a < *b ? *a : *b, high = *a < *b ? *b : *a;
  *a = low;
  *b = high;
}

// A network of comparisons that leaves the middle one of nine in the middle.
static unsigned char middle_of_nine(unsigned char *v) {
  static const unsigned char pairs[][2] = {{1, 2}, {4, 5}, {7, 8}, {0, 1}, {3, 4}, {6, 7}, {1, 2}, {4, 5}, {7, 8}, {0, 3},
                                           {5, 8}, {4, 7}, {3, 6}, {1, 4}, {2, 5}, {4, 7}, {4, 2}, {6, 4}, {4, 2}};
  for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
    order(&v[pairs[i][0]], &v[pairs[i][1]]);
  return v[4];
}

void median(const struct picture *from, struct picture *to) {
  for (int y = 0; y < from->height; y++)
    for (int x = 0; x < from->width; x++) {
      unsigned char around[9];
      for (int i = 0; i < 9; i++)
        around[i] = pixel(from, x + i % 3 - 1, y + i / 3 - 1);
      to->pixels[y * to->width + x] = middle_of_nine(around);
    }
}

void equalize(const struct picture *from, struct picture *to) {
  int counts[256] = {0}, n = from->width * from->height, below = 0;
  unsigned char level[256];
  for (int i = 0; i < n; i++)
    counts[from->pixels[i]]++;
  for (int grey = 0; grey < 256; grey++) {
    below += counts[grey];
    level[grey] = (unsigned char)((int64_t)below * 255 / n);
  }
  for (int i = 0; i < n; i++)
    to->pixels[i] = level[from->pixels[i]];
}

// Against the mean of the surroundings, by way of sums over rectangles from the corner.
void threshold_locally(const struct picture *from, int radius, struct picture *to) {
  int width = from->width, height = from->height, stride = width + 1;
  uint32_t *sums = (uint32_t *)allocate((size_t)stride * (height + 1), sizeof *sums);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      sums[(y + 1) * stride + x + 1] = from->pixels[y * width + x] + sums[y * stride + x + 1] +
                                       sums[(y + 1) * stride + x] - sums[y * stride + x];
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      int left = x < radius ? 0 : x - radius, right = x + radius >= width ? width : x + radius + 1;
      int top = y < radius ? 0 : y - radius, bottom = y + radius >= height ? height : y + radius + 1;
      uint32_t sum = sums[bottom * stride + right] - sums[top * stride + right] - sums[bottom * stride + left] +
                     sums[top * stride + left];
      uint32_t area = (uint32_t)((right - left) * (bottom - top));
      to->pixels[y * width + x] = from->pixels[y * width + x] * area > sum ? 255 : 0;
    }
  free(sums);
}
