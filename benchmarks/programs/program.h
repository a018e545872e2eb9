// What the programs share: a seeded generator for their inputs, a checksum for their outputs, and checked arguments and
// memory. All of it is inline, so that it is compiled, and optimized, with each program.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
static inline uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// From 0 to bound - 1.
static inline uint32_t random_below(uint64_t *state, uint32_t bound) {
  return (uint32_t)(((next_random(state) >> 32) * bound) >> 32);
}

// From 0 up to, not including, 1; all 53 bits are random, so the conversion is exact.
static inline double random_unit(uint64_t *state) { return (double)(next_random(state) >> 11) * 0x1p-53; }

static inline void fill_random(double *values, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; i++)
    values[i] = random_unit(&seed) - 0.5;
}

static inline uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

static inline uint64_t mix_bytes(uint64_t hash, const void *data, size_t size) {
  const unsigned char *bytes = (const unsigned char *)data;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    hash = mix(hash, word);
  }
  for (; size > 0; size--)
    hash = mix(hash, *bytes++);
  return hash;
}

// A checksum of all values, and three of them, so that a wrong result shows where it is wrong.
static inline void print_values(const char *name, const double *values, size_t count) {
  printf("%s %016" PRIx64 " %.17g %.17g %.17g\n", name, mix_bytes(0, values, count * sizeof *values), values[0],
         values[count / 2], values[count - 1]);
}

// The argument at this position, from 1; a program without it, or with nonsense, ends with status 2.
static inline int argument(int argc, char **argv, int position) {
  long value = position < argc ? strtol(argv[position], NULL, 10) : 0;
  if (value < 1 || value > 1000000000) {
    fprintf(stderr, "%s: argument %d must be a number from 1 to 1000000000\n", argv[0], position);
    exit(2);
  }
  return (int)value;
}

// Zeros; never returns NULL.
static inline void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) {
    fprintf(stderr, "no memory for %zu elements of %zu bytes\n", count, size);
    exit(3);
  }
  return memory;
}

static inline double *allocate_doubles(size_t count) { return (double *)allocate(count, sizeof(double)); }

#endif
