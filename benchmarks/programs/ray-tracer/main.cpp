// Spheres over a floor, with shadows and mirrors: a picture of bytes.
#include "../program.h"
#include "scene.h"
#include <cstdint>

static std::uint8_t to_byte(double brightness) {
  return static_cast<std::uint8_t>(brightness <= 0 ? 0 : brightness >= 1 ? 255 : brightness * 255 + 0.5);
}

int main(int argc, char **argv) {
  int width = argument(argc, argv, 1), height = width * 3 / 4 + 1;
  Scene scene;
  scene.light = {-6, 9, -3};
  scene.add<Floor>(-1.0, Material{{0.9, 0.9, 0.9}, 0.2}, Vector{0.2, 0.2, 0.3});
  uint64_t seed = 1;
  for (int i = 0; i < 24; i++) {
    Vector centre{random_unit(&seed) * 10 - 5, random_unit(&seed) * 3 - 0.6, random_unit(&seed) * 8 + 3};
    Vector colour{random_unit(&seed), random_unit(&seed), random_unit(&seed)};
    scene.add<Sphere>(centre, 0.3 + random_unit(&seed) * 0.6, Material{colour, i % 3 ? 0.0 : 0.6});
  }
  std::vector<std::uint8_t> picture;
  Vector total{};
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      Vector direction{(x - width * 0.5) / width, (height * 0.5 - y) / width, 0.8};
      Vector colour = scene.trace({{0, 0.5, -3}, unit(direction)}, 4);
      total = total + colour;
      for (double channel : {colour.x, colour.y, colour.z})
        picture.push_back(to_byte(channel));
    }
  printf("picture %016" PRIx64 " total %.17g %.17g %.17g\n", mix_bytes(0, picture.data(), picture.size()), total.x, total.y,
         total.z);
}
