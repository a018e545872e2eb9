// Makes up source text, splits it into tokens, and counts how often each name is used.
#include "../program.h"
#include "lexer.h"
#include <algorithm>
#include <string>

static std::string make_source(int n_lines) {
  uint64_t seed = 1;
  std::string text;
  auto name = [&seed] {
    std::string made = random_below(&seed, 3) ? "value" : "index_of";
    return made + std::to_string(random_below(&seed, 1 + random_below(&seed, 3000)));
  };
  for (int i = 0; i < n_lines; i++)
    switch (random_below(&seed, 5)) {
    case 0:
      text += "let " + name() + " = " + name() + " * " + std::to_string(random_below(&seed, 100000)) + ";\n";
      break;
    case 1:
      text += "if (" + name() + " <= " + name() + " && " + name() + " != 0) { // compare\n";
      break;
    case 2:
      text += "\twhile (" + name() + "->" + name() + ") print(\"a \\\"quoted\\\" text\");\n";
      break;
    case 3:
      text += "  return " + name() + "(" + name() + ", " + name() + " + 1) == " + name() + ";\n}\n";
      break;
    default:
      text += "function " + name() + "(" + name() + ") { /" + "/ " + std::string(random_below(&seed, 60), '-') + "\n";
    }
  return text;
}

int main(int argc, char **argv) {
  std::string source = make_source(argument(argc, argv, 1));
  NameTable names;
  std::vector<std::uint32_t> uses;
  std::size_t counts[6] = {};
  std::uint64_t hash = 0;
  int lines = 0;
  for (int round = 0; round < 4; round++) {
    Lexer lexer(source, names);
    for (Token token = lexer.next(); token.kind != Kind::End; token = lexer.next()) {
      counts[static_cast<int>(token.kind)]++;
      hash = mix(hash, token.value);
      if (token.kind == Kind::Name) {
        if (token.value >= uses.size())
          uses.resize(token.value + 1);
        uses[token.value]++;
      }
    }
    lines = lexer.line();
  }
  std::vector<std::uint32_t> order(uses.size());
  for (std::uint32_t i = 0; i < order.size(); i++)
    order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return uses[a] != uses[b] ? uses[a] > uses[b] : a < b; });
  printf("lines %d names %zu tokens %zu %zu %zu %zu %zu %016" PRIx64 "\n", lines, names.size(), counts[0], counts[1],
         counts[2], counts[3], counts[4], hash);
  for (int i = 0; i < 3; i++)
    printf("%.*s %u\n", static_cast<int>(names.name(order[i]).size()), names.name(order[i]).data(), uses[order[i]]);
}
