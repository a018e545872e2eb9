#include "lexer.h"

std::uint32_t NameTable::hash(std::string_view name) {
  std::uint32_t h = 2166136261u; // FNV-1a
  for (char c : name)
    h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h;
}

std::uint32_t NameTable::number_of(std::string_view name) {
  std::uint32_t h = hash(name);
  std::size_t mask = slots.size() - 1;
  for (std::size_t i = h & mask;; i = (i + 1) & mask) {
    std::int32_t number = slots[i];
    if (number < 0) {
      slots[i] = static_cast<std::int32_t>(names.size());
      names.push_back(name);
      hashes.push_back(h);
      if (names.size() * 2 > slots.size())
        grow();
      return static_cast<std::uint32_t>(names.size() - 1);
    }
    if (hashes[number] == h && names[number] == name)
      return static_cast<std::uint32_t>(number);
  }
}

void NameTable::grow() {
  std::vector<std::int32_t> larger(slots.size() * 2, -1);
  std::size_t mask = larger.size() - 1;
  for (std::size_t n = 0; n < names.size(); n++) {
    std::size_t i = hashes[n] & mask;
    while (larger[i] >= 0)
      i = (i + 1) & mask;
    larger[i] = static_cast<std::int32_t>(n);
  }
  slots.swap(larger);
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

Lexer::Lexer(std::string_view text, NameTable &names) : text(text), names(names) {
  for (const char *keyword : {"if", "else", "while", "return", "let", "function"})
    names.number_of(keyword);
  n_keywords = static_cast<std::uint32_t>(names.size());
}

void Lexer::skip_space_and_comments() {
  for (;;) {
    char c = peek();
    if (c == '\n') {
      line_number++;
      at++;
    } else if (c == ' ' || c == '\t') {
      at++;
    } else if (c == '/' && peek(1) == '/') {
      while (peek() && peek() != '\n')
        at++;
    } else {
      return;
    }
  }
}

Token Lexer::name_or_keyword() {
  std::size_t start = at;
  while (is_letter(peek()) || is_digit(peek()))
    at++;
  std::uint32_t number = names.number_of(text.substr(start, at - start));
  return {number < n_keywords ? Kind::Keyword : Kind::Name, number};
}

Token Lexer::number() {
  std::uint32_t value = 0;
  for (; is_digit(peek()); at++)
    value = value * 10 + static_cast<std::uint32_t>(peek() - '0');
  return {Kind::Number, value};
}

Token Lexer::string() {
  std::uint32_t length = 0;
  for (at++; peek() && peek() != '"'; at++, length++)
    if (peek() == '\\')
      at++;
  at++;
  return {Kind::String, length};
}

Token Lexer::symbol() {
  static constexpr std::string_view pairs[] = {"==", "!=", "<=", ">=", "&&", "||", "->"};
  std::uint32_t first = static_cast<unsigned char>(peek()), second = static_cast<unsigned char>(peek(1));
  for (std::string_view pair : pairs)
    if (static_cast<unsigned char>(pair[0]) == first && static_cast<unsigned char>(pair[1]) == second) {
      at += 2;
      return {Kind::Symbol, first << 8 | second};
    }
  at++;
  return {Kind::Symbol, first};
}

Token Lexer::next() {
  skip_space_and_comments();
  char c = peek();
  if (!c)
    return {Kind::End, 0};
  if (is_letter(c))
    return name_or_keyword();
  if (is_digit(c))
    return number();
  if (c == '"')
    return string();
  return symbol();
}
