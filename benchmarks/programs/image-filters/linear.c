#include "filters.h"

static unsigned char clamp(int x) { return (unsigned char)(x < 0 ? 0 : x > 255 ? 255 : x); }

void convolve(const struct picture *from, const int weights[25], int scale, struct picture *to) {
  for (int y = 0; y < from->height; y++)
    for (int x = 0; x < from->width; x++) {
      int sum = 0;
      if (x >= 2 && y >= 2 && x < from->width - 2 && y < from->height - 2) {
        const unsigned char *corner = from->pixels + (y - 2) * from->width + x - 2;
        for (int dy = 0; dy < 5; dy++)
          for (int dx = 0; dx < 5; dx++)
            sum += weights[5 * dy + dx] * corner[dy * from->width + dx];
      } else {
        for (int dy = 0; dy < 5; dy++)
          for (int dx = 0; dx < 5; dx++)
            sum += weights[5 * dy + dx] * pixel(from, x + dx - 2, y + dy - 2);
      }
      to->pixels[y * to->width + x] = clamp(sum / scale);
    }
}

void sobel(const struct picture *from, struct picture *to) {
  for (int y = 0; y < from->height; y++)
    for (int x = 0; x < from->width; x++) {
      int across = pixel(from, x + 1, y - 1) + 2 * pixel(from, x + 1, y) + pixel(from, x + 1, y + 1) -
                   pixel(from, x - 1, y - 1) - 2 * pixel(from, x - 1, y) - pixel(from, x - 1, y + 1);
      int down = pixel(from, x - 1, y + 1) + 2 * pixel(from, x, y + 1) + pixel(from, x + 1, y + 1) -
                 pixel(from, x - 1, y - 1) - 2 * pixel(from, x, y - 1) - pixel(from, x + 1, y - 1);
      to->pixels[y * to->width + x] = clamp((across < 0 ? -across : across) + (down < 0 ? -down : down));
    }
}
