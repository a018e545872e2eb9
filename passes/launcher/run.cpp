#include "run.h"

#include "describe.h"
#include "languages.h"
#include "log.h"
#include "process.h"
#include "sources.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace cc_agent {
namespace {

// A single argument of a new program may have at most 128 KiB.
constexpr std::size_t longest_record_argument = 120 * 1024;

class Compilation {
public:
  Compilation(const CommandLine &line, const Installation &installation, const Settings &settings,
              const std::vector<std::string> &original)
      : line(line), installation(installation), settings(settings), original(original) {
    plain = translated_words(line);
    plain.insert(plain.begin(), installation.clang);
  }

  [[noreturn]] void run() {
    std::string obstacle = find_obstacle();
    if (!obstacle.empty())
      run_plain(obstacle);
    reason.clear();
    result = run_with_plugin(false);
    stop_if_asked();
    bool failed = result.exit_code != 0 || result.start_error != 0;
    if (failed && is_our_fault()) {
      std::string why = "clang " + ending() + " with the plugin";
      rewind_input();
      result = run_child(plain, child_options());
      stop_if_asked();
      if (result.exit_code == 0)
        tell_broken_plan(why);
      finish("fallback", why);
    }
    release_output();
    if (failed)
      finish("plain", "clang " + ending() + " before optimization");
    after_success();
  }

private:
  // Whether plain clang might do better than the run that failed.
  bool is_our_fault() const {
    if (result.start_error)
      return false;
    // A plan may also make code that clang then refuses, such as inline assembly that runs out of registers.
    if (result.crashed() || has_event(events, "hit") || has_event(events, "error"))
      return true;
    if (!events.empty())
      return false;
    // Usually a mistake in the source. Compiling nothing shows whether it is rather a plugin that does not load.
    ChildOptions options;
    options.quiet = true;
    std::vector<std::string> command = with_plugin({"-c", "-x", "c", "/dev/null", "-o", "/dev/null"});
    return run_child(command, options).exit_code != 0;
  }

  // The one case in which we add to what clang says: a plan that ended clang is wrong, and its owner should know. Where
  // plain clang fails too it is not the plan's fault.
  void tell_broken_plan(const std::string &why) const {
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (!is_hit(*event))
        continue;
      std::fprintf(stderr,
                   "cc-agent: warning: %s and the plan of %s; clang's own object was made instead. "
                   "To judge the plans again: compiler-agent verify '%s'\n",
                   why.c_str(), event->at("key").c_str(), lock.c_str());
      return;
    }
  }

  static bool is_hit(const Event &event) {
    auto found = event.find("event");
    return found != event.end() && found->second == "hit" && event.count("key");
  }

  [[noreturn]] void run_plain(const std::string &why) {
    if (settings.log.empty() || line.phase != Phase::Compile)
      replace_process(plain);
    result = run_child(plain, child_options());
    stop_if_asked();
    finish("plain", why);
  }

  std::string find_obstacle() {
    if (settings.mode == Mode::Off)
      return "switched off by CC_AGENT_DISABLE or CC_AGENT_MODE";
    if (line.objective == Objective::None)
      return "a later -O option overrides -O-agent";
    if (!line.unsupported.empty())
      return line.unsupported;
    if (!environment("CCC_OVERRIDE_OPTIONS").empty())
      return "CCC_OVERRIDE_OPTIONS changes the command line";
    std::string why = plugin_obstacle(installation);
    if (why.empty())
      why = unrepeatable(line);
    if (!why.empty())
      return why;
    lock = find_lock(first_tunable().path);
    if (lock.empty())
      return "no place for a lock: set CC_AGENT_LOCK, XDG_CACHE_HOME or HOME";
    return keep_input() ? "" : "standard input cannot be kept";
  }

  const Source &first_tunable() const {
    for (const Source &source : line.sources)
      if (is_tunable_language(source.language))
        return source;
    return line.sources.front();
  }

