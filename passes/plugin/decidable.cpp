#include "decidable.h"

#include "decisions.h"
#include "loop_decisions.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cc_agent {
namespace {

void addPlace(json::Object &object, const DILocation *location) {
  if (!location || location->getLine() == 0)
    return;
  object["file"] = json::fixUTF8(location->getFilename());
  object["line"] = location->getLine();
  object["column"] = location->getColumn();
}

json::Array loopsOf(Function &function) {
  LoopsOf loops(function);
  json::Array listed;
  for (const Loop *loop : loops.inPreorder()) {
    json::Object object{{"position", int64_t(listed.size())}, {"depth", int64_t(loop->getLoopDepth())}};
    addPlace(object, loop->getStartLoc().get());
    listed.push_back(std::move(object));
  }
  return listed;
}

json::Array callsOf(Function &function) {
  json::Array listed;
  for (const CallBase *call : decidableCalls(function)) {
    const Function *callee = call->getCalledFunction();
    json::Object object{{"position", int64_t(listed.size())}, {"callee", json::fixUTF8(callee->getName())}, {"is_defined", !callee->isDeclaration()}};
    addPlace(object, call->getDebugLoc().get());
    listed.push_back(std::move(object));
  }
  return listed;
}

} // namespace

std::string decidableAsJson(Module &module) {
  json::Array functions;
  for (Function &function : module) {
    if (function.isDeclaration() || !function.hasName())
      continue;
    json::Object object{{"name", json::fixUTF8(function.getName())}, {"loops", loopsOf(function)}, {"calls", callsOf(function)}};
    if (const DISubprogram *program = function.getSubprogram()) {
      object["file"] = json::fixUTF8(program->getFilename());
      object["line"] = program->getLine();
    }
    functions.push_back(std::move(object));
  }
  std::string text;
  raw_string_ostream(text) << json::Value(json::Object{{"functions", std::move(functions)}});
  return text;
}

} // namespace cc_agent
