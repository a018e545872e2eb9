// The lightest tree that connects all nodes: edges sorted by weight, joined by union-find with path halving.
#include "../program.h"
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace {

class DisjointSets {
public:
  explicit DisjointSets(std::size_t n) : parent(n), size(n, 1) { std::iota(parent.begin(), parent.end(), 0u); }

  std::uint32_t find(std::uint32_t node) {
    while (parent[node] != node)
      node = parent[node] = parent[parent[node]];
    return node;
  }

  bool join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    if (a == b)
      return false;
    if (size[a] < size[b])
      std::swap(a, b);
    parent[b] = a;
    size[a] += size[b];
    return true;
  }

private:
  std::vector<std::uint32_t> parent, size;
};

struct Edge {
  std::uint32_t weight, a, b;
  bool operator<(const Edge &other) const {
    if (weight != other.weight)
      return weight < other.weight;
    return a != other.a ? a < other.a : b < other.b;
  }
};

} // namespace

int main(int argc, char **argv) {
  uint32_t n = static_cast<uint32_t>(argument(argc, argv, 1));
  uint64_t seed = 1, total = 0, hash = 0;
  std::vector<Edge> edges;
  for (uint32_t i = 0; i < 4 * n; i++)
    edges.push_back({random_below(&seed, 100000), random_below(&seed, n), random_below(&seed, n)});
  std::sort(edges.begin(), edges.end());
  DisjointSets sets(n);
  uint32_t n_chosen = 0, heaviest = 0;
  for (const Edge &edge : edges)
    if (sets.join(edge.a, edge.b)) {
      n_chosen++;
      total += edge.weight;
      heaviest = edge.weight;
      hash = mix(hash, uint64_t{edge.a} << 32 | edge.b);
    }
  printf("edges %u of %zu weight %" PRIu64 " heaviest %u chosen %016" PRIx64 "\n", n_chosen, edges.size(), total, heaviest,
         hash);
}
