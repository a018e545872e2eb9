// Where things are: clang, the plugin, Python, the lock, the user's cache.
#pragma once

#include <string>

namespace cc_agent {

// An environment variable's value; empty when unset.
std::string environment(const char *name);

struct Installation {
  std::string clang;  // clang or clang++, whichever this program stands for.
  std::string plugin; // ../lib/cc-agent.so from this program's own real path.
  std::string python; // Runs the tuner.
  bool cxx = false;   // Called as cc-agent++.
};

// `program`: the name that this program was called by.
Installation find_installation(const char *program);

// Why the plugin cannot be loaded by that clang; empty when it can, as far as looking at files tells.
std::string plugin_obstacle(const Installation &installation);

// <cache>/cc-agent, the directory of this user's files; empty when neither XDG_CACHE_HOME nor HOME says where.
std::string user_cache();

// The lock for a source: CC_AGENT_LOCK, else the nearest cc-agent.lock in the source's directory or one above it, else
// the one in the user's cache. The file need not exist. Empty: there is no place for one.
std::string find_lock(const std::string &source);

std::string current_directory();
std::string absolute_path(const std::string &path); // Not normalized.

// Creates the directory that `path` is in, and those above it. Whether it worked shows when the file is opened.
void make_parent_directories(const std::string &path);

} // namespace cc_agent
