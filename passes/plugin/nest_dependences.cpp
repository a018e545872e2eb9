#include "nest_dependences.h"

#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/MemoryLocation.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace cc_agent {
namespace {

constexpr size_t MostGroups = 16; ///< with more, checks would cost more than they gain

/// Where in an iteration of the outer loop an access is.
enum class Part { Before, Within, After };

/// An address: where it starts, and by how many bytes it grows in each loop.
struct Address {
  const SCEV *start;
  const SCEV *outerStride;
  const SCEV *innerStride;
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
  Nest(Loop &outer, unsigned count, ScalarEvolution &scev, AAResults &aliases, DominatorTree &dominators, StringRef &whyNot)
      : outer(outer), inner(*outer.getSubLoops().front()), count(count), scev(scev), aliases(aliases), dominators(dominators), whyNot(whyNot) {}

  std::optional<NestConditions> conditions() {
    if (!findLoops() || !findGroups())
      return std::nullopt;
    for (const Group &group : groups)
      if (group.isWritten() && !staysInOrder(group)) {
        whyNot = "iterations would write in another order";
        return std::nullopt;
      }
    for (unsigned one = 0; one < groups.size(); ++one)
      for (unsigned other = 0; other < one; ++other)
        if ((groups[one].isWritten() || groups[other].isWritten()) && mayOverlap(groups[one], groups[other]))
          found.disjoint.emplace_back(other, one);
    for (const Group &group : groups)
      found.groups.push_back(described(group));
    if (none_of(groups, [this](const Group &group) { return isShared(group); })) {
      whyNot = "neighbouring iterations have nothing to share";
      return std::nullopt;
    }
    return std::move(found);
  }

private:
  Loop &outer;
  Loop &inner;
  unsigned count;
  ScalarEvolution &scev;
  AAResults &aliases;
  DominatorTree &dominators;
  StringRef &whyNot;
  SmallVector<const SCEV *, 2> backedges; ///< how often the outer and the inner loop go round again
  Type *integer = nullptr; ///< as wide as an address
  std::vector<Group> groups;
  NestConditions found;

  const SCEV *constant(int64_t value) const { return scev.getConstant(integer, uint64_t(value), /*isSigned=*/true); }
  const SCEV *magnitude(const SCEV *value) const {
    return scev.isKnownNonNegative(value) ? value : scev.getSMaxExpr(value, scev.getNegativeSCEV(value));
  }

  bool findLoops() {
    integer = outer.getHeader()->getModule()->getDataLayout().getIntPtrType(outer.getHeader()->getContext());
    for (Loop *loop : {&outer, &inner}) {
      const SCEV *backedge = scev.getBackedgeTakenCount(loop);
      if (isa<SCEVCouldNotCompute>(backedge) || !scev.isLoopInvariant(backedge, &outer)) {
        whyNot = "how often the inner loop runs is not known before the outer one";
        return false;
      }
      backedges.push_back(scev.getTruncateOrZeroExtend(backedge, integer));
    }
    return true;
  }

  Part partOf(const BasicBlock *block) const {
    if (inner.contains(block))
      return Part::Within;
    return dominators.dominates(inner.getLoopLatch(), block) ? Part::After : Part::Before;
  }

  const Loop &loopOf(const BasicBlock *block) const { return inner.contains(block) ? inner : outer; }

  std::optional<Address> addressOf(Value *pointer, const BasicBlock *block) const {
    Address address{scev.getSCEVAtScope(pointer, &loopOf(block)), constant(0), constant(0)};
    while (auto *recurrence = dyn_cast<SCEVAddRecExpr>(address.start)) {
      const Loop *loop = recurrence->getLoop();
      if (loop != &outer && loop != &inner)
        break; // of a loop around the nest
      if (!loop->contains(block)) // over by then: of its addresses the last one alone is known to be accessed
        return std::nullopt;
      const SCEV *stride = recurrence->getStepRecurrence(scev);
      if (!recurrence->isAffine() || !scev.isLoopInvariant(stride, &outer))
        return std::nullopt;
      (loop == &outer ? address.outerStride : address.innerStride) = stride;
      address.start = recurrence->getStart();
    }
    if (!scev.isLoopInvariant(address.start, &outer))
      return std::nullopt;
    return address;
  }

  bool findGroups() {
    for (BasicBlock *block : outer.blocks())
      for (Instruction &instruction : *block) {
        if (!instruction.mayReadOrWriteMemory())
          continue;
        auto *load = dyn_cast<LoadInst>(&instruction);
        auto *store = dyn_cast<StoreInst>(&instruction);
        whyNot = "something that is no plain load or store touches memory";
        if (!(load && load->isSimple()) && !(store && store->isSimple()))
          return false;
        whyNot = "an address does not grow by the same in each iteration";
        if (!add(instruction, partOf(block)))
          return false;
      }
    whyNot = "there are too many different addresses";
    return groups.size() <= MostGroups;
  }

