#include "nest_dependences.h"

#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/MemoryLocation.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace cc_agent {
namespace {

constexpr size_t MostGroups = 16; ///< with more, checks would cost more than they gain

/// Where in an iteration of the outer loop an access is.
enum class Part { Before, Within, After };

/// An address as a start and a stride in bytes for each loop of the nest, the outer one first.
struct Address {
  const SCEV *start;
  SmallVector<const SCEV *, 4> strides;
};

struct Access {
  Instruction *instruction;
  Part part;
  int64_t offset; ///< in bytes, from the start of its group
  int64_t size;
};

struct Group {
  Address address;
  std::vector<Access> accesses;

  bool isWritten() const {
    return any_of(accesses, [](const Access &access) { return isa<StoreInst>(access.instruction); });
  }
  bool isWhollyIn(Part part) const {
    return all_of(accesses, [&](const Access &access) { return access.part == part; });
  }
  int64_t first() const {
    int64_t least = accesses.front().offset;
    for (const Access &access : accesses)
      least = std::min(least, access.offset);
    return least;
  }
  int64_t last() const {
    int64_t most = accesses.front().offset + accesses.front().size;
    for (const Access &access : accesses)
      most = std::max(most, access.offset + access.size);
    return most;
  }
};

class Nest {
public:
  Nest(Loop &outer, unsigned count, ScalarEvolution &scev, AAResults &aliases, DominatorTree &dominators)
      : outer(outer), count(count), scev(scev), aliases(aliases), dominators(dominators) {}

  std::optional<NestConditions> conditions() {
    if (!findLoops() || !findGroups())
      return std::nullopt;
    for (const Group &group : groups)
      if (group.isWritten() && !staysInOrder(group))
        return std::nullopt;
    for (unsigned one = 0; one < groups.size(); ++one)
      for (unsigned other = 0; other < one; ++other)
        if ((groups[one].isWritten() || groups[other].isWritten()) && mayOverlap(groups[one], groups[other]))
          found.disjoint.emplace_back(other, one);
    for (const Group &group : groups)
      found.groups.push_back(described(group));
    found.isProfitable = any_of(groups, [this](const Group &group) { return isShared(group); });
    return std::move(found);
  }

private:
  Loop &outer;
  unsigned count;
  ScalarEvolution &scev;
  AAResults &aliases;
  DominatorTree &dominators;
  SmallVector<Loop *, 4> loops; ///< the outer one first
  SmallVector<const SCEV *, 4> backedges; ///< how often each loop goes round again
  Type *integer = nullptr; ///< as wide as an address
  std::vector<Group> groups;
  NestConditions found;

  const SCEV *constant(int64_t value) const { return scev.getConstant(integer, uint64_t(value), /*isSigned=*/true); }
  const SCEV *magnitude(const SCEV *value) const {
    return scev.isKnownNonNegative(value) ? value : scev.getSMaxExpr(value, scev.getNegativeSCEV(value));
  }

  bool findLoops() {
    integer = outer.getHeader()->getModule()->getDataLayout().getIntPtrType(outer.getHeader()->getContext());
    for (Loop *loop = &outer;; loop = loop->getSubLoops().front()) {
      const SCEV *backedge = scev.getBackedgeTakenCount(loop);
      if (isa<SCEVCouldNotCompute>(backedge) || !scev.isLoopInvariant(backedge, &outer))
        return false;
      loops.push_back(loop);
      backedges.push_back(scev.getTruncateOrZeroExtend(backedge, integer));
      if (loop->getSubLoops().size() != 1)
        return loop->isInnermost() && loops.size() > 1;
    }
  }

  Part partOf(const BasicBlock *block) const {
    if (loops[1]->contains(block))
      return Part::Within;
    return dominators.dominates(loops[1]->getLoopLatch(), block) ? Part::After : Part::Before;
  }

