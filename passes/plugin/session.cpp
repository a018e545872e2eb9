#include "session.h"

#include "emitting_child.h"
#include "features.h"
#include "fingerprint.h"
#include "object_sizes.h"
#include "plan.h"
#include "request.h"
#include "run_plan.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <sys/syscall.h>

using namespace llvm;

namespace cc_agent {
namespace {

constexpr off_t MostComplaints = 1 << 16;

json::Object fault(StringRef outcome, Error error) {
  return json::Object{{"outcome", outcome}, {"message", json::fixUTF8(toString(std::move(error)))}};
}

/// What passes warn of over many thousand steps is not to fill memory: clang's standard error is a file in memory.
void forgetComplaints() {
  if (lseek(STDERR_FILENO, 0, SEEK_CUR) > MostComplaints && ftruncate(STDERR_FILENO, 0) == 0)
    lseek(STDERR_FILENO, 0, SEEK_SET);
}

} // namespace

void Session::run() {
  consumeError(served.apply("-passes=no-op-module").takeError()); // from here on clang's own pipeline does not run
  greet();
  std::string line;
  while (channel.readLine(line)) {
    int sent = channel.takeDescriptor();
    auto parsed = json::parse(line);
    bool isObject = parsed && parsed->getAsObject();
    bool forks = isObject && parsed->getAsObject()->getBoolean("fork").value_or(false);
    if (sent >= 0 && !forks)
      close(sent);
    if (!isObject) {
      channel.writeLine(fault("error", parsed ? createStringError(inconvertibleErrorCode(), "a request is an object") : parsed.takeError()));
      continue;
    }
    const json::Object &asked = *parsed->getAsObject();
    Limits limits = limitsOf(asked);
    if (forks) {
      if (sent >= 0)
        forkTo(limits, sent);
      continue;
    }
    limitFromHere({limits.timeoutSeconds, 0});
    if (!asked.getBoolean("emit").value_or(false)) {
      forgetComplaints();
      json::Object reply = step(asked);
      std::string printed = print(asked.getString("print").value_or(""));
      if (!printed.empty())
        reply["printed_bytes"] = int64_t(printed.size());
      channel.writeLine(std::move(reply));
      channel.writeText(printed);
    } else if (emit(asked, limits)) {
      return;
    }
  }
  _exit(0);
}

void Session::greet() { channel.writeLine(json::Object{{"event", "started"}, {"process", int64_t(getpid())}}); }

void Session::forkTo(const Limits &limits, int socket) {
  long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr); // the server waits for it
  close(child == 0 ? descriptor : socket);
  if (child != 0)
    return;
  confineChild(limits, server);
  descriptor = socket;
  channel = Channel(socket);
  greet();
}

json::Object Session::step(const json::Object &asked) {
  json::Object reply = applyAll(asked);
  if (reply.getString("outcome") != "ok")
    return reply;
  if (const json::Array *names = asked.getArray("observe"))
    for (const json::Value &name : *names) {
      auto seen = observe(name.getAsString().value_or(""));
      if (!seen)
        return fault("error", seen.takeError());
      reply[*name.getAsString()] = std::move(*seen);
    }
  return reply;
}

json::Object Session::applyAll(const json::Object &asked) {
  bool changed = false;
  int64_t applied = 0;
  if (const json::Array *plans = asked.getArray("plans"))
    for (const json::Value &plan : *plans) {
      auto result = served.apply(plan.getAsString().value_or(""));
      if (!result) {
        json::Object reply = fault("rejected", result.takeError());
        reply["applied"] = applied;
        return reply;
      }
      ++applied;
      if (*result) {
        changed = true;
        known.clear();
      }
    }
  if (changed && asked.getBoolean("verify").value_or(false))
    if (Error error = verify(served.module))
      return fault("invalid", std::move(error));
  return json::Object{{"outcome", "ok"}, {"applied", applied}, {"changed", changed}};
}

Expected<json::Value> Session::observe(StringRef name) {
  if (const json::Value *value = known.get(name))
    return *value;
  json::Value value = nullptr;
  if (name == "ir_instructions")
    value = int64_t(served.module.getInstructionCount());
  else if (name == "inst_count")
    value = json::Array(countInstructions(served.module));
  else if (name == "autophase") {
    Autophase counts = countAutophase(served.module);
    known["ir_instructions"] = instructionsOf(counts); // asked for with each step, and another walk over the module
    value = json::Array(counts);
  } else if (name == "fingerprint")
    value = fingerprint(served.module);
  else
    return createStringError(inconvertibleErrorCode(), "there is no observation '" + name + "'");
  known[name] = value;
  return value;
}

std::string Session::print(StringRef form) const {
  std::string text;
  raw_string_ostream stream(text);
  if (form == "ir")
    served.module.print(stream, nullptr);
  else if (form == "bitcode")
    WriteBitcodeToFile(served.module, stream);
  return text;
}

bool Session::emit(const json::Object &asked, const Limits &limits) {
  EmittingChild child;
  auto work = [&](int pipe) {
    Error error = verify(served.module);
    StringRef outcome = error ? "invalid" : "rejected";
    if (!error) {
      auto late = parseOptions(asked.getString("late").value_or(""));
      error = late ? applyOptions(*late) : late.takeError();
    }
    if (!error)
      return true;
    Channel(pipe).writeLine(fault(outcome, std::move(error)));
    return false;
  };
  if (child.run(limits, descriptor, work))
    return true;
  json::Object reply{{"outcome", child.ending.outcome}, {"message", child.message()}};
  if (auto verdict = json::parse(child.said); verdict && verdict->getAsObject()) {
    reply = std::move(*verdict->getAsObject());
  } else {
    consumeError(verdict.takeError());
    if (child.ending.outcome == "ok") {
      auto sizes = child.object.withContent([](StringRef bytes) { return measureObject(bytes); });
      if (sizes)
        addSizes(reply, *sizes);
      else
        reply = fault("error", sizes.takeError());
    }
  }
  channel.writeLine(std::move(reply));
  return false;
}

} // namespace cc_agent