  bool add(Instruction &instruction, Part part) {
    Value *pointer = getLoadStorePointerOperand(&instruction);
    TypeSize size = instruction.getDataLayout().getTypeStoreSize(getLoadStoreType(&instruction));
    auto address = addressOf(pointer, instruction.getParent());
    if (!address || size.isScalable() || pointer->getType()->getPointerAddressSpace() != 0)
      return false;
    if (!isWithinObject(instruction, *address))
      return false;
    for (Group &group : groups) {
      auto *offset = group.address.outerStride == address->outerStride && group.address.innerStride == address->innerStride
                         ? dyn_cast<SCEVConstant>(scev.getMinusSCEV(address->start, group.address.start))
                         : nullptr;
      if (offset && offset->getAPInt().isSignedIntN(32)) {
        group.accesses.push_back({&instruction, part, offset->getAPInt().getSExtValue(), int64_t(size.getFixedValue())});
        return true;
      }
    }
    groups.push_back({*address, {{&instruction, part, 0, int64_t(size.getFixedValue())}}});
    return true;
  }

  /// Whether the addresses of all iterations are in a row, and do not wrap around more than once. Those that are accessed in each iteration
  /// are in one object, and that does not. Of others nothing is known but that small strides and so many iterations do not get that far.
  bool isWithinObject(const Instruction &access, const Address &address) {
    if (dominators.dominates(access.getParent(), loopOf(access.getParent()).getLoopLatch()))
      return true;
    auto isSmall = [](const SCEV *stride) {
      auto *fixed = dyn_cast<SCEVConstant>(stride);
      return fixed && fixed->getAPInt().isSignedIntN(28);
    };
    auto *computed = dyn_cast<GEPOperator>(getLoadStorePointerOperand(&access));
    if (!computed || !computed->hasNoUnsignedSignedWrap() || !isSmall(address.outerStride) || !isSmall(address.innerStride))
      return false;
    return all_of(backedges, [&](const SCEV *times) { return require(times, constant(0)) && require(constant(int64_t(1) << 32), times); });
  }

  /// Whether that the first is not smaller than the second is known, or can be looked up.
  bool require(const SCEV *large, const SCEV *small) {
    if (scev.isKnownPredicate(ICmpInst::ICMP_SGE, large, small))
      return true;
    if (scev.isKnownPredicate(ICmpInst::ICMP_SLT, large, small))
      return false;
    if (std::pair asked(large, small); !is_contained(found.notSmaller, asked))
      found.notSmaller.push_back(asked);
    return true;
  }

  /// Whether a group's own accesses do not come into another order, or only such as touch different bytes.
  bool staysInOrder(const Group &group) {
    if (group.isWhollyIn(Part::Before) || group.isWhollyIn(Part::After))
      return true;
    const SCEV *outerStride = group.address.outerStride, *innerStride = group.address.innerStride;
    int64_t span = group.last() - group.first();
    // Where two iterations of the outer loop meet in one of the inner loop, they keep their order. So in these two cases it is enough that
    // iterations of the inner loop are apart. What has an inner stride is within.
    if (outerStride->isZero()) // the same bytes for each iteration of the outer loop
      return require(magnitude(innerStride), constant(span));
    auto *fixed = dyn_cast<SCEVConstant>(outerStride);
    if (fixed && !isa<SCEVConstant>(innerStride)) { // down the columns
      if (!fixed->getAPInt().isSignedIntN(32))
        return false;
      int64_t reach = std::abs(fixed->getAPInt().getSExtValue()) * int64_t(count - 1) + span;
      return require(magnitude(innerStride), constant(reach));
    }
    // Iterations of the outer loop touch different bytes.
    return require(magnitude(outerStride), scev.getAddExpr(constant(span), scev.getMulExpr(magnitude(innerStride), backedges[1])));
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
    for (auto [stride, backedge] : {std::pair(group.address.outerStride, backedges[0]), std::pair(group.address.innerStride, backedges[1])}) {
      const SCEV *way = scev.getMulExpr(stride, backedge);
      low.push_back(scev.getSMinExpr(way, constant(0)));
      end.push_back(scev.getSMaxExpr(way, constant(0)));
    }
    AccessGroup made;
    for (const Access &access : group.accesses)
      made.members.push_back(access.instruction);
    made.low = scev.getAddExpr(group.address.start, scev.getAddExpr(low));
    made.end = scev.getAddExpr(group.address.start, scev.getAddExpr(end));
    return made;
  }

  /// Whether neighbouring iterations of the outer loop find in a register or a vector what each alone would have to load or store.
  bool isShared(const Group &group) const {
    if (none_of(group.accesses, [](const Access &access) { return access.part == Part::Within; }))
      return false;
    const SCEV *outerStride = group.address.outerStride, *innerStride = group.address.innerStride;
    if (outerStride->isZero())
      return !innerStride->isZero();
    return magnitude(outerStride) == constant(group.accesses.front().size) && !innerStride->isZero() &&
           magnitude(innerStride) != magnitude(outerStride);
  }
};

} // namespace

std::optional<NestConditions> conditionsToJam(Loop &outer, unsigned count, ScalarEvolution &scev, AAResults &aliases,
                                              DominatorTree &dominators, StringRef &whyNot) {
  return Nest(outer, count, scev, aliases, dominators, whyNot).conditions();
}

} // namespace cc_agent
