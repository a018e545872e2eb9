// Response files: @file arguments, expanded as clang expands them in its GNU driver mode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cc_agent {

struct Expansion {
  std::vector<std::string> arguments;
  bool expanded = false;   // At least one file was replaced by its contents.
  bool incomplete = false; // A file exists and could not be expanded (a cycle, UTF-16, unreadable): left as it is.
};

Expansion expand_response_files(const std::vector<std::string> &arguments);

// The words of a response file (GNU quoting: ', " and backslash).
std::vector<std::string> split_response(std::string_view text);

// A response file's text that split_response() turns back into `arguments`.
std::string quote_response(const std::vector<std::string> &arguments);

} // namespace cc_agent
