// k-means clustering of points in eight dimensions, in single precision.
#include "../program.h"
#include <array>
#include <vector>

namespace {

constexpr int N_DIMENSIONS = 8;
using Point = std::array<float, N_DIMENSIONS>;

float squared_distance(const Point &a, const Point &b) {
  float sum = 0;
  for (int d = 0; d < N_DIMENSIONS; d++)
    sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

int nearest(const Point &point, const std::vector<Point> &centres) {
  int best = 0;
  float best_distance = squared_distance(point, centres[0]);
  for (std::size_t c = 1; c < centres.size(); c++) {
    float distance = squared_distance(point, centres[c]);
    if (distance < best_distance) {
      best_distance = distance;
      best = static_cast<int>(c);
    }
  }
  return best;
}

// Returns how many points changed their cluster.
int assign(const std::vector<Point> &points, const std::vector<Point> &centres, std::vector<int> &cluster) {
  int n_changed = 0;
  for (std::size_t i = 0; i < points.size(); i++) {
    int found = nearest(points[i], centres);
    n_changed += found != cluster[i];
    cluster[i] = found;
  }
  return n_changed;
}

void update(const std::vector<Point> &points, const std::vector<int> &cluster, std::vector<Point> &centres) {
  std::vector<Point> sums(centres.size(), Point{});
  std::vector<int> counts(centres.size());
  for (std::size_t i = 0; i < points.size(); i++) {
    counts[cluster[i]]++;
    for (int d = 0; d < N_DIMENSIONS; d++)
      sums[cluster[i]][d] += points[i][d];
  }
  for (std::size_t c = 0; c < centres.size(); c++)
    if (counts[c] > 0)
      for (int d = 0; d < N_DIMENSIONS; d++)
        centres[c][d] = sums[c][d] / static_cast<float>(counts[c]);
}

} // namespace

int main(int argc, char **argv) {
  std::size_t n = argument(argc, argv, 1), k = argument(argc, argv, 2);
  uint64_t seed = 1;
  std::vector<Point> points(n), centres;
  for (Point &point : points) {
    uint32_t blob = random_below(&seed, 5);
    for (float &coordinate : point)
      coordinate = static_cast<float>(random_unit(&seed) + random_unit(&seed) + 0.6 * blob);
  }
  for (std::size_t c = 0; c < k; c++)
    centres.push_back(points[c * n / k]);
  std::vector<int> cluster(n, -1);
  int rounds = 0, n_changed = 1;
  for (; rounds < 20 && n_changed > 0; rounds++) {
    n_changed = assign(points, centres, cluster);
    update(points, cluster, centres);
  }
  printf("rounds %d changed %d clusters %016" PRIx64 " centres %016" PRIx64 " first %.9g\n", rounds, n_changed,
              mix_bytes(0, cluster.data(), n * sizeof(int)), mix_bytes(0, centres.data(), k * sizeof(Point)),
              static_cast<double>(centres[0][0]));
}
