// Cyclic redundancy checks: bit by bit, by one table, and by eight tables that are made at the start.
#include "../program.h"

static uint32_t tables[8][256];

static uint32_t crc_by_bits(uint32_t crc, const unsigned char *data, size_t size) {
  crc = ~crc;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void make_tables(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
    tables[0][i] = crc;
  }
  for (int t = 1; t < 8; t++)
    for (int i = 0; i < 256; i++)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
}

static uint32_t crc_by_bytes(uint32_t crc, const unsigned char *data, size_t size) {
  crc = ~crc;
  for (; size > 0; size--)
    crc = (crc >> 8) ^ tables[0][(crc ^ *data++) & 255];
  return ~crc;
}

static uint32_t crc_by_eights(uint32_t crc, const unsigned char *data, size_t size) {
  crc = ~crc;
  for (; size >= 8; size -= 8, data += 8) {
    crc ^= (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
    crc = tables[7][crc & 255] ^ tables[6][(crc >> 8) & 255] ^ tables[5][(crc >> 16) & 255] ^ tables[4][crc >> 24] ^
          tables[3][data[4]] ^ tables[2][data[5]] ^ tables[1][data[6]] ^ tables[0][data[7]];
  }
  return crc_by_bytes(~crc, data, size);
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000;
  unsigned char *data = (unsigned char *)allocate(size, 1);
  uint64_t seed = 1;
  for (size_t i = 0; i < size; i++)
    data[i] = (unsigned char)next_random(&seed);
  make_tables();
  printf("check %08" PRIx32 "\n", crc_by_bytes(0, (const unsigned char *)"123456789", 9));
  printf("bits %08" PRIx32 "\n", crc_by_bits(0, data, size / 8));
  printf("bytes %08" PRIx32 "\n", crc_by_bytes(0, data, size));
  uint32_t crc = 0;
  for (int round = 0; round < 4; round++)
    crc = crc_by_eights(crc, data + round, size - 2 * round);
  printf("eights %08" PRIx32 "\n", crc);
  free(data);
}
