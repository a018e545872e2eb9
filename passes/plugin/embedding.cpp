#include "embedding.h"

#include "plan.h"
#include "llvm/Analysis/IR2Vec.h"
#include "llvm/IR/Module.h"
#include <map>

using namespace llvm;

namespace cc_agent {

Expected<std::vector<double>> embed(Module &module, const std::string &vocabulary) {
  static std::map<std::string, ir2vec::Vocabulary> vocabularies; // to read one takes longer than to use it
  auto known = vocabularies.find(vocabulary);
  if (known == vocabularies.end()) {
    Plan plan;
    plan.options = {{"ir2vec-vocab-path", vocabulary}};
    if (Error refused = applyOptions(plan))
      return std::move(refused);
    ModuleAnalysisManager unused;
    ir2vec::Vocabulary read = IR2VecVocabAnalysis().run(module, unused);
    resetOptions(plan);
    if (!read.isValid())
      return createStringError(inconvertibleErrorCode(), vocabulary + " is no vocabulary of IR2Vec");
    known = vocabularies.emplace(vocabulary, std::move(read)).first;
  }
  ir2vec::Embedding sum(known->second.getDimension());
  for (const Function &function : module)
    if (!function.isDeclaration())
      sum += ir2vec::Embedder::create(IR2VecKind::Symbolic, function, known->second)->getFunctionVector();
  return sum.getData();
}

} // namespace cc_agent
