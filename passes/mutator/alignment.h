// A function and its mutant side by side: which instructions both have, and what the others come to.
#pragma once

#include "agreement.h"

#include <set>

namespace cc_agent {

/// A comparison that has to hold: before `at`, or on the edge from its block to `to`.
struct Check {
  llvm::Instruction *at;
  llvm::BasicBlock *to;
  llvm::WeakTrackingVH ours;
  llvm::WeakTrackingVH theirs;
};

/// What `addChecks` does, in its steps.
class Alignment {
public:
  Alignment(Snapshot &snapshot, llvm::Function &mutant)
      : snapshot(snapshot), function(snapshot.function), mutant(mutant), dominators(function) {}

  /// Empty, or why the two are not alike enough.
  std::string run();

private:
  Snapshot &snapshot;
  llvm::Function &function, &mutant;
  llvm::DominatorTree dominators;
  llvm::DenseMap<const llvm::BasicBlock *, llvm::BasicBlock *> blocks;      // the mutant's, ours
  llvm::DenseMap<const llvm::Instruction *, llvm::Instruction *> survivors; // the mutant's, ours
  llvm::SmallPtrSet<const llvm::Instruction *, 32> surviving;               // of ours
  llvm::DenseMap<const llvm::Instruction *, llvm::Instruction *> copies;    // what only the mutant has, and its copy in ours
  llvm::DenseMap<const llvm::Instruction *, llvm::Instruction *> moved;     // stores, the mutant's and ours
  llvm::SmallPtrSet<const llvm::Instruction *, 8> handled;            // of either side: accounted for by a check of its own kind
  std::set<std::pair<llvm::BasicBlock *, llvm::BasicBlock *>> cut;    // edges of ours that the mutant has no more
  llvm::DenseMap<const llvm::Instruction *, llvm::Value *> amounts;         // of copies of shifts, before they were masked
  std::vector<Check> checks;
  std::string problem;
  bool memory = false; // whether it holds no poison

  void fail(const llvm::Twine &why);
  void pair();
  /// A store that comes later: what is read in between has to be the same before it, and it has to be there at the end.
  void compareMoved(llvm::StoreInst &theirs, llvm::StoreInst &ours);
  llvm::Value *mapped(llvm::Value *value);
  /// Where in our function something of the mutant's would be: before the next instruction that both have.
  llvm::Instruction *placeOf(llvm::Instruction &theirs);
  /// What only the mutant has is computed in ours, too, beside what ours has.
  void copyNew();
  /// Whether a load reads bytes only that a load reads which was there in its place.
  bool isCovered(llvm::Instruction &copy);
  static bool containsUndef(llvm::Value &value);
  void require(llvm::Instruction *at, llvm::Value *ours, llvm::Value *theirs, llvm::BasicBlock *to = nullptr);
  void compareBlock(llvm::BasicBlock &block);
  void compareOperands(llvm::Instruction &theirs, llvm::Instruction &ours);
  void comparePhis(llvm::PHINode &theirs, llvm::PHINode &ours);
  void compareEnds(llvm::Instruction &theirs, llvm::Instruction &ours);
  void compareSwitches(llvm::SwitchInst &theirs, llvm::SwitchInst &ours);
  llvm::Value *loaded(llvm::Instruction &before, llvm::Type *type, llvm::Value *pointer, llvm::Align align);
  /// A store that is no more: what it would store has to be there already.
  void dropped(llvm::Instruction &one);
  /// A store that only the mutant has: it repeats one, or it stores less.
  void compareStore(llvm::StoreInst &theirs);
  /// Whether poison on the mutant's side only comes where ours is poison, too.
  bool isSafe(llvm::Value &ours, llvm::Value &theirs);
  void insertChecks();
};

} // namespace cc_agent