  std::optional<Address> addressOf(Value *pointer) const {
    Address address{scev.getSCEV(pointer), SmallVector<const SCEV *, 4>(loops.size(), constant(0))};
    while (auto *recurrence = dyn_cast<SCEVAddRecExpr>(address.start)) {
      auto loop = find(loops, recurrence->getLoop());
      if (loop == loops.end())
        break; // of a loop around the nest
      const SCEV *stride = recurrence->getStepRecurrence(scev);
      if (!recurrence->isAffine() || !scev.isLoopInvariant(stride, &outer))
        return std::nullopt;
      address.strides[loop - loops.begin()] = stride;
      address.start = recurrence->getStart();
    }
    if (!scev.isLoopInvariant(address.start, &outer))
      return std::nullopt;
    return address;
  }

  bool findGroups() {
    for (BasicBlock *block : outer.blocks())
      for (Instruction &instruction : *block) {
        if (!instruction.mayReadOrWriteMemory() || isa<AssumeInst, NoAliasScopeDeclInst, DbgInfoIntrinsic>(instruction))
          continue;
        auto *load = dyn_cast<LoadInst>(&instruction);
        auto *store = dyn_cast<StoreInst>(&instruction);
        if (!(load && load->isSimple()) && !(store && store->isSimple()))
          return false;
        if (!add(instruction, partOf(block)))
          return false;
      }
    return groups.size() <= MostGroups;
  }

  bool add(Instruction &instruction, Part part) {
    Value *pointer = getLoadStorePointerOperand(&instruction);
    TypeSize size = instruction.getDataLayout().getTypeStoreSize(getLoadStoreType(&instruction));
    auto address = addressOf(pointer);
    if (!address || size.isScalable() || pointer->getType()->getPointerAddressSpace() != 0)
      return false;
    if (!isWithinObject(instruction, *address))
      return false;
    for (Group &group : groups) {
      auto *offset = group.address.strides == address->strides
                         ? dyn_cast<SCEVConstant>(scev.getMinusSCEV(address->start, group.address.start))
                         : nullptr;
      if (offset && offset->getAPInt().isSignedIntN(32)) {
        group.accesses.push_back({&instruction, part, offset->getAPInt().getSExtValue(), int64_t(size.getFixedValue())});
        return true;
      }
    }
    groups.push_back({std::move(*address), {{&instruction, part, 0, int64_t(size.getFixedValue())}}});
    return true;
  }

  /// Whether the addresses of all iterations are in a row, and do not wrap around. Those that are accessed in each iteration are in one
  /// object, and that does not. Of others nothing is known but that nobody waits for so many iterations of small strides.
  bool isWithinObject(const Instruction &access, const Address &address) const {
    const BasicBlock *block = access.getParent();
    auto containing = find_if(reverse(loops), [&](const Loop *loop) { return loop->contains(block); });
    if (dominators.dominates(block, (*containing)->getLoopLatch()))
      return true;
    auto *computed = dyn_cast<GEPOperator>(getLoadStorePointerOperand(&access));
    return computed && computed->hasNoUnsignedSignedWrap() && all_of(address.strides, [](const SCEV *stride) {
             auto *fixed = dyn_cast<SCEVConstant>(stride);
             return fixed && fixed->getAPInt().isSignedIntN(32);
           });
  }

  /// Whether that the first is not smaller than the second is known, or can be looked up.
  bool require(const SCEV *large, const SCEV *small) {
    if (scev.isKnownPredicate(ICmpInst::ICMP_SGE, large, small))
      return true;
    if (scev.isKnownPredicate(ICmpInst::ICMP_SLT, large, small))
      return false;
    found.notSmaller.emplace_back(large, small);
    return true;
  }

