#include "decisions.h"

#include "loop_decisions.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include <map>
#include <optional>
#include <tuple>

using namespace llvm;

namespace cc_agent {
namespace {

Error fault(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

/// What a key may be set to: one of some words, or a number from 1 to `most`.
struct Form {
  Decision::Kind kind;
  StringLiteral key;
  StringLiteral words; ///< separated by '|'; empty: a number
  unsigned most = 0;
};

constexpr Form Forms[] = {
    {Decision::Call, "inline", "always|never"},
    {Decision::Function, "cold", "true"},
    {Decision::Function, "hot", "true"},
    {Decision::Function, "minsize", "true|false"},
    {Decision::Function, "no-jump-tables", "true"},
    {Decision::Function, "noinline", "true"},
    {Decision::Function, "optsize", "true|false"},
    {Decision::Function, "prefer-vector-width", "128|256|512"},
    {Decision::Loop, "distribute", "true|false"},
    {Decision::Loop, "interleave", "", 64},
    {Decision::Loop, "pipeline", "false"},
    {Decision::Loop, "pipeline-initiation-interval", "", 1024},
    {Decision::Loop, "unroll", "full|true|false"},
    {Decision::Loop, "unroll-and-jam", "true|false"},
    {Decision::Loop, "unroll-and-jam-count", "", 1024},
    {Decision::Loop, "unroll-count", "", 1024},
    {Decision::Loop, "vectorize", "true|false"},
    {Decision::Loop, "vectorize-width", "", 64},
};

/// Wishes for one place that exclude each other; without a value, any value of the key. Of loops those that clang refuses, too.
constexpr struct {
  StringLiteral key, value, other;
} Clashes[] = {
    {"cold", "", "hot"},
    {"optsize", "false", "cold"},
    {"pipeline", "", "pipeline-initiation-interval"},
    {"unroll", "", "unroll-count"},
    {"unroll-and-jam", "", "unroll-and-jam-count"},
    {"vectorize", "false", "vectorize-width"},
};

bool accepts(const Form &form, StringRef value) {
  if (!form.words.empty()) {
    SmallVector<StringRef> words;
    form.words.split(words, '|');
    return is_contained(words, value);
  }
  unsigned number = 0;
  return !value.starts_with("0") && !value.getAsInteger(10, number) && number >= 1 && number <= form.most;
}

/// The name behind `%XX` for each character that may not stand in a plan; nothing where that is not how it is written.
std::optional<std::string> decodeName(StringRef text) {
  std::string name;
  for (size_t index = 0; index < text.size(); ++index) {
    unsigned char letter = text[index];
    if (letter == '%') {
      StringRef digits = text.substr(index + 1, 2);
      if (digits.size() != 2 || digits.getAsInteger(16, letter))
        return std::nullopt;
      index += 2;
    } else if (!isAlnum(letter) && letter != '_' && letter != '.' && letter != '$') {
      return std::nullopt;
    }
    name += char(letter);
  }
  return name.empty() ? std::nullopt : std::optional(name);
}

/// The decisions for one place, and that place.
struct Resolved {
  std::vector<const Decision *> decisions;
  Function *function = nullptr;
  CallBase *call = nullptr;
};

Error checkTogether(ArrayRef<const Decision *> decisions) {
  for (const Decision *one : decisions)
    for (const Decision *other : decisions) {
      if (one != other && one->key == other->key)
        return fault("'" + one->text + "' and '" + other->text + "' decide the same");
      for (const auto &clash : Clashes)
        if (one->key == clash.key && (clash.value.empty() || one->value == clash.value) && other->key == clash.other)
          return fault("'" + one->text + "' and '" + other->text + "' exclude each other");
    }
  return Error::success();
}

Error checkCall(const Resolved &place) {
  const Decision &decision = *place.decisions.front();
  const Function *callee = place.call->getCalledFunction();
  bool always = decision.value == "always";
  if (always && callee->isDeclaration())
    return fault("'" + decision.text + "': " + callee->getName() + " is not defined here");
  if (place.call->getAttributes().hasFnAttr(always ? Attribute::NoInline : Attribute::AlwaysInline))
    return fault("'" + decision.text + "': the source says " + (always ? "noinline" : "always_inline") + " of that call");
  return Error::success();
}

Error checkFunction(const Resolved &place) {
  static constexpr struct {
    StringLiteral key;
    Attribute::AttrKind excluded;
  } Exclusions[] = {
      {"cold", Attribute::Hot},        {"hot", Attribute::Cold},       {"minsize", Attribute::OptimizeNone},
      {"noinline", Attribute::AlwaysInline}, {"optsize", Attribute::OptimizeNone},
  };
  for (const Decision *decision : place.decisions)
    for (const auto &exclusion : Exclusions)
      if (decision->is(exclusion.key, "true") && place.function->hasFnAttribute(exclusion.excluded))
        return fault("'" + decision->text + "': the source says " + Attribute::getNameFromAttrKind(exclusion.excluded) + " of " +
                     place.function->getName());
  return Error::success();
}

void decideCall(CallBase &call, StringRef value) { call.addFnAttr(value == "always" ? Attribute::AlwaysInline : Attribute::NoInline); }

void decideFunction(Function &function, const Decision &decision) {
  if (decision.key == "prefer-vector-width" || decision.key == "no-jump-tables") {
    function.addFnAttr(decision.key, decision.value);
    return;
  }
  Attribute::AttrKind kind = Attribute::getAttrKindFromName(decision.key);
  if (decision.value == "false")
    function.removeFnAttr(kind);
  else
    function.addFnAttr(kind);
  if (decision.key == "cold" && !function.hasOptNone()) // this and the next as clang does
    function.addFnAttr(Attribute::OptimizeForSize);
  if (decision.key == "cold" || decision.key == "hot")
    for (User *user : function.users())
      if (auto *call = dyn_cast<CallBase>(user); call && call->getCalledFunction() == &function)
        call->addFnAttr(kind);
}

} // namespace

bool Decision::forcesVectorization() const {
  return kind == Loop && (is("vectorize", "true") || (key == "vectorize-width" && value != "1"));
}

Expected<Decision> parseDecision(StringRef word) {
  Decision decision;
  decision.text = word.str();
  auto [place, wish] = word.rsplit(':');
  SmallVector<StringRef> parts;
  place.split(parts, ':');
  auto [key, value] = wish.split('=');
  if (parts[0] != "call" && parts[0] != "function" && parts[0] != "loop")
    return fault("'" + word + "' in the plan is neither -name=value nor call:…, function:… or loop:…");
  decision.kind = parts[0] == "call" ? Decision::Call : parts[0] == "loop" ? Decision::Loop : Decision::Function;
  decision.key = key.str();
  decision.value = value.str();
  bool hasPosition = decision.kind != Decision::Function;
  if (parts.size() != (hasPosition ? 3 : 2))
    return fault("'" + word + "' is not " + parts[0] + ":FUNCTION:" + (hasPosition ? "POSITION:" : "") + "KEY=VALUE");
  auto name = decodeName(parts[1]);
  if (!name)
    return fault("'" + word + "' names no function: all but letters, digits, '_', '.' and '$' are written as %XX");
  decision.function = *name;
  if (hasPosition && parts[2].getAsInteger(10, decision.position))
    return fault("'" + word + "': '" + parts[2] + "' is no position");
  auto *form = find_if(Forms, [&](const Form &each) { return each.kind == decision.kind && each.key == key; });
  if (form == std::end(Forms))
    return fault("'" + word + "': of a " + parts[0] + " '" + key + "' cannot be decided");
  if (!accepts(*form, value))
    return fault("'" + word + "': " + key + " is " + (form->words.empty() ? "1 to " + Twine(form->most) : Twine(form->words)));
  return decision;
}

std::vector<CallBase *> decidableCalls(Function &function) {
  std::vector<CallBase *> calls;
  for (Instruction &instruction : instructions(function))
    if (auto *call = dyn_cast<CallBase>(&instruction))
      if (Function *callee = call->getCalledFunction(); callee && !callee->isIntrinsic())
        calls.push_back(call);
  return calls;
}

Error applyDecisions(ArrayRef<Decision> decisions, Module &module) {
  std::map<std::tuple<std::string, Decision::Kind, unsigned>, Resolved> places; // by function, kind and position
  for (const Decision &decision : decisions)
    places[{decision.function, decision.kind, decision.position}].decisions.push_back(&decision);
  std::map<Function *, LoopsOf> loops;
  for (auto &[where, place] : places) {
    const auto &[name, kind, position] = where;
    StringRef text = place.decisions.front()->text;
    if (Error error = checkTogether(place.decisions))
      return error;
    place.function = module.getFunction(name);
    if (!place.function || place.function->isDeclaration())
      return fault("'" + text + "': this unit defines no function " + name);
    if (kind == Decision::Function) {
      if (Error error = checkFunction(place))
        return error;
    } else if (kind == Decision::Call) {
      auto calls = decidableCalls(*place.function);
      if (position >= calls.size())
        return fault("'" + text + "': " + name + " has " + Twine(calls.size()) + " direct calls, counted from 0");
      place.call = calls[position];
      if (Error error = checkCall(place))
        return error;
    } else {
      LoopsOf &found = loops.try_emplace(place.function, *place.function).first->second;
      if (position >= found.inPreorder().size())
        return fault("'" + text + "': " + name + " has " + Twine(found.inPreorder().size()) + " loops, counted from 0");
    }
  }
  for (auto &[where, place] : places) {
    const auto &[name, kind, position] = where;
    if (kind == Decision::Loop)
      decideLoop(*loops.at(place.function).inPreorder()[position], place.decisions);
    else if (kind == Decision::Call)
      decideCall(*place.call, place.decisions.front()->value);
    else
      for (const Decision *decision : place.decisions)
        decideFunction(*place.function, *decision);
  }
  return Error::success();
}

} // namespace cc_agent
