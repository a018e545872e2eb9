#include "response.h"

#include <algorithm>
#include <cstdio>
#include <sys/stat.h>

namespace cc_agent {
namespace {

bool is_space(char character) {
  return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

bool read_file(const std::string &path, std::string &text) {
  std::FILE *file = std::fopen(path.c_str(), "rbe");
  if (!file)
    return false;
  char buffer[65536];
  std::size_t n_read;
  while ((n_read = std::fread(buffer, 1, sizeof buffer, file)) > 0)
    text.append(buffer, n_read);
  bool complete = !std::ferror(file);
  std::fclose(file);
  return complete;
}

// Appends the arguments to `result`. `open_files` are the files whose contents we are in: a cycle is not followed.
void expand_into(const std::vector<std::string> &arguments, std::vector<std::string> &open_files, Expansion &result) {
  for (const std::string &argument : arguments) {
    struct stat status;
    if (argument.size() < 2 || argument[0] != '@' || stat(argument.c_str() + 1, &status) != 0) {
      result.arguments.push_back(argument); // clang, too, takes "@name" without such a file as an input's name.
      continue;
    }
    std::string path = argument.substr(1);
    std::string identity = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    std::string text;
    bool cycle = std::find(open_files.begin(), open_files.end(), identity) != open_files.end();
    // A pipe can be read only once, and clang must be able to read it when we hand the argument on.
    bool readable = !cycle && S_ISREG(status.st_mode) && read_file(path, text);
    bool utf16 = text.size() >= 2 && (text.compare(0, 2, "\xff\xfe") == 0 || text.compare(0, 2, "\xfe\xff") == 0);
    if (!readable || utf16) {
      result.arguments.push_back(argument);
      result.incomplete = true;
      continue;
    }
    std::string_view words = text;
    if (words.substr(0, 3) == "\xef\xbb\xbf")
      words.remove_prefix(3);
    result.expanded = true;
    open_files.push_back(identity);
    expand_into(split_response(words), open_files, result);
    open_files.pop_back();
  }
}

} // namespace

std::vector<std::string> split_response(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char character = text[i];
    if (character == '\\' && i + 1 < text.size()) {
      word += text[++i];
    } else if (character == '"' || character == '\'') {
      for (++i; i < text.size() && text[i] != character; ++i) {
        if (text[i] == '\\' && i + 1 < text.size())
          ++i;
        word += text[i];
      }
    } else if (is_space(character)) {
      // As in clang, an empty pair of quotes is no argument at all.
      if (!word.empty())
        words.push_back(std::move(word));
      word.clear();
    } else {
      word += character;
    }
  }
  if (!word.empty())
    words.push_back(std::move(word));
  return words;
}

std::string quote_response(const std::vector<std::string> &arguments) {
  std::string text;
  for (const std::string &argument : arguments) {
    text += '"';
    for (char character : argument) {
      if (character == '"' || character == '\\')
        text += '\\';
      text += character;
    }
    text += "\"\n";
  }
  return text;
}

Expansion expand_response_files(const std::vector<std::string> &arguments) {
  Expansion result;
  std::vector<std::string> open_files;
  expand_into(arguments, open_files, result);
  return result;
}

} // namespace cc_agent
