// Sorts records by 64-bit keys, by floats and by names: by digits, from the last and from the first.
#include "../program.h"
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Record {
  std::uint64_t key;
  float weight;
  std::uint32_t number;
};

// From the last digit, stable; `digits` gives the key as an unsigned number whose order is wanted.
template <class Digits> void sort_by_digits(std::vector<Record> &records, int n_bytes, Digits digits) {
  std::vector<Record> spare(records.size());
  for (int byte = 0; byte < n_bytes; byte++) {
    std::array<std::size_t, 257> start{};
    for (const Record &record : records)
      start[(digits(record) >> (8 * byte) & 255) + 1]++;
    for (int i = 0; i < 256; i++)
      start[i + 1] += start[i];
    for (const Record &record : records)
      spare[start[digits(record) >> (8 * byte) & 255]++] = record;
    records.swap(spare);
  }
}

// Negative floats have their bits turned over, the others their sign.
std::uint32_t ordered_bits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// From the first character; a small group is inserted one by one.
void sort_names(std::vector<std::string> &names, std::size_t begin, std::size_t end, std::size_t depth) {
  if (end - begin < 24) {
    for (std::size_t i = begin + 1; i < end; i++)
      for (std::size_t k = i; k > begin && names[k].compare(depth, std::string::npos, names[k - 1], depth) < 0; k--)
        names[k].swap(names[k - 1]);
    return;
  }
  std::array<std::size_t, 258> start{};
  auto digit = [&](const std::string &name) {
    return depth < name.size() ? static_cast<unsigned char>(name[depth]) + 1u : 0u;
  };
  for (std::size_t i = begin; i < end; i++)
    start[digit(names[i]) + 1]++;
  for (int i = 0; i < 257; i++)
    start[i + 1] += start[i];
  std::vector<std::string> sorted(end - begin);
  std::array<std::size_t, 258> next = start;
  for (std::size_t i = begin; i < end; i++)
    sorted[next[digit(names[i])]++].swap(names[i]);
  for (std::size_t i = begin; i < end; i++)
    names[i].swap(sorted[i - begin]);
  for (int i = 1; i < 257; i++) // those that have ended are equal
    if (start[i + 1] - start[i] > 1)
      sort_names(names, begin + start[i], begin + start[i + 1], depth + 1);
}

uint64_t hash_of(const std::vector<Record> &records) {
  uint64_t hash = 0;
  for (const Record &record : records)
    hash = mix(hash, record.number);
  return hash;
}

} // namespace

int main(int argc, char **argv) {
  std::size_t n = static_cast<std::size_t>(argument(argc, argv, 1));
  uint64_t seed = 1;
  std::vector<Record> records(n);
  for (std::size_t i = 0; i < n; i++)
    records[i] = {next_random(&seed) >> random_below(&seed, 40), static_cast<float>(random_unit(&seed) - 0.5),
                  static_cast<std::uint32_t>(i)};
  sort_by_digits(records, 8, [](const Record &record) { return record.key; });
  printf("keys %016" PRIx64 " first %" PRIx64 "\n", hash_of(records), records[0].key);
  sort_by_digits(records, 4, [](const Record &record) { return ordered_bits(record.weight); });
  printf("weights %016" PRIx64 " first %.9g\n", hash_of(records), static_cast<double>(records[0].weight));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n / 2; i++) {
    std::string name(3 + random_below(&seed, 16), 'a');
    for (std::size_t k = random_below(&seed, 3); k < name.size(); k++)
      name[k] = static_cast<char>('a' + random_below(&seed, 1 + random_below(&seed, 26)));
    names.push_back(std::move(name));
  }
  sort_names(names, 0, names.size(), 0);
  uint64_t hash = 0;
  for (const std::string &name : names)
    hash = mix_bytes(hash, name.data(), name.size());
  printf("names %016" PRIx64 " middle %s\n", hash, names.empty() ? "" : names[names.size() / 2].c_str());
}
