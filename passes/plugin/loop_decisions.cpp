#include "loop_decisions.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/Metadata.h"

using namespace llvm;

namespace cc_agent {
namespace {

using Properties = std::vector<Metadata *>;

/// One transformation of a loop: what asks for it or forbids it, and what is said of the loop that it leaves.
struct Transformation {
  bool isForced = false;
  Properties wishes;
  Metadata *afterwards = nullptr; ///< a property of the loop that it leaves
  const char *followup = nullptr; ///< under which name that loop's properties stand; empty: they stand beside the wishes; null: nowhere
};

class Writer {
public:
  Writer(LLVMContext &context, ArrayRef<const Decision *> decisions) : context(context), decisions(decisions) {}

  bool decides(StringRef key) const { return !value(key).empty(); }

  /// The transformations in the order in which clang has LLVM make them.
  /// Source: clang/lib/CodeGen/CGLoopInfo.cpp, LoopInfo::createMetadata() and what it calls.
  std::vector<Transformation> transformations() const {
    return {fullUnrolling(), distribution(), vectorization(), unrollAndJam(), unrolling(), pipelining()};
  }

  /// What a loop that already has the properties `common` gets for the transformations that are left.
  Properties write(ArrayRef<Transformation> left, Properties common, bool &hasForced) const {
    if (left.empty())
      return common;
    const Transformation &first = left.front();
    Properties own = common;
    own.insert(own.end(), first.wishes.begin(), first.wishes.end());
    if (!first.isForced)
      return write(left.drop_front(), std::move(own), hasForced);
    hasForced = true;
    auto nCommon = std::ptrdiff_t(common.size());
    if (first.afterwards)
      common.push_back(first.afterwards);
    bool followupHasForced = false;
    Properties followup = write(left.drop_front(), std::move(common), followupHasForced);
    if (!followupHasForced || !first.followup)
      return own;
    if (StringRef(first.followup).empty()) {
      own.insert(own.end(), followup.begin() + nCommon, followup.end());
    } else {
      followup.insert(followup.begin(), MDString::get(context, first.followup));
      own.push_back(MDNode::get(context, followup));
    }
    return own;
  }

private:
  LLVMContext &context;
  ArrayRef<const Decision *> decisions;

  StringRef value(StringRef key) const {
    auto found = find_if(decisions, [&](const Decision *decision) { return decision->key == key; });
    return found == decisions.end() ? StringRef() : StringRef((*found)->value);
  }

  Metadata *property(StringRef name) const { return MDNode::get(context, MDString::get(context, name)); }
  Metadata *property(StringRef name, Constant *constant) const {
    return MDNode::get(context, {MDString::get(context, name), ConstantAsMetadata::get(constant)});
  }
  Metadata *flag(StringRef name, bool isSet) const { return property(name, ConstantInt::getBool(context, isSet)); }
  Metadata *number(StringRef name, StringRef digits) const {
    return property(name, ConstantInt::get(Type::getInt32Ty(context), digits, 10));
  }

  Transformation fullUnrolling() const {
    if (value("unroll") == "full")
      return {true, {property("llvm.loop.unroll.full")}, property("llvm.loop.unroll.disable")};
    if (value("unroll") == "false")
      return {false, {property("llvm.loop.unroll.disable")}};
    return {};
  }

  Transformation distribution() const {
    if (!decides("distribute"))
      return {};
    bool isForced = value("distribute") == "true";
    return {isForced, {flag("llvm.loop.distribute.enable", isForced)}, nullptr, "llvm.loop.distribute.followup_all"};
  }

  Transformation vectorization() const {
    bool isForced = any_of(decisions, [](const Decision *decision) { return decision->forcesVectorization(); });
    Transformation made{true, {}, property("llvm.loop.isvectorized"), isForced ? "llvm.loop.vectorize.followup_all" : ""};
    if (value("vectorize") == "false")
      made.wishes.push_back(number("llvm.loop.vectorize.width", "1"));
    if (decides("vectorize-width")) {
      made.wishes.push_back(number("llvm.loop.vectorize.width", value("vectorize-width")));
      made.wishes.push_back(flag("llvm.loop.vectorize.scalable.enable", false));
    }
    if (decides("interleave"))
      made.wishes.push_back(number("llvm.loop.interleave.count", value("interleave")));
    if (isForced)
      made.wishes.push_back(flag("llvm.loop.vectorize.enable", true));
    return made.wishes.empty() ? Transformation() : made;
  }

