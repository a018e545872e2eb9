// Splits the text of a small programming language into tokens; names are numbered by a hash table of its own.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

enum class Kind : std::uint8_t { Name, Keyword, Number, String, Symbol, End };

struct Token {
  Kind kind;
  std::uint32_t value; // number of the name or keyword, value of the number, length of the string, the symbol's characters
};

// Open addressing; entries never move out, so the number of a name is final.
class NameTable {
public:
  NameTable() : slots(64, -1) {}
  std::uint32_t number_of(std::string_view name);
  std::size_t size() const { return names.size(); }
  std::string_view name(std::uint32_t number) const { return names[number]; }

private:
  static std::uint32_t hash(std::string_view name);
  void grow();
  std::vector<std::int32_t> slots;
  std::vector<std::string_view> names;
  std::vector<std::uint32_t> hashes;
};

class Lexer {
public:
  Lexer(std::string_view text, NameTable &names);
  Token next();
  int line() const { return line_number; }

private:
  void skip_space_and_comments();
  Token name_or_keyword();
  Token number();
  Token string();
  Token symbol();
  char peek(std::size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }

  std::string_view text;
  NameTable &names;
  std::size_t at = 0;
  int line_number = 1;
  std::uint32_t n_keywords;
};
