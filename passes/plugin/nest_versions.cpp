#include "nest_versions.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/LoopUtils.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"
#include <set>

using namespace llvm;

namespace cc_agent {
namespace {

/// Computes the conditions in front of a place; null where something cannot be computed there.
Value *emitConditions(const NestConditions &conditions, Instruction *place, ScalarEvolution &scev) {
  SCEVExpander expander(scev, "jam");
  std::vector<const SCEV *> needed;
  for (auto [one, other] : conditions.disjoint)
    for (unsigned group : {one, other})
      needed.insert(needed.end(), {conditions.groups[group].low, conditions.groups[group].end});
  for (auto [large, small] : conditions.notSmaller)
    needed.insert(needed.end(), {large, small});
  if (!all_of(needed, [&](const SCEV *value) { return expander.isSafeToExpandAt(value, place); }))
    return nullptr;
  auto compute = [&](const SCEV *value) { return expander.expandCodeFor(value, value->getType(), place); };
  IRBuilder<> builder(place);
  Value *all = builder.getTrue();
  // Nobody branched on these values before, so they may be poison where the nest touches no memory; and only what they are about may be.
  auto require = [&](Value *condition) { all = builder.CreateAnd(all, builder.CreateFreeze(condition), "jam.safe"); };
  std::set<unsigned> inOnePiece;
  for (auto [one, other] : conditions.disjoint) {
    const AccessGroup &first = conditions.groups[one], &second = conditions.groups[other];
    // Iterations that access nothing may begin in front of address 0, or end behind the last one.
    for (unsigned group : {one, other})
      if (inOnePiece.insert(group).second)
        require(builder.CreateICmpULE(compute(conditions.groups[group].low), compute(conditions.groups[group].end)));
    Value *isBefore = builder.CreateICmpULE(compute(first.end), compute(second.low));
    Value *isAfter = builder.CreateICmpULE(compute(second.end), compute(first.low));
    require(builder.CreateOr(isBefore, isAfter));
  }
  for (auto [large, small] : conditions.notSmaller)
    require(builder.CreateICmpSGE(compute(large), compute(small)));
  return all;
}

/// Says of accesses that were found to be apart that they are, for one execution of the nest.
void annotate(const NestConditions &conditions, Instruction *entry) {
  LLVMContext &context = entry->getContext();
  MDBuilder metadata(context);
  MDNode *domain = metadata.createAnonymousAliasScopeDomain("cc-agent.jam");
  std::vector<MDNode *> scopes(conditions.groups.size());
  std::vector<SmallVector<Metadata *>> apart(conditions.groups.size());
  auto scopeOf = [&](unsigned group) {
    if (!scopes[group]) {
      scopes[group] = metadata.createAnonymousAliasScope(domain, "group" + std::to_string(group));
      IRBuilder<>(entry).CreateNoAliasScopeDeclaration(MDNode::get(context, scopes[group]));
    }
    return scopes[group];
  };
  for (auto [one, other] : conditions.disjoint) {
    apart[one].push_back(scopeOf(other));
    apart[other].push_back(scopeOf(one));
  }
  for (unsigned group = 0; group < scopes.size(); ++group)
    for (Instruction *member : conditions.groups[group].members) {
      if (!scopes[group])
        continue;
      auto add = [&](unsigned kind, MDNode *nodes) { member->setMetadata(kind, MDNode::concatenate(member->getMetadata(kind), nodes)); };
      add(LLVMContext::MD_alias_scope, MDNode::get(context, scopes[group]));
      add(LLVMContext::MD_noalias, MDNode::get(context, apart[group]));
    }
}

} // namespace

// Source: llvm/lib/Transforms/Utils/LoopVersioning.cpp, which does so to innermost loops alone.
bool versionNest(Loop &nest, const NestConditions &conditions, LoopInfo &loops, DominatorTree &dominators, ScalarEvolution &scev) {
  BasicBlock *check = nest.getLoopPreheader(), *exit = nest.getExitBlock(), *exiting = nest.getExitingBlock();
  if (!check || !exit || !exiting)
    return false;
  Value *areMet = emitConditions(conditions, check->getTerminator(), scev);
  if (!areMet)
    return false;
  BasicBlock *entry = SplitBlock(check, check->getTerminator(), &dominators, &loops, nullptr, nest.getHeader()->getName() + ".jam");
  ValueToValueMapTy copies;
  SmallVector<BasicBlock *> blocks;
  Loop *copy = cloneLoopWithPreheader(entry, check, &nest, copies, ".unjammed", &loops, &dominators, blocks);
  remapInstructionsInBlocks(blocks, copies);
  Instruction *branch = check->getTerminator();
  BranchInst::Create(entry, copy->getLoopPreheader(), areMet, branch->getIterator());
  branch->eraseFromParent();
  dominators.changeImmediateDominator(exit, check);
  for (PHINode &merged : exit->phis()) {
    Value *value = merged.getIncomingValueForBlock(exiting);
    Value *copied = copies.lookup(value);
    merged.addIncoming(copied ? copied : value, cast<BasicBlock>(copies[exiting]));
    scev.forgetLcssaPhiWithNewPredecessor(&nest, &merged);
  }
  formDedicatedExitBlocks(&nest, &dominators, &loops, nullptr, /*PreserveLCSSA=*/true);
  formDedicatedExitBlocks(copy, &dominators, &loops, nullptr, /*PreserveLCSSA=*/true);
  annotate(conditions, entry->getTerminator());
  scev.forgetLoop(&nest);
  scev.forgetBlockAndLoopDispositions();
  return true;
}

} // namespace cc_agent
