// Sound at four bits a sample, IMA style: encoder and decoder follow the same predictor.
#include "../program.h"

static const int index_change[8] = {-1, -1, -1, -1, 2, 4, 6, 8};
static int step_sizes[89];

struct predictor {
  int value, index;
};

// Each step is a tenth larger than the one before; the codec does not depend on the exact table.
static void make_steps(void) {
  int step = 7;
  for (int i = 0; i < 89; i++) {
    step_sizes[i] = step < 32767 ? step : 32767;
    step += step / 10 + (i % 2);
  }
}

static inline int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

static inline void follow(struct predictor *p, int code) {
  int step = step_sizes[p->index], difference = step >> 3;
  if (code & 4)
    difference += step;
  if (code & 2)
    difference += step >> 1;
  if (code & 1)
    difference += step >> 2;
  p->value = clamp(p->value + (code & 8 ? -difference : difference), -32768, 32767);
  p->index = clamp(p->index + index_change[code & 7], 0, 88);
}

static void encode(const int16_t *samples, size_t n, unsigned char *codes) {
  struct predictor p = {0, 0};
  for (size_t i = 0; i < n; i++) {
    int difference = samples[i] - p.value, code = 0, step = step_sizes[p.index];
    if (difference < 0) {
      code = 8;
      difference = -difference;
    }
    for (int bit = 4; bit > 0; bit >>= 1, step >>= 1)
      if (difference >= step) {
        code |= bit;
        difference -= step;
      }
    codes[i / 2] = (unsigned char)(i % 2 ? codes[i / 2] | code << 4 : code);
    follow(&p, code);
  }
}

static void decode(const unsigned char *codes, size_t n, int16_t *samples) {
  struct predictor p = {0, 0};
  for (size_t i = 0; i < n; i++) {
    follow(&p, codes[i / 2] >> (4 * (i % 2)) & 15);
    samples[i] = (int16_t)p.value;
  }
}

int main(int argc, char **argv) {
  size_t n = (size_t)argument(argc, argv, 1) * 1000;
  int16_t *sound = (int16_t *)allocate(n, sizeof *sound), *restored = (int16_t *)allocate(n, sizeof *restored);
  unsigned char *codes = (unsigned char *)allocate(n / 2 + 1, 1);
  uint64_t seed = 1;
  int value = 0, speed = 0;
  for (size_t i = 0; i < n; i++) { // a string that is plucked now and then
    speed += (int)random_below(&seed, 65) - 32 - value / 256;
    if (random_below(&seed, 4000) == 0)
      speed += 2000;
    value = clamp(value + speed, -30000, 30000);
    sound[i] = (int16_t)value;
  }
  make_steps();
  encode(sound, n, codes);
  decode(codes, n, restored);
  int64_t error = 0;
  for (size_t i = 0; i < n; i++)
    error += sound[i] > restored[i] ? sound[i] - restored[i] : restored[i] - sound[i];
  printf("codes %016" PRIx64 " error %" PRId64 " last %d %d\n", mix_bytes(0, codes, n / 2), error, sound[n - 1],
         restored[n - 1]);
  free(sound);
  free(restored);
  free(codes);
}
