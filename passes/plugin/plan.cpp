#include "plan.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cc_agent {
namespace {

// LLVM parses what is nested by recursion, and ends by a stack overflow. Real pipelines are nested five deep.
constexpr unsigned DeepestNesting = 64;

/// Whether the vectorizer may reorder floating-point arithmetic where a loop asks for vectorization.
constexpr const char *KeepOrder = "hints-allow-reordering";

Error fault(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

bool isNestedTooDeeply(StringRef pipeline) {
  unsigned depth = 0;
  for (char letter : pipeline)
    if (letter == '(' && ++depth > DeepestNesting)
      return true;
    else if (letter == ')' && depth > 0)
      --depth;
  return false;
}

} // namespace

std::string Plan::optionsText() const {
  std::string text;
  for (const auto &[name, value] : options)
    text += " -" + name + "=" + value;
  return text;
}

std::string Plan::decisionsText() const {
  std::string text;
  for (const Decision &decision : decisions)
    text += " " + decision.text;
  return text;
}

static Expected<Plan> parseWords(StringRef text) {
  Plan plan;
  SmallVector<StringRef> words;
  text.split(words, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef word : words) {
    if (!word.starts_with("-")) {
      auto decision = parseDecision(word);
      if (!decision)
        return decision.takeError();
      plan.decisions.push_back(std::move(*decision));
      continue;
    }
    auto [name, value] = word.split('=');
    if (!name.consume_front("-") || !word.contains('=') || name.empty())
      return fault("'" + word + "' in the plan is not -name=value");
    if (name == "passes") {
      if (!plan.pipeline.empty())
        return fault("the plan names two pipelines");
      plan.pipeline = value.str();
    } else {
      plan.options.emplace_back(name.str(), value.str());
    }
  }
  return plan;
}

Expected<Plan> parsePlan(StringRef text) {
  auto plan = parseWords(text);
  if (plan && plan->pipeline.empty())
    return fault("the plan has no -passes=PIPELINE");
  if (plan && isNestedTooDeeply(plan->pipeline))
    return fault("the pipeline is nested more than " + Twine(DeepestNesting) + " deep");
  if (plan && any_of(plan->decisions, [](const Decision &decision) { return decision.forcesVectorization(); })) {
    auto named = find_if(plan->options, [](const auto &option) { return option.first == KeepOrder; });
    if (named == plan->options.end())
      plan->options.emplace_back(KeepOrder, "false");
    else if (named->second != "false")
      return fault("-" + named->first + "=" + named->second + " would let decisions change what floating-point arithmetic gives");
  }
  return plan;
}

Expected<Plan> parseOptions(StringRef text) {
  auto plan = parseWords(text);
  if (plan && (!plan->pipeline.empty() || !plan->decisions.empty()))
    return fault("a pipeline or a decision stands where only options may");
  return plan;
}

Error applyOptions(const Plan &plan) {
  auto &registered = cl::getRegisteredOptions();
  for (const auto &[name, value] : plan.options) { // all are looked up before the first is set
    auto found = registered.find(name);
    if (found == registered.end())
      return fault("LLVM has no option -" + name);
    if (found->second->getNumOccurrences() > 0)
      return fault("-" + name + " is already set on the command line");
  }
  for (const auto &[name, value] : plan.options) {
    // addOccurrence() has its own words for stderr; ours travel in the error.
    if (registered.find(name)->second->addOccurrence(0, name, value)) {
      resetOptions(plan);
      return fault("-" + name + " does not take the value '" + value + "'");
    }
  }
  return Error::success();
}

void resetOptions(const Plan &plan) {
  auto &registered = cl::getRegisteredOptions();
  for (const auto &[name, value] : plan.options)
    registered.find(name)->second->reset();
}

std::vector<StringRef> topLevelElements(StringRef pipeline) {
  std::vector<StringRef> elements;
  int depth = 0;
  size_t start = 0;
  for (size_t index = 0; index < pipeline.size(); ++index) {
    char letter = pipeline[index];
    if (letter == '(' || letter == '<')
      ++depth;
    else if (letter == ')' || letter == '>')
      --depth;
    else if (letter == ',' && depth == 0) {
      elements.push_back(pipeline.slice(start, index));
      start = index + 1;
    }
  }
  elements.push_back(pipeline.substr(start));
  return elements;
}

} // namespace cc_agent
