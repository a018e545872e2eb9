// Bodies that attract each other, all pairs, with the leapfrog method.
#include "../program.h"
#include <math.h>

struct body {
  double position[3], velocity[3], mass;
};

static void attract(struct body *bodies, int n, double dt) {
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) {
      double difference[3], square = 0.01;
      for (int k = 0; k < 3; k++) {
        difference[k] = bodies[i].position[k] - bodies[j].position[k];
        square += difference[k] * difference[k];
      }
      double strength = dt / (square * sqrt(square));
      for (int k = 0; k < 3; k++) {
        bodies[i].velocity[k] -= difference[k] * bodies[j].mass * strength;
        bodies[j].velocity[k] += difference[k] * bodies[i].mass * strength;
      }
    }
}

static void move(struct body *bodies, int n, double dt) {
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 3; k++)
      bodies[i].position[k] += dt * bodies[i].velocity[k];
}

static double energy(const struct body *bodies, int n) {
  double total = 0;
  for (int i = 0; i < n; i++) {
    const double *v = bodies[i].velocity;
    total += 0.5 * bodies[i].mass * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int j = i + 1; j < n; j++) {
      double square = 0.01;
      for (int k = 0; k < 3; k++) {
        double difference = bodies[i].position[k] - bodies[j].position[k];
        square += difference * difference;
      }
      total -= bodies[i].mass * bodies[j].mass / sqrt(square);
    }
  }
  return total;
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), steps = argument(argc, argv, 2);
  struct body *bodies = (struct body *)allocate(n, sizeof *bodies);
  uint64_t seed = 1;
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 3; k++) {
      bodies[i].position[k] = random_unit(&seed) - 0.5;
      bodies[i].velocity[k] = (random_unit(&seed) - 0.5) * 0.1;
    }
    bodies[i].mass = (0.5 + random_unit(&seed)) / n;
  }
  printf("energy %.17g\n", energy(bodies, n));
  for (int t = 0; t < steps; t++) {
    attract(bodies, n, 0.001);
    move(bodies, n, 0.001);
  }
  printf("energy %.17g\n", energy(bodies, n));
  print_values("bodies", bodies[0].position, (size_t)n * (sizeof *bodies / sizeof(double)));
  free(bodies);
}
