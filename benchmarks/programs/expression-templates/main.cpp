// A predator-prey model on many places at once, written as formulas over whole vectors.
#include "../program.h"
#include "vector.h"

int main(int argc, char **argv) {
  std::size_t n = argument(argc, argv, 1);
  int steps = argument(argc, argv, 2);
  Vector prey(n), predators(n), births(n), meetings(n), capacity(n);
  fill_random(prey.data(), n, 1);
  fill_random(predators.data(), n, 2);
  fill_random(capacity.data(), n, 3);
  prey = prey + 1.5;
  predators = predators * 0.5 + 0.5;
  capacity = capacity + 4.0;
  const double dt = 0.01;
  for (int t = 0; t < steps; t++) {
    births = prey * (1.0 - prey / capacity);
    meetings = prey * predators / (1.0 + 0.2 * prey);
    prey = prey + dt * (births - 0.9 * meetings);
    predators = predators + dt * (0.5 * meetings - 0.3 * predators);
  }
  print_values("prey", prey.data(), n);
  print_values("predators", predators.data(), n);
  printf("meetings %.17g\n", sum(prey * predators, n));
}
