#include "serve.h"

#include "channel.h"
#include "emitting_child.h"
#include "features.h"
#include "fingerprint.h"
#include "known_codes.h"
#include "limits.h"
#include "object_sizes.h"
#include "plan.h"
#include "request.h"
#include "run_plan.h"
#include "session.h"
#include "snapshots.h"
#include "status.h"
#include "steps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"
#include <chrono>
#include <csignal>
#include <optional>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace llvm;

namespace cc_agent {
namespace {

/// The first server starts each evaluation from the source. A snapshot is a server that starts from where it is in a pipeline.
class Server {
public:
  Server(ServedModule &served, int descriptor, KnownCodes &knownCodes) : served(served), descriptor(descriptor), channel(descriptor), knownCodes(knownCodes) {}

  /// Returns in a child that is to emit its object; ends the process when the client has gone.
  void run() {
    json::Object hello{{"event", "ready"}};
    if (!isSnapshot) {
      std::signal(SIGPIPE, SIG_IGN); // a snapshot may be killed by somebody else
      std::signal(SIGCHLD, SIG_DFL); // ignored, as a parent may leave it, no child's end would be known
      hello["key"] = served.key;
      hello["llvm"] = LLVM_VERSION_STRING;
      hello["target"] = served.module.getTargetTriple().str();
      hello["ir_instructions"] = int64_t(served.module.getInstructionCount());
      addFeatures(hello);
    } else if (report) {
      hello["fingerprint"] = *report->getString("fingerprint");
      hello["ir_instructions"] = *report->getInteger("ir_instructions");
    }
    channel.writeLine(std::move(hello));
    std::string line;
    while (channel.readLine(line)) {
      int sent = channel.takeDescriptor();
      auto request = parseRequest(line);
      bool forks = request && sent >= 0 && (request->isStart || request->isSession);
      if (forks && (request->isStart ? forkSnapshot(*request, sent) : forkSession(request->limits, sent)))
        return;
      if (sent >= 0)
        close(sent);
      if (forks)
        continue;
      if (!request) {
        channel.writeLine(json::Object{{"outcome", "error"}, {"message", toString(request.takeError())}});
        continue;
      }
      if (request->endedSession > 0) {
        Ending ending = endChild(request->endedSession, request->limits);
        channel.writeLine(json::Object{{"outcome", ending.outcome}, {"message", ending.message}});
        continue;
      }
      auto start = std::chrono::steady_clock::now();
      auto reply = evaluate(*request);
      if (!reply) // this is the child
        return;
      (*reply)["wall_time_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      channel.writeLine(std::move(*reply));
    }
    _exit(0);
  }

private:
  ServedModule &served;
  int descriptor;
  Channel channel;
  KnownCodes &knownCodes;
  bool isSnapshot = false;
  std::optional<json::Object> report; ///< of a snapshot's module, where nothing of the pipeline is left to run
  StringMap<ObjectSizes> known;       ///< by the module's fingerprint after the pipeline and the code generation options
  Snapshots snapshots;

  /// The reply, or nothing in the child that goes on to code generation.
  std::optional<json::Object> evaluate(const Request &request) {
    if (!isSnapshot && request.share && !request.fresh && !request.plan.empty()) {
      bool isEmitting = false;
      auto reply = evaluateShared(request, isEmitting);
      if (reply || isEmitting)
        return reply;
    }
    return evaluateHere(request);
  }

  /// Nothing where no snapshot can answer: an ordinary evaluation then names the fault, if there is one.
  std::optional<json::Object> evaluateShared(const Request &request, bool &isEmitting) {
    Steps steps(request, served.standsAtModuleLevel);
    if (steps.count() == 0)
      return std::nullopt;
    auto fork = [this](const Request &start, int socket) { return forkSnapshot(start, socket); };
    Snapshot *snapshot = snapshots.forPlan(steps, request, fork, isEmitting);
    if (!snapshot)
      return std::nullopt;
    if (snapshot->length == steps.count() && !snapshot->fingerprint.empty() && !request.wantsFeatures)
      if (auto seen = known.find(codeKey(request, snapshot->fingerprint)); seen != known.end()) {
        json::Object reply{{"outcome", "ok"}, {"message", ""}, {"fingerprint", snapshot->fingerprint}, {"ir_instructions", snapshot->instructions}};
        addSizes(reply, seen->second, /*isNew=*/false);
        return reply;
      }
    auto reply = snapshots.ask(*snapshot, steps, request);
    if (!reply || !request.wantsObject || reply->getString("outcome") != "ok")
      return reply;
    std::string key = codeKey(request, reply->getString("fingerprint").value_or(""));
    if (!reply->getInteger("text_bytes")) { // it was known
      auto seen = known.find(key);
      if (seen == known.end())
        return std::nullopt;
      addSizes(*reply, seen->second, /*isNew=*/false);
    } else {
      remember(key, sizesOf(*reply));
    }
    return reply;
  }

  std::optional<json::Object> evaluateHere(const Request &request) {
    EmittingChild child;
    if (child.run(request.limits, descriptor, [&](int pipe) { return runInChild(request, pipe); }))
      return std::nullopt;
    return describe(request, child);
  }

  /// Makes a child of the first server, whoever calls it, that runs `start.rest` and then serves on `socket`. True only in
  /// a child of that child which is to emit its object.
  bool forkSnapshot(const Request &start, int socket) {
    int server = isSnapshot ? getppid() : getpid();
    long child = isSnapshot ? syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr) : fork();
    if (child != 0)
      return false;
    confineChild(start.limits, server);
    close(descriptor);
    snapshots.closeAll();
    // Said first: the server must know whom to end and to wait for if what follows fails.
    Channel(socket).writeLine(json::Object{{"event", "started"}, {"process", int64_t(getpid())}});
    if (errorToBool(served.apply("-passes=" + start.rest + start.late).takeError()))
      _exit(0);
    Server snapshot(served, socket, knownCodes);
    snapshot.isSnapshot = true;
    if (start.isComplete) {
      if (errorToBool(verify(served.module)))
        _exit(0);
      snapshot.report = json::Object{{"fingerprint", fingerprint(served.module)}, {"ir_instructions", int64_t(served.module.getInstructionCount())}};
    }
    liftTimeLimit();
    snapshot.run();
    return true;
  }

