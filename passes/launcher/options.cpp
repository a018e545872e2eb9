#include "options.h"

#include <algorithm>
#include <iterator>

namespace cc_agent {
namespace {

#define OPTION(spelling, kind, role) {spelling, Kind::kind, Role::role},
constexpr Option table[] = {
#include "options.def"
};
#undef OPTION

constexpr std::size_t longest_spelling() {
  std::size_t longest = 0;
  for (const Option &option : table)
    longest = option.spelling.size() > longest ? option.spelling.size() : longest;
  return longest;
}

// Whether an option of this kind can be written with `joined` glued to its spelling.
bool accepts(Kind kind, std::string_view joined) {
  switch (kind) {
  case Kind::Flag:
  case Kind::Separate:
  case Kind::MultiArg2:
  case Kind::MultiArg3:
  case Kind::Remaining:
    return joined.empty();
  case Kind::Joined:
  case Kind::CommaJoined:
  case Kind::JoinedOrSeparate:
  case Kind::JoinedAndSeparate:
    return true;
  }
  return false;
}

std::size_t following_arguments(Kind kind, std::string_view joined) {
  switch (kind) {
  case Kind::Separate:
  case Kind::JoinedAndSeparate:
    return 1;
  case Kind::JoinedOrSeparate:
    return joined.empty() ? 1 : 0;
  case Kind::MultiArg2:
    return 2;
  case Kind::MultiArg3:
    return 3;
  default:
    return 0;
  }
}

} // namespace

const Option *options_begin() { return std::begin(table); }
const Option *options_end() { return std::end(table); }

OptionMatch match_option(std::string_view argument) {
  constexpr std::size_t longest = longest_spelling();
  for (std::size_t length = std::min(longest, argument.size()); length > 0; --length) {
    std::string_view spelling = argument.substr(0, length);
    std::string_view joined = argument.substr(length);
    const Option *option = std::lower_bound(
        options_begin(), options_end(), spelling,
        [](const Option &candidate, std::string_view wanted) { return candidate.spelling < wanted; });
    for (; option != options_end() && option->spelling == spelling; ++option)
      if (accepts(option->kind, joined))
        return {option, joined, following_arguments(option->kind, joined)};
  }
  return {};
}

const char *obstacle(Role role) {
  switch (role) {
  case Role::ExternalAssembler:
    return "an external assembler is used";
  case Role::RecordsCommand:
    return "the command line is written into the output, and must stay the user's";
  case Role::LinkTime:
    return "optimization continues at link time";
  case Role::Sanitizer:
    return "instrumented by a sanitizer";
  case Role::Profile:
    return "profiling, coverage or instrumentation";
  case Role::NotAnObject:
    return "the output is not plain machine code";
  case Role::Modules:
    return "modules and precompiled headers are not supported";
  case Role::Offload:
    return "OpenMP and offloading are not supported";
  case Role::PerArchitecture:
    return "options per architecture are not supported";
  case Role::OtherLanguage:
    return "only C and C++ are supported";
  case Role::Plugin:
    return "another compiler plugin is loaded";
  case Role::SaveTemps:
    return "intermediate files are asked for";
  case Role::WorkingDirectory:
    return "file names are relative to another directory";
  case Role::Configuration:
    return "a configuration file may hold any option";
  default:
    return nullptr;
  }
}

} // namespace cc_agent
