// -O2
// A 32-bit hash of the xxHash family: four lanes over the bulk, then a byte-wise tail.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint32_t prime1 = 2654435761U, prime2 = 2246822519U, prime3 = 3266489917U, prime4 = 668265263U,
                      prime5 = 374761393U;

static uint32_t rotate(uint32_t value, int count) { return (value << count) | (value >> (32 - count)); }

static uint32_t read32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static uint32_t mix(uint32_t lane, uint32_t input) { return rotate(lane + input * prime2, 13) * prime1; }

uint32_t hash32(const uint8_t *data, size_t length, uint32_t seed) {
  const uint8_t *end = data + length;
  uint32_t state;
  if (length >= 16) {
    uint32_t lane[4] = {seed + prime1 + prime2, seed + prime2, seed, seed - prime1};
    for (; data + 16 <= end; data += 16)
      for (int index = 0; index < 4; index++)
        lane[index] = mix(lane[index], read32(data + 4 * index));
    state = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
  } else {
    state = seed + prime5;
  }
  state += (uint32_t)length;
  for (; data + 4 <= end; data += 4)
    state = rotate(state + read32(data) * prime3, 17) * prime4;
  while (data < end)
    state = rotate(state + *data++ * prime5, 11) * prime1;
  state ^= state >> 15;
  state *= prime2;
  state ^= state >> 13;
  return state;
}

uint32_t hash_strings(const char *const *strings, size_t count) {
  uint32_t combined = 0;
  for (size_t index = 0; index < count; index++)
    combined = combined * 31 + hash32((const uint8_t *)strings[index], strlen(strings[index]), 0);
  return combined;
}