  Transformation unrollAndJam() const {
    if (value("unroll-and-jam") == "false")
      return {false, {property("llvm.loop.unroll_and_jam.disable")}};
    Transformation made{true, {}, property("llvm.loop.unroll_and_jam.disable"), "llvm.loop.unroll_and_jam.followup_outer"};
    if (decides("unroll-and-jam-count"))
      made.wishes.push_back(number("llvm.loop.unroll_and_jam.count", value("unroll-and-jam-count")));
    if (decides("unroll-and-jam"))
      made.wishes.push_back(property("llvm.loop.unroll_and_jam.enable"));
    return made.wishes.empty() ? Transformation() : made;
  }

  Transformation unrolling() const {
    Transformation made{true, {}, property("llvm.loop.unroll.disable"), "llvm.loop.unroll.followup_all"};
    if (decides("unroll-count"))
      made.wishes.push_back(number("llvm.loop.unroll.count", value("unroll-count")));
    if (value("unroll") == "true")
      made.wishes.push_back(property("llvm.loop.unroll.enable"));
    return made.wishes.empty() ? Transformation() : made;
  }

  Transformation pipelining() const {
    if (decides("pipeline"))
      return {false, {flag("llvm.loop.pipeline.disable", true)}};
    if (decides("pipeline-initiation-interval"))
      return {true, {number("llvm.loop.pipeline.initiationinterval", value("pipeline-initiation-interval"))}};
    return {};
  }
};

/// What the metadata of each transformation begin with, and the keys that decide on it.
constexpr struct {
  StringLiteral prefix;
  const char *keys[3];
} Families[] = {
    {"llvm.loop.distribute.", {"distribute"}},
    {"llvm.loop.interleave.", {"interleave", "vectorize"}},
    {"llvm.loop.pipeline.", {"pipeline", "pipeline-initiation-interval"}},
    {"llvm.loop.unroll.", {"unroll", "unroll-count"}},
    {"llvm.loop.unroll_and_jam.", {"unroll-and-jam", "unroll-and-jam-count"}},
    {"llvm.loop.vectorize.", {"vectorize", "vectorize-width", "interleave"}},
};

StringRef nameOf(const Metadata *property) {
  auto *node = dyn_cast<MDNode>(property);
  auto *name = node && node->getNumOperands() > 0 ? dyn_cast<MDString>(node->getOperand(0)) : nullptr;
  return name ? name->getString() : "";
}

bool isDecidedAnew(StringRef property, const Writer &writer) {
  return any_of(Families, [&](const auto &family) {
    return property.starts_with(family.prefix) && any_of(family.keys, [&](const char *key) { return key && writer.decides(key); });
  });
}

/// The properties of a loop but for those that are to be left out.
Properties propertiesOf(const Loop &loop, function_ref<bool(StringRef name)> leavesOut) {
  Properties kept;
  if (MDNode *present = loop.getLoopID())
    for (const MDOperand &operand : drop_begin(present->operands()))
      if (!leavesOut(nameOf(operand)))
        kept.push_back(operand);
  return kept;
}

void setProperties(Loop &loop, Properties properties) {
  properties.insert(properties.begin(), nullptr);
  MDNode *identity = MDNode::getDistinct(loop.getHeader()->getContext(), properties);
  identity->replaceOperandWith(0, identity);
  loop.setLoopID(identity);
}

} // namespace

void decideLoop(Loop &loop, ArrayRef<const Decision *> decisions) {
  Writer writer(loop.getHeader()->getContext(), decisions);
  bool hasForced = false;
  setProperties(loop, writer.write(writer.transformations(), propertiesOf(loop, [&](StringRef name) { return isDecidedAnew(name, writer); }), hasForced));
  if (writer.decides("unroll-and-jam") || writer.decides("unroll-and-jam-count"))
    for (Loop *inner : loop) // clang forgets this of them, and what a decision makes is what its pragma makes
      if (inner->getLoopID())
        setProperties(*inner, propertiesOf(*inner, [](StringRef name) { return name == "llvm.loop.mustprogress"; }));
}

} // namespace cc_agent
