// Enlarges, shrinks and turns pictures of four channels, bilinearly; the filter is a template of the pixel's type.
#include "../program.h"
#include <cstdint>
#include <vector>

namespace {

template <class Channel> struct Pixel {
  Channel channels[4];
};

template <class Channel> class Picture {
public:
  Picture(int width, int height) : width(width), height(height), pixels(static_cast<std::size_t>(width) * height) {}
  Pixel<Channel> &at(int x, int y) { return pixels[static_cast<std::size_t>(y) * width + x]; }
  const Pixel<Channel> &at(int x, int y) const { return pixels[static_cast<std::size_t>(y) * width + x]; }
  uint64_t checksum() const { return mix_bytes(0, pixels.data(), pixels.size() * sizeof(Pixel<Channel>)); }

  const int width, height;

private:
  std::vector<Pixel<Channel>> pixels;
};

// How a channel is weighed with 16.16 fixed point, or with floats.
std::uint8_t blend(std::uint8_t a, std::uint8_t b, std::uint32_t weight) {
  return static_cast<std::uint8_t>((a * (65536 - weight) + b * weight + 32768) >> 16);
}
float blend(float a, float b, std::uint32_t weight) {
  return a + (b - a) * (static_cast<float>(weight) * (1.0f / 65536.0f));
}

// The picture at a position in 16.16 fixed point, which must lie inside.
template <class Channel> Pixel<Channel> sample(const Picture<Channel> &picture, std::uint32_t x, std::uint32_t y) {
  int left = static_cast<int>(x >> 16), top = static_cast<int>(y >> 16);
  int right = left + 1 < picture.width ? left + 1 : left, bottom = top + 1 < picture.height ? top + 1 : top;
  Pixel<Channel> result;
  for (int c = 0; c < 4; c++) {
    Channel above = blend(picture.at(left, top).channels[c], picture.at(right, top).channels[c], x & 65535);
    Channel below = blend(picture.at(left, bottom).channels[c], picture.at(right, bottom).channels[c], x & 65535);
    result.channels[c] = blend(above, below, y & 65535);
  }
  return result;
}

template <class Channel> void scale(const Picture<Channel> &from, Picture<Channel> &to) {
  std::uint32_t step_x = (static_cast<std::uint32_t>(from.width - 1) << 16) / to.width;
  std::uint32_t step_y = (static_cast<std::uint32_t>(from.height - 1) << 16) / to.height;
  for (int y = 0; y < to.height; y++)
    for (int x = 0; x < to.width; x++)
      to.at(x, y) = sample(from, x * step_x, y * step_y);
}

// By the angle whose sine is 5/13 and whose cosine is 12/13; what comes from outside is black.
template <class Channel> void turn(const Picture<Channel> &from, Picture<Channel> &to) {
  const std::int64_t sine = 65536 * 5 / 13, cosine = 65536 * 12 / 13;
  for (int y = 0; y < to.height; y++)
    for (int x = 0; x < to.width; x++) {
      std::int64_t dx = x - to.width / 2, dy = y - to.height / 2;
      std::int64_t fx = dx * cosine - dy * sine + (static_cast<std::int64_t>(from.width / 2) << 16);
      std::int64_t fy = dx * sine + dy * cosine + (static_cast<std::int64_t>(from.height / 2) << 16);
      bool inside = fx >= 0 && fy >= 0 && fx >> 16 < from.width && fy >> 16 < from.height;
      to.at(x, y) = inside ? sample(from, static_cast<std::uint32_t>(fx), static_cast<std::uint32_t>(fy))
                           : Pixel<Channel>{};
    }
}

template <class Channel> void run(const char *name, int size) {
  Picture<Channel> original(size, size), large(size + size / 2, size * 2), turned(large.width, large.height),
      small(size / 2 + 1, size / 3 + 1);
  uint64_t seed = 1;
  for (int y = 0; y < size; y++)
    for (int x = 0; x < size; x++)
      for (Channel &channel : original.at(x, y).channels)
        channel = static_cast<Channel>(next_random(&seed) >> 56);
  scale(original, large);
  turn(large, turned);
  scale(turned, small);
  printf("%s large %016" PRIx64 " turned %016" PRIx64 " small %016" PRIx64 "\n", name, large.checksum(),
         turned.checksum(), small.checksum());
}

} // namespace

int main(int argc, char **argv) {
  int size = argument(argc, argv, 1);
  run<std::uint8_t>("bytes", size);
  run<float>("floats", size);
}
