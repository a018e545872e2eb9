// The Mandelbrot set: a loop whose number of rounds only the data knows, and a picture of counts.
#include "../program.h"

enum { LIMIT = 256 };

static int iterations(double cr, double ci) {
  double x = 0, y = 0, xx = 0, yy = 0;
  int count = 0;
  while (count < LIMIT && xx + yy <= 4.0) {
    y = 2 * x * y + ci;
    x = xx - yy + cr;
    xx = x * x;
    yy = y * y;
    count++;
  }
  return count;
}

int main(int argc, char **argv) {
  int width = argument(argc, argv, 1), height = width * 2 / 3 + 1;
  uint16_t *picture = (uint16_t *)allocate((size_t)width * height, sizeof *picture);
  long inside = 0, total = 0;
  for (int row = 0; row < height; row++)
    for (int column = 0; column < width; column++) {
      int count = iterations(-2.25 + 3.0 * column / width, -1.0 + 2.0 * row / height);
      picture[(size_t)row * width + column] = (uint16_t)count;
      inside += count == LIMIT;
      total += count;
    }
  printf("picture %016" PRIx64 " inside %ld total %ld\n",
         mix_bytes(0, picture, (size_t)width * height * sizeof *picture), inside, total);
  free(picture);
}
