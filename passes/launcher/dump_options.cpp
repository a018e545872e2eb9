// Prints clang's own option table, one option a line, for generate_options.py. A development tool: nothing links it.
//
// clang's headers for the table are not needed (and Debian packages them apart): the function below is exported by
// libclang-cpp, and the class it returns is described by LLVM's headers.

#include "llvm/Option/OptTable.h"
#include "llvm/Option/Option.h"

#include <cstdio>
#include <string>

namespace clang {
const llvm::opt::OptTable &getDriverOptTable();
}

int main() {
  const llvm::opt::OptTable &table = clang::getDriverOptTable();
  for (unsigned id = 1; id <= table.getNumOptions(); ++id) {
    llvm::opt::Option option = table.getOption(id);
    llvm::SmallVector<llvm::StringRef> prefixes;
    table.appendOptionPrefixes(id, prefixes);
    std::string joined_prefixes;
    for (llvm::StringRef prefix : prefixes)
      joined_prefixes += prefix.str() + " ";
    llvm::opt::Option alias = option.getAlias();
    std::string groups;
    for (llvm::opt::Option group = option.getUnaliasedOption().getGroup(); group.isValid(); group = group.getGroup())
      groups += group.getName().str() + ";";
    // Columns: kind, name, prefixes, arguments, groups, alias, visible to clang's driver.
    std::printf("%d\t%s\t%s\t%u\t%s\t%s\t%d\n", static_cast<int>(option.getKind()), option.getName().str().c_str(),
                joined_prefixes.c_str(), option.getNumArgs(), groups.c_str(),
                alias.isValid() ? option.getUnaliasedOption().getPrefixedName().str().c_str() : "",
                option.hasVisibilityFlag(llvm::opt::DefaultVis) ? 1 : 0);
  }
}