  // A source on standard input is kept in memory: it may have to be compiled twice.
  bool keep_input() {
    for (const Source &source : line.sources) {
      if (source.path != "-" || standard_input >= 0)
        continue;
      standard_input = memory_file("cc-agent-input");
      char buffer[65536];
      ssize_t n_read;
      while ((n_read = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
        if (n_read < 0 && errno == EINTR)
          continue;
        auto size = static_cast<std::size_t>(n_read);
        if (standard_input < 0 || n_read < 0 || write(standard_input, buffer, size) != n_read)
          return false;
      }
      rewind_input();
    }
    return true;
  }

  void rewind_input() {
    if (standard_input >= 0)
      lseek(standard_input, 0, SEEK_SET);
  }

  // What goes to standard output cannot be taken back, so it waits until it is known that no second run is needed.
  void release_output() {
    if (standard_output < 0)
      return;
    std::string text = read_whole(standard_output);
    for (std::size_t written = 0; written < text.size();) {
      ssize_t n = write(STDOUT_FILENO, text.data() + written, text.size() - written);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0) {
        std::fprintf(stderr, "cc-agent: error: cannot write to standard output: %s\n", std::strerror(errno));
        std::exit(1);
      }
      written += static_cast<std::size_t>(n);
    }
  }

  ChildOptions child_options() const {
    ChildOptions options;
    options.standard_input = standard_input;
    return options;
  }

  std::vector<std::string> with_plugin(const std::vector<std::string> &words) const {
    // -gen-reproducer=off: a crash with a plan is not clang's; plain clang compiles again and reports its own. A user's
    // option of that kind comes later and wins. Calls that run no optimizer must not be told that these are unused.
    std::vector<std::string> command{installation.clang, "--start-no-unused-arguments",
                                     "-fpass-plugin=" + installation.plugin, "-gen-reproducer=off",
                                     "--end-no-unused-arguments"};
    command.insert(command.end(), words.begin(), words.end());
    return command;
  }

  // Fills `events` from what the plugin says.
  ChildResult run_with_plugin(bool quiet) {
    int status = memory_file("cc-agent-status");
    ChildOptions options = child_options();
    options.quiet = quiet;
    if (line.output == "-" && !quiet)
      options.standard_output = standard_output = memory_file("cc-agent-output");
    options.environment = {"CC_AGENT_PLUGIN_LOCK=" + lock, "CC_AGENT_PLUGIN_SERVE=",
                           "CC_AGENT_PLUGIN_LIMITS=" + std::to_string(settings.replay_timeout_s) + " " +
                               std::to_string(settings.replay_memory_mib),
                           "CC_AGENT_PLUGIN_STATUS=" + (status >= 0 ? std::to_string(status) : std::string())};
    ChildResult child = run_child(with_plugin({plain.begin() + 1, plain.end()}), options);
    events.clear();
    if (status >= 0) {
      events = read_events(read_whole(status));
      close(status);
    }
    return child;
  }

  [[noreturn]] void after_success() {
    if (has_event(events, "error"))
      reason = "the plugin reports an error, see events";
    bool missed = has_event(events, "miss");
    bool learns = settings.mode == Mode::Record || (settings.mode == Mode::Tune && missed);
    if (learns && is_probe(line))
      reason = "a build system's probe, or standard input: neither searched nor recorded";
    else if (settings.mode == Mode::Record || (learns && line.objective == Objective::Speed))
      record();
    else if (learns)
      tune();
    finish_replay();
  }

  [[noreturn]] void finish_replay() {
    const char *decision = has_event(events, "error") ? "error"
                           : has_event(events, "hit") ? "replayed"
                           : has_event(events, "miss") ? "miss"
                                                       : "plain";
    if (events.empty() && reason.empty())
      reason = "the plugin saw no module";
    finish(decision, reason);
  }

  // The plugin's word on a source; empty when it said nothing.
  Event event_of(const Source &source) const {
    if (line.sources.size() == 1 && events.size() == 1)
      return events.front();
    for (const Event &event : events) {
      auto name = event.find("source");
      if (name != event.end() && name->second == source.path)
        return event;
    }
    return {};
  }

  std::string record_of(const Source &source) const {
    Event event = event_of(source);
    return record_line(line, source, installation, event["key"], original);
  }

