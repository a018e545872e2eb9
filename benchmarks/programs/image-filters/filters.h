// Filters on grey pictures of bytes; pixels beyond the border are those on it.
#ifndef FILTERS_H
#define FILTERS_H

struct picture {
  int width, height;
  unsigned char *pixels;
};

static inline unsigned char pixel(const struct picture *picture, int x, int y) {
  x = x < 0 ? 0 : x >= picture->width ? picture->width - 1 : x;
  y = y < 0 ? 0 : y >= picture->height ? picture->height - 1 : y;
  return picture->pixels[y * picture->width + x];
}

// 5x5 weights that add up to `scale`.
void convolve(const struct picture *from, const int weights[25], int scale, struct picture *to);

void sobel(const struct picture *from, struct picture *to);  // how steep the picture is
void median(const struct picture *from, struct picture *to); // of 3x3 pixels
void equalize(const struct picture *from, struct picture *to);
void threshold_locally(const struct picture *from, int radius, struct picture *to);

#endif