  /// Whether a group's own accesses do not come into another order, or only such as touch different bytes.
  bool staysInOrder(const Group &group) {
    if (group.isWhollyIn(Part::Before) || group.isWhollyIn(Part::After))
      return true;
    const SCEV *stride = group.address.strides.front();
    int64_t span = group.last() - group.first();
    bool isTwoDeep = loops.size() == 2;
    // Where two iterations of the outer loop meet in one of the inner loop, they keep their order. So in these two cases it is enough that
    // iterations of the inner loop are apart.
    if (stride->isZero()) { // the same bytes for each iteration of the outer loop
      if (!isTwoDeep || !group.isWhollyIn(Part::Within))
        return false;
      return require(magnitude(group.address.strides[1]), constant(span));
    }
    auto *fixed = dyn_cast<SCEVConstant>(stride);
    if (fixed && isTwoDeep && !isa<SCEVConstant>(group.address.strides[1])) { // down the columns
      if (!group.isWhollyIn(Part::Within) || !fixed->getAPInt().isSignedIntN(32))
        return false;
      int64_t reach = std::abs(fixed->getAPInt().getSExtValue()) * int64_t(count - 1) + span;
      return require(magnitude(group.address.strides[1]), constant(reach));
    }
    // Iterations of the outer loop touch different bytes.
    SmallVector<const SCEV *> extent{constant(span)};
    for (size_t depth = 1; depth < loops.size(); ++depth)
      extent.push_back(scev.getMulExpr(magnitude(group.address.strides[depth]), backedges[depth]));
    return require(magnitude(stride), scev.getAddExpr(extent));
  }

  /// Whether two groups may touch the same bytes in some iterations, as far as types and origins of pointers say, and it matters.
  bool mayOverlap(const Group &one, const Group &other) {
    for (Part part : {Part::Before, Part::After}) // these keep their order among themselves
      if (one.isWhollyIn(part) && other.isWhollyIn(part))
        return false;
    auto location = [](const Access &access) {
      AAMDNodes tags = access.instruction->getAAMetadata();
      tags.Scope = tags.NoAlias = nullptr; // they may be true of one iteration alone
      return MemoryLocation::getBeforeOrAfter(getUnderlyingObject(getLoadStorePointerOperand(access.instruction)), tags);
    };
    return any_of(one.accesses, [&](const Access &access) {
      return any_of(other.accesses, [&](const Access &second) { return !aliases.isNoAlias(location(access), location(second)); });
    });
  }

  AccessGroup described(const Group &group) {
    SmallVector<const SCEV *> low{constant(group.first())}, end{constant(group.last())};
    for (size_t depth = 0; depth < loops.size(); ++depth) {
      const SCEV *way = scev.getMulExpr(group.address.strides[depth], backedges[depth]);
      low.push_back(scev.getSMinExpr(way, constant(0)));
      end.push_back(scev.getSMaxExpr(way, constant(0)));
    }
    AccessGroup made;
    for (const Access &access : group.accesses)
      made.members.push_back(access.instruction);
    made.isWritten = group.isWritten();
    made.low = scev.getAddExpr(group.address.start, scev.getAddExpr(low));
    made.end = scev.getAddExpr(group.address.start, scev.getAddExpr(end));
    return made;
  }

  /// Whether neighbouring iterations of the outer loop find in a register or a vector what each alone would have to load or store.
  bool isShared(const Group &group) const {
    if (none_of(group.accesses, [](const Access &access) { return access.part == Part::Within; }))
      return false;
    auto isVarying = [](const SCEV *stride) { return !stride->isZero(); };
    const SCEV *stride = group.address.strides.front();
    if (stride->isZero())
      return any_of(drop_begin(group.address.strides), isVarying);
    return magnitude(stride) == constant(group.accesses.front().size) && magnitude(group.address.strides.back()) != magnitude(stride) &&
           isVarying(group.address.strides.back());
  }
};

} // namespace

std::optional<NestConditions> conditionsToJam(Loop &outer, unsigned count, ScalarEvolution &scev, AAResults &aliases,
                                              DominatorTree &dominators) {
  return Nest(outer, count, scev, aliases, dominators).conditions();
}

} // namespace cc_agent