  [[noreturn]] void record() {
    bool complete = !settings.record.empty();
    if (complete)
      make_parent_directories(settings.record);
    for (const Source &source : line.sources)
      if (complete && is_tunable_language(source.language))
        complete = append_line(settings.record, record_of(source));
    if (complete)
      finish("recorded", reason);
    finish("error", "cannot write the record " + settings.record + ": " + std::strerror(errno));
  }

  [[noreturn]] void tune() {
    if (!is_rewritable(line.output))
      finish("miss", "the output is not a file that can be written again");
    int n_found = 0;
    for (const Source &source : line.sources) {
      Event event = event_of(source);
      if (!is_tunable_language(source.language) || event["event"] != "miss")
        continue;
      std::string text = record_of(source);
      if (text.size() > longest_record_argument)
        record();
      ChildResult tuner = run_tuner(text);
      stop_if_asked();
      if (tuner.start_error)
        finish("miss", "cannot run the tuner " + installation.python + ": " + std::strerror(tuner.start_error));
      if (tuner.exit_code == 0)
        ++n_found;
      else
        reason = "the tuner ended with status " + std::to_string(tuner.exit_code) +
                 (tuner.exit_code == 1 ? ", nothing better was found" : ", CC_AGENT_VERBOSE=1 shows what it says");
    }
    if (n_found == 0)
      finish("miss", reason);
    compile_again();
  }

  ChildResult run_tuner(const std::string &text) {
    // -P: a random.py beside the user's sources must not become Python's.
    std::vector<std::string> command{installation.python, "-P",     "-m",   "compiler_agent.app.cc", "--lock", lock,
                                     "--objective",       name_of(line.objective), "--record-json", text};
    ChildOptions options;
    options.quiet = !settings.verbose;
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    options.standard_input = nothing;
    ChildResult tuner = run_child(command, options);
    close(nothing);
    return tuner;
  }

  // The diagnostics have been seen already, so this is quiet. A failure may have removed the object: make it again.
  [[noreturn]] void compile_again() {
    std::vector<Event> first_events = events;
    ChildResult again = run_with_plugin(true);
    stop_if_asked();
    if (again.exit_code == 0 && has_event(events, "hit"))
      finish("tuned", reason);
    if (again.exit_code == 0)
      finish_replay();
    events = first_events;
    ChildOptions options = child_options();
    options.quiet = true;
    result = run_child(plain, options);
    stop_if_asked();
    finish("fallback", "clang failed with the plan that the search found");
  }

  std::string ending() const {
    int signal = result.signal ? result.signal : result.exit_code - 128; // As a shell tells it, and clang of itself.
    std::string name = signal > 0 && signal < 32 ? std::string(" (") + strsignal(signal) + ")" : "";
    return result.signal ? "was ended by signal " + std::to_string(result.signal) + name
                         : "exited with status " + std::to_string(result.exit_code) + name;
  }

  void stop_if_asked() {
    if (int signal = pending_signal())
      die_by_signal(signal);
  }

  [[noreturn]] void finish(const char *decision, const std::string &why) {
    if (!settings.log.empty()) {
      LogEntry entry{line, settings, decision, why, lock, events, result.exit_code, started};
      if (!append_line(settings.log, entry.text()) && settings.verbose)
        std::fprintf(stderr, "cc-agent: warning: cannot write the log %s: %s\n", settings.log.c_str(),
                     std::strerror(errno));
    }
    if (result.start_error)
      cannot_start(installation.clang, result.start_error);
    if (result.signal)
      die_by_signal(result.signal);
    std::exit(result.exit_code);
  }

  const CommandLine &line;
  const Installation &installation;
  const Settings &settings;
  const std::vector<std::string> &original;
  std::vector<std::string> plain; // The translated command, without the plugin.
  std::string lock;
  std::string reason;
  std::vector<Event> events;
  ChildResult result; // Of the run whose output the user keeps.
  int standard_input = -1;
  int standard_output = -1; // What clang wrote there, while it may still be dropped.
  StartTime started;
};

} // namespace

void run(const CommandLine &line, const Installation &installation, const Settings &settings,
         const std::vector<std::string> &original) {
  Compilation(line, installation, settings, original).run();
}

} // namespace cc_agent
