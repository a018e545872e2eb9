// Five filters one after the other on a noisy picture.
#include "../program.h"
#include "filters.h"

static struct picture new_picture(int width, int height) {
  return (struct picture){width, height, (unsigned char *)allocate((size_t)width * height, 1)};
}

static void report(const char *name, const struct picture *picture) {
  size_t n = (size_t)picture->width * picture->height;
  printf("%s %016" PRIx64 " %d %d\n", name, mix_bytes(0, picture->pixels, n), picture->pixels[0],
         picture->pixels[n / 2]);
}

int main(int argc, char **argv) {
  static const int blur[25] = {1, 4, 6, 4, 1, 4, 16, 24, 16, 4, 6, 24, 36, 24, 6, 4, 16, 24, 16, 4, 1, 4, 6, 4, 1};
  int width = argument(argc, argv, 1), height = width * 3 / 4 + 1;
  struct picture a = new_picture(width, height), b = new_picture(width, height);
  uint64_t seed = 1;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      a.pixels[y * width + x] = (unsigned char)(((x / 16 + y / 16) % 3) * 80 + (int)random_below(&seed, 40));
  median(&a, &b);
  report("median", &b);
  convolve(&b, blur, 256, &a);
  report("blurred", &a);
  equalize(&a, &b);
  report("equalized", &b);
  sobel(&b, &a);
  report("edges", &a);
  threshold_locally(&a, 7, &b);
  report("black and white", &b);
  free(a.pixels);
  free(b.pixels);
}
