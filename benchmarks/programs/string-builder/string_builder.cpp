// Builds long texts of many short ones, as report generators do: std::string, formatting, replacing, splitting, joining.
#include "../program.h"
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string format_number(std::uint64_t number) {
  std::string digits = std::to_string(number), grouped;
  for (std::size_t i = 0; i < digits.size(); i++) {
    if (i > 0 && (digits.size() - i) % 3 == 0)
      grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

std::string escape(const std::string &text) {
  std::string escaped;
  for (char c : text)
    switch (c) {
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    case '&':
      escaped += "&amp;";
      break;
    default:
      escaped += c;
    }
  return escaped;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t end; (end = text.find(separator, start)) != std::string::npos; start = end + 1)
    parts.push_back(text.substr(start, end - start));
  parts.push_back(text.substr(start));
  return parts;
}

std::string join(const std::vector<std::string> &parts, std::string_view separator) {
  std::string joined;
  for (const std::string &part : parts) {
    if (!joined.empty())
      joined += separator;
    joined += part;
  }
  return joined;
}

std::string row(uint64_t *seed) {
  static const char *const products[] = {"nuts & bolts", "<unnamed>", "a long description of some thing", "pen"};
  std::string cells;
  for (int column = 0; column < 4; column++) {
    std::string cell = column % 2 ? format_number(next_random(seed) >> random_below(seed, 60))
                                  : escape(products[random_below(seed, 4)]);
    cells += "<td>" + cell + "</td>;";
  }
  return "<tr>" + cells + "</tr>";
}

} // namespace

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  uint64_t seed = 1, hash = 0;
  std::string page = "<table>\n";
  std::size_t longest = 0;
  for (int i = 0; i < n; i++) {
    std::string line = replace_all(row(&seed), "&amp;", " and ");
    std::vector<std::string> cells = split(line, ';');
    for (const std::string &cell : cells)
      longest = cell.size() > longest ? cell.size() : longest;
    page += join(cells, "\n  ") + "\n";
    if (i % 64 == 63) {
      hash = mix_bytes(hash, page.data(), page.size());
      page = page.substr(page.size() / 2);
    }
  }
  page += "</table>\n";
  hash = mix_bytes(hash, page.data(), page.size());
  printf("page %zu longest %zu %016" PRIx64 "\n", page.size(), longest, hash);
}
