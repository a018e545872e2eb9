// clang's option table: which arguments are options, how each takes its value, and what it means to the launcher.
#pragma once

#include <cstddef>
#include <string_view>

namespace cc_agent {

// How an option takes its value, as in LLVM's option library.
enum class Kind : unsigned char {
  Flag,
  Joined,
  CommaJoined,
  Separate,
  JoinedOrSeparate,
  JoinedAndSeparate,
  MultiArg2,
  MultiArg3,
  Remaining,
};

enum class Role : unsigned char {
  None, // Matters to the compiler, not to us.
  Output,
  Optimize,
  Language,
  Compile,
  Assembly,
  Preprocess,
  Check, // Looks at the source and makes no object.
  Query, // Prints something and makes no object.
  Dependency,
  SideOutput,
  Linker,
  Remaining,
  Arch,
  DriverMode,
  ForwardFrontend,
  ForwardPreprocessor,
  // From here on: a call with this option is compiled without plans; obstacle() says why.
  ExternalAssembler,
  RecordsCommand,
  LinkTime,
  Sanitizer,
  Profile,
  NotAnObject,
  Modules,
  Offload,
  PerArchitecture,
  OtherLanguage,
  Plugin,
  SaveTemps,
  WorkingDirectory,
  Configuration,
};

struct Option {
  std::string_view spelling;
  Kind kind;
  Role role;
};

struct OptionMatch {
  const Option *option = nullptr; // Null: clang has no such option.
  std::string_view joined;        // What follows the spelling in the same argument.
  std::size_t n_following = 0;    // How many of the next arguments belong to it.
};

// The option that `argument` (which begins with "-") is, by clang's rule: the longest spelling that accepts it.
OptionMatch match_option(std::string_view argument);

// Why a call with an option of this role is compiled without plans; null when it is not.
const char *obstacle(Role role);

// The whole table, for tests.
const Option *options_begin();
const Option *options_end();

} // namespace cc_agent
