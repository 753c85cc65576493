// SPDX-License-Identifier: Apache-2.0
#include "broker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "hermod/base/rng.hpp"
#include "hermod/transport/tcp.hpp"
#include "hermod/transport/udp.hpp"

namespace hermod::durability {
namespace {

constexpr std::uint16_t kPortMin = 10'000;
constexpr std::uint16_t kPorts = 20'000;  // the kernel's own begin at 32,768

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
  return text;
}

// By chance, whatever the run's seed: another run beside this one looks for one too.
std::uint16_t free_port() {
  SystemRng rng;
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(kPortMin + rng.below(kPorts));
    const auto address = *transport::Address::literal("127.0.0.1", port);
    if (transport::listen_tcp(address, {}) && transport::bind_udp(address, {})) return port;
  }
  return 0;
}

std::string ending(int status) {
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                             : fmt::format("exit status {}", WEXITSTATUS(status));
}

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(const char* command, const char* log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  const int nowhere = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(nowhere, 0);
  dup2(out, 1);
  dup2(out, 2);
  execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

BrokerPlan hermod_plan(const std::string& program, unsigned threads, const std::string& options) {
  return {.command = fmt::format("exec '{}' serve -c {{config}} {}", program, options),
          .config = fmt::format("listener {{port}} 127.0.0.1\n"
                                "listener {{port}} 127.0.0.1\n"
                                "protocol coap\n"
                                "allow_anonymous true\n"
                                "threads {}\n"
                                "persistence true\n"
                                "persistence_location {{folder}}/store\n"
                                "max_queued_messages 0\n"
                                "max_queued_bytes 0\n",
                                threads)};
}

std::expected<BrokerProcess, std::string> BrokerProcess::prepare(const BrokerPlan& plan) {
  BrokerProcess out;
  std::error_code error;
  const auto base = std::filesystem::temp_directory_path(error);
  std::string name = (base / "hermod-durability-XXXXXX").string();
  if (error || mkdtemp(name.data()) == nullptr) {
    return std::unexpected(
        fmt::format("cannot make a folder: {}", std::generic_category().message(errno)));
  }
  out.folder_ = name;
  out.port_ = free_port();
  if (out.port_ == 0) return std::unexpected("no port is free");
  const auto fill = [&](std::string text) {
    text = replaced(std::move(text), "{port}", std::to_string(out.port_));
    text = replaced(std::move(text), "{folder}", name);
    return replaced(std::move(text), "{config}", (out.folder_ / "broker.conf").string());
  };
  std::ofstream(out.folder_ / "broker.conf") << fill(plan.config);
  out.command_ = fill(plan.command);
  return out;
}

BrokerProcess::BrokerProcess(BrokerProcess&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      command_(std::move(other.command_)),
      port_(other.port_),
      pid_(std::exchange(other.pid_, 0)),
      keep_(other.keep_) {}

BrokerProcess::~BrokerProcess() {
  kill();
  std::error_code ignored;
  if (!keep_ && !folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::optional<std::string> BrokerProcess::start() {
  const std::string log = (folder_ / "broker.log").string();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(command_.c_str(), log.c_str(), parent);
  if (pid < 0) {
    return fmt::format("cannot start the broker: {}", std::generic_category().message(errno));
  }
  pid_ = pid;
  return std::nullopt;
}

void BrokerProcess::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  waitpid(std::exchange(pid_, 0), &status, 0);
}

std::string BrokerProcess::stop() {
  if (pid_ == 0) return "it does not run";
  ::kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (std::chrono::steady_clock::now() < until) {
    if (const auto how = ended()) return *how == "exit status 0" ? "" : *how;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  kill();
  return "it does not end after SIGTERM";
}

std::optional<std::string> BrokerProcess::ended() {
  int status = 0;
  if (pid_ == 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return ending(status);
}

std::string BrokerProcess::last_words() const {
  constexpr std::size_t kMost = 2'000;
  std::ifstream file(folder_ / "broker.log");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

}  // namespace hermod::durability