  /// True only in a child of the session that is to emit its object.
  bool forkSession(const Limits &limits, int socket) {
    int server = getpid();
    if (fork() != 0)
      return false;
    confineChild(limits, server);
    close(descriptor);
    snapshots.closeAll();
    Session(served, socket, server).run();
    return true;
  }

  /// In the child: applies the plan and reports the module. True when an object is still to be emitted.
  bool runInChild(const Request &request, int pipe) {
    auto say = [pipe](json::Object object) { Channel(pipe).writeLine(std::move(object)); };
    if (request.plan.empty()) // clang's own pipeline follows
      return true;
    if (Error error = applyRest(request)) {
      say(json::Object{{"outcome", "rejected"}, {"message", toString(std::move(error))}});
      return false;
    }
    json::Object result;
    if (report && request.rest.empty()) {
      result = *report;
    } else {
      if (Error error = verify(served.module)) {
        say(json::Object{{"outcome", "invalid"}, {"message", toString(std::move(error))}});
        return false;
      }
      result["ir_instructions"] = int64_t(served.module.getInstructionCount());
      if (request.wantsFingerprint)
        result["fingerprint"] = fingerprint(served.module);
    }
    if (request.wantsFeatures)
      addFeatures(result);
    bool emits = request.wantsObject && (request.fresh || !knownCodes.contains(codeKey(request, *result.getString("fingerprint"))));
    say(std::move(result));
    return emits;
  }

  void addFeatures(json::Object &reply) const {
    reply["inst_count"] = json::Array(countInstructions(served.module));
    reply["autophase"] = json::Array(countAutophase(served.module));
  }

  Error applyRest(const Request &request) {
    if (!isSnapshot)
      return served.apply(request.plan).takeError();
    if (!request.rest.empty())
      return served.apply("-passes=" + request.rest + " " + request.late).takeError();
    auto options = parseOptions(request.late);
    return options ? applyOptions(*options) : options.takeError();
  }

  /// Modules that are equal after the pipeline, with equal options, have equal code: no need to emit it again.
  static std::string codeKey(const Request &request, StringRef print) {
    auto plan = parsePlan(request.plan);
    if (!plan) {
      consumeError(plan.takeError());
      return "";
    }
    return (print + plan->optionsText()).str();
  }

  void remember(StringRef key, const ObjectSizes &sizes) {
    known[key] = sizes;
    knownCodes.insert(key);
  }

  static void addSizes(json::Object &reply, const ObjectSizes &sizes, bool isNew) {
    cc_agent::addSizes(reply, sizes);
    reply["emitted"] = isNew;
  }

  static ObjectSizes sizesOf(const json::Object &reply) {
    auto number = [&](StringRef name) { return uint64_t(reply.getInteger(name).value_or(0)); };
    ObjectSizes sizes;
    sizes.textBytes = number("text_bytes");
    sizes.dataBytes = number("data_bytes");
    sizes.unwindBytes = number("unwind_bytes");
    sizes.objectBytes = number("object_bytes");
    sizes.sha256 = reply.getString("object_sha256").value_or("").str();
    return sizes;
  }

  json::Object describe(const Request &request, const EmittingChild &child) {
    json::Object reply;
    if (auto parsed = json::parse(child.said); parsed && parsed->getAsObject())
      reply = std::move(*parsed->getAsObject());
    else if (!parsed)
      consumeError(parsed.takeError());
    if (reply.getString("outcome")) // the child's own verdict: rejected or invalid
      return reply;
    reply["outcome"] = child.ending.outcome;
    reply["message"] = child.message();
    if (child.ending.outcome != "ok" || !request.wantsObject)
      return reply;
    std::string key = reply.getString("fingerprint") ? codeKey(request, *reply.getString("fingerprint")) : "";
    if (!request.fresh && !key.empty() && child.object.withContent([](StringRef bytes) { return bytes.empty(); })) {
      if (auto seen = known.find(key); seen != known.end())
        addSizes(reply, seen->second, /*isNew=*/false);
      return reply; // a snapshot does not know the sizes: the first server adds them
    }
    auto sizes = child.object.withContent([](StringRef bytes) { return measureObject(bytes); });
    if (!sizes)
      return json::Object{{"outcome", "error"}, {"message", "clang's object cannot be read: " + toString(sizes.takeError())}};
    if (!key.empty())
      remember(key, *sizes);
    addSizes(reply, *sizes, /*isNew=*/true);
    return reply;
  }
};

} // namespace

void serveEvaluations(ServedModule &served) {
  KnownCodes knownCodes;
  noteParsedSize();
  Server(served, servingDescriptor(), knownCodes).run();
}

} // namespace cc_agent
