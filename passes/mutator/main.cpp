// cc-agent-mutate: lists where an optimizer could have gone wrong in a module, and makes one such mistake.
//
//   cc-agent-mutate --kinds                                       the kinds, as JSON
//   cc-agent-mutate --list [--function F]… MODULE                 the sites, as JSON lines
//   cc-agent-mutate --kind K --site N [--function F]… -o OUT MODULE   the mutant, as bitcode
//   cc-agent-mutate … --reach                                     instead of the mistake: a trap where it would be
//   cc-agent-mutate … --agrees                                    instead of a mutant: whether the mistake changes nothing, as JSON
//   cc-agent-mutate … --checks                                    instead of a mutant: the module that --agrees asks the optimizer about
//
// A site's number counts the sites of its kind in the whole module, whatever --function selects. MODULE may be "-".
#include "agreement.h"
#include "listing.h"

#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace llvm;
using namespace cc_agent;

namespace {

// The status of the command line's contract: 2 the request makes no sense, 3 it could not be done.
constexpr int usage = 2, failed = 3;

cl::OptionCategory category("cc-agent-mutate options");
cl::opt<std::string> input(cl::Positional, cl::desc("MODULE"), cl::init("-"), cl::cat(category));
cl::opt<bool> listKinds("kinds", cl::desc("Print the kinds of mistakes as JSON."), cl::cat(category));
cl::opt<bool> listSites("list", cl::desc("Print the sites as lines of JSON."), cl::cat(category));
cl::list<std::string> functions("function", cl::desc("Only sites in this function; may be repeated."), cl::cat(category));
cl::opt<std::string> kindName("kind", cl::desc("The mistake to make."), cl::cat(category));
cl::opt<unsigned> siteNumber("site", cl::desc("Where to make it: a number that --list gives."), cl::cat(category));
cl::opt<bool> reach("reach", cl::desc("Put a trap at the site instead of the mistake: who gets there?"), cl::cat(category));
cl::opt<bool> agrees("agrees", cl::desc("Whether the optimizer shows that the mistake changes nothing."), cl::cat(category));
cl::opt<bool> checks("checks", cl::desc("The module with the checks that the optimizer is to find superfluous."), cl::cat(category));
cl::opt<std::string> output("o", cl::desc("The file for the mutant's bitcode."), cl::init("-"), cl::cat(category));

int complain(const Twine &message, int status) {
  errs() << "cc-agent-mutate: " << message << "\n";
  return status;
}

void putTrap(Instruction &instruction) {
  IRBuilder<> builder(isa<PHINode>(instruction) ? &*instruction.getParent()->getFirstInsertionPt() : &instruction);
  builder.CreateIntrinsic(Intrinsic::trap, {});
}

int write(Module &module) {
  std::string complaint;
  raw_string_ostream stream(complaint);
  if (verifyModule(module, &stream))
    return complain("the mutant of " + kindName + " at site " + Twine(siteNumber) + " does not verify: " + complaint, failed);
  std::error_code error;
  ToolOutputFile file(output, error, sys::fs::OF_None);
  if (error)
    return complain("cannot write " + output + ": " + error.message(), failed);
  // The order of uses decides some of code generation: what the mistake did not touch must come out as it was.
  WriteBitcodeToFile(module, file.os(), /*ShouldPreserveUseListOrder=*/true);
  file.os().flush();
  if (file.os().has_error())
    return complain("cannot write " + output + ": " + file.os().error().message(), failed);
  file.keep();
  return 0;
}

/// With `ask` the optimizer's answer, else the question.
int compare(Module &module, Site &site, bool ask) {
  Function &function = *site.instruction->getFunction();
  Snapshot snapshot(module, function);
  site.apply();
  std::string reason = addChecks(snapshot, function);
  if (!ask)
    return reason.empty() ? write(*snapshot.module) : complain(reason, failed);
  bool shown = reason.empty() && checksVanish(*snapshot.module);
  reason = shown ? "no execution tells them apart" : reason.empty() ? "the optimizer does not show it" : reason;
  outs() << json::Value(json::Object{{"agrees", shown}, {"reason", reason}}) << "\n";
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "plants the mistakes of an optimizer into a module\n");
  if (listKinds) {
    printKinds(outs());
    return 0;
  }
  if (!listSites && kindName.empty())
    return complain("nothing to do; say --kinds, --list, or --kind K --site N", usage);

  LLVMContext context;
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseIRFile(input, diagnostic, context);
  if (!module)
    return complain(input + ": " + diagnostic.getMessage(), failed);
  for (const std::string &name : functions)
    if (!module->getFunction(name) || module->getFunction(name)->isDeclaration())
      return complain(input + " does not define the function " + name, usage);

  Listing listing(*module);
  if (listSites) {
    listing.print(outs(), functions);
    return 0;
  }
  if (none_of(allKinds(), [](const Kind *kind) { return kind->name == kindName; }))
    return complain("there is no kind " + kindName + "; --kinds lists them", usage);
  Site *site = listing.find(kindName, siteNumber);
  if (!site)
    return complain(input + " has no site " + Twine(siteNumber) + " of " + kindName + "; --list shows those it has", usage);
  if (agrees || checks)
    return compare(*module, *site, agrees);
  if (reach)
    putTrap(*site->instruction);
  else
    site->apply();
  return write(*module);
}
