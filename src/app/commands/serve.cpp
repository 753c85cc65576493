// SPDX-License-Identifier: Apache-2.0
// The broker as a process: configuration, log, signals.
#include "commands/serve.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <system_error>

#include "commands/exit_code.hpp"
#include "commands/process.hpp"
#include "commands/store_folder.hpp"
#include "config/reader.hpp"
#include "hermod/broker/broker.hpp"
#include "hermod/broker/mailbox.hpp"
#include "hermod/transport/epoll.hpp"
#include "hermod/transport/signals.hpp"
#include "log/spdlog_log.hpp"
#include "protocols.hpp"
#include "version.hpp"

namespace hermod::app {
namespace {

/// Processors that this process may use.
unsigned cores_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

/// One run of `hermod serve`.
class Service {
 public:
  explicit Service(const ServeOptions& options) : options_(options) {}

  int run() {
    if (!configure()) return options_.program.wrong;
    if (options_.test_config) return confirm();
    std::optional<Background> background;
    if (options_.background) {
      auto entered = Background::enter();
      if (!entered) return refuse(entered.error());
      background = std::move(*entered);
    }
    if (auto logging = log_.configure(config_.log); !logging) return refuse(logging.error());
    auto signals = transport::SignalSource::open({SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2});
    if (!signals) return refuse(signals.error());
    auto poller = transport::EpollPoller::open();
    if (!poller) return refuse(poller.error());
    if (!(*poller)->add(**signals, 0)) return refuse("the kernel does not watch signals");

    announce_start();
    if (*config_.store.wanted) {
      if (auto made = make_folder_above(config_.store.folder); !made) return refuse(made.error());
    }
    const auto settings = broker_settings(config_, cores_allowed(), identities_);
    if (!settings) return refuse(settings.error());
    auto broker = broker::Broker::open(*settings, log_);
    if (!broker) return refuse(with_cure(broker.error()));
    std::optional<PidFile> pid_file;
    if (!config_.pid_file.empty()) {
      auto written = PidFile::write(config_.pid_file);
      if (!written) return refuse(written.error());
      pid_file.emplace(std::move(*written));
    }
    if (auto done = leave_root(); !done) return refuse(done.error());
    announce_listeners(*settings, (*broker)->addresses());
    (*broker)->start();
    if (background) background->ready();
    serve_signals(**poller, **signals, **broker);
    (*broker)->stop();
    log_.print(LogLevel::kNotice, "{} terminated", title());
    return kExitOk;
  }

 private:
  /// Reads the configuration; prints what is wrong with it.
  bool configure() {
    if (options_.config_file.empty()) {
      config_ = default_config(kMqttPort, kCoapPort);
    } else {
      const auto names = protocol_names();
      ConfigReading reading = read_config_file(options_.config_file, names);
      if (reading.refused()) {
        for (const Finding& finding : reading.findings) {
          fmt::print(stderr, "{}\n", finding.to_text());
        }
        return false;
      }
      config_ = std::move(reading.config);
      findings_ = std::move(reading.findings);
    }
    if (options_.program.mosquitto) {
      take_ports();
    } else {
      override_ports();
    }
    override_log(config_.log);
    decide_on_store(config_.store);
    auto identities = IdentityFiles::load(config_);
    if (!identities) {
      for (const std::string& error : identities.error()) fmt::print(stderr, "{}\n", error);
      return false;
    }
    identities_ = std::move(*identities);
    return true;
  }

  /// Everything is kept unless somebody says otherwise; as `mosquitto` it is the other way round.
  void decide_on_store(StoreConfig& store) const {
    if (options_.ephemeral) store.wanted = false;
    if (!store.wanted) store.wanted = !options_.program.mosquitto;
    if (store.folder.empty()) store.folder = default_store_folder(is_root());
  }

  /// -v and -q, and where the log goes when nobody says it.
  void override_log(LogConfig& log) const {
    if (options_.verbose) log.show_all(true);
    if (options_.quiet) log.show_all(false);
    if (!options_.background || !log.to_default) return;
    log.to_stderr = false;
    log.to_syslog = true;
  }

  /// What `mosquitto` makes of -p: the ports of this machine when no listener is configured.
  void take_ports() {
    if (!config_.local_only) {
      ports_ignored_ = !options_.ports.empty();
      return;
    }
    const AccessConfig access = config_.listeners.front().access;
    config_.listeners.clear();
    const std::vector<std::uint16_t> standard{kMqttPort};
    for (const std::uint16_t port : options_.ports.empty() ? standard : options_.ports) {
      config_.listeners.push_back({.port = port, .address = "localhost", .access = access});
    }
  }

  /// -p and --coap-port: the ports of the default listeners, when it has none
  /// of its own, else one more listener.
  void override_ports() {
    const auto open = [this](std::string_view protocol, std::optional<std::uint16_t> port) {
      if (!port) return;
      if (!config_.local_only) {
        config_.listeners.push_back({.protocol = std::string(protocol), .port = *port});
        return;
      }
      for (ListenerConfig& listener : config_.listeners) {
        if (listener.protocol == protocol) listener.port = *port;
      }
    };
    open("mqtt", options_.ports.empty() ? std::nullopt : std::optional(options_.ports.front()));
    open("coap", options_.coap_port);
  }

  int refuse(std::string_view text) {
    fmt::print(stderr, "{}\n", options_.program.error_line(text));
    return kExitError;
  }

  /// --test-config, for a configuration that is right.
  int confirm() {
    for (const Finding& finding : findings_) fmt::print(stderr, "{}\n", finding.to_text());
    fmt::print("{}: the configuration is right.\n", options_.config_file);
    return kExitOk;
  }

  /// "hermod version 0.1.0"
  [[nodiscard]] std::string title() const {
    return options_.program.mosquitto ? fmt::format("mosquitto version {}", kMosquittoVersion)
                                      : fmt::format("hermod version {}", kVersion);
  }

  /// The user of the configuration; as `mosquitto` root is left also when it names none.
  [[nodiscard]] std::expected<void, std::string> leave_root() {
    if (!is_root()) return {};
    std::string user = config_.user;
    if (user.empty() && options_.program.mosquitto)
      user = has_user("mosquitto") ? "mosquitto" : "nobody";
    if (user.empty() || user == "root") return {};
    std::vector<std::string> files;
    if (!config_.log.file.empty()) files.push_back(config_.log.file);
    for (const ListenerConfig& listener : config_.listeners) {
      if (!listener.path.empty()) files.push_back(listener.path);
    }
    if (*config_.store.wanted) add_folder(config_.store.folder, files);
    return become_user(user, files);
  }

  /// What to do when a Unix socket cannot be made.
  static std::string_view file_cure(const auto& is) {
    if (is(std::errc::address_in_use)) {
      return ": another program listens on this socket. End it, or choose another path.";
    }
    if (is(std::errc::file_exists)) {
      return ": a file that is no socket is there. Remove it, or choose another path.";
    }
    if (is(std::errc::permission_denied)) {
      return ": this user may not make a file there. Choose a directory of his, or let him write "
             "there.";
    }
    if (is(std::errc::no_such_file_or_directory)) {
      return ": there is no such directory. Make it, or choose another path.";
    }
    return ".";
  }

  /// An error of binding, with what to do about it.
  [[nodiscard]] std::string with_cure(const std::string& error) const {
    const auto is = [&error](std::errc what) {
      return error.ends_with(std::make_error_code(what).message());
    };
    if (error.starts_with("the store ") && error.ends_with("of its own")) {
      return fmt::format(
          "{}: \"persistence_location DIRECTORY\" in the configuration, or keep nothing{}.", error,
          options_.program.mosquitto ? ": \"persistence false\"" : " with --ephemeral");
    }
    if (error.starts_with("cannot join")) {
      return fmt::format(
          "{}. Name an interface behind the group, or open the listener on the "
          "address of one, or for one family by socket_domain.",
          error);
    }
    const bool file = std::ranges::any_of(config_.listeners, [&error](const auto& listener) {
      return !listener.path.empty() &&
             error.starts_with(fmt::format("cannot listen on {}:", listener.path));
    });
    if (file) return fmt::format("{}{}", error, file_cure(is));
    if (is(std::errc::address_in_use)) {
      return fmt::format(
          "{}: another program has this port. Choose another one with -p PORT{}, or with a "
          "listener line in the configuration.",
          error, options_.program.mosquitto ? "" : " or --coap-port PORT");
    }
    if (is(std::errc::permission_denied)) {
      return fmt::format("{}: ports below 1024 are for root. Choose a higher one.", error);
    }
    if (is(std::errc::address_not_available)) {
      return fmt::format("{}: this machine has no such address. Correct the listener line.", error);
    }
    return error;
  }

  void announce_start() {
    log_.print(LogLevel::kNotice, "{} starting", title());
    if (options_.config_file.empty()) {
      log_.print(LogLevel::kNotice, "Using default config.");
    } else {
      log_.print(LogLevel::kNotice, "Config loaded from {}.", options_.config_file);
    }
    for (const Finding& finding : findings_) {
      log_.print(LogLevel::kWarning, "{}", finding.to_text());
    }
    if (ports_ignored_) {
      log_.print(
          LogLevel::kWarning,
          "-p is ignored, since the configuration defines a listener. Change the port there.");
    }
    if (config_.local_only) {
      log_.print(LogLevel::kNotice,
                 "Starting in local only mode. Connections will only be possible "
                 "from clients running on this machine.");
      log_.print(LogLevel::kNotice,
                 "Create a configuration file which defines a listener to allow "
                 "remote access: hermod help config");
    }
    for (const std::string& warning : identities_.warnings()) {
      log_.print(LogLevel::kWarning, "{}", warning);
    }
    announce_closed_listeners();
  }

  /// Listeners that nobody can use, and what to do about it.
  void announce_closed_listeners() {
    const auto is_closed = [this](const ListenerConfig& listener) {
      return !config_.lets_anonymous_in(listener) &&
             config_.access_of(listener).password_file.empty();
    };
    const bool all = std::ranges::all_of(config_.listeners, is_closed);
    if (all) {
      log_.print(LogLevel::kWarning,
                 "No client can connect: allow_anonymous is false, and there is no password_file. "
                 "Make one with \"hermod passwd -c FILE USER\" and put \"password_file FILE\" into "
                 "{}, or \"allow_anonymous true\".",
                 options_.config_file);
    }
    for (const ListenerConfig& listener : config_.listeners) {
      if (!all && is_closed(listener)) {
        log_.print(LogLevel::kWarning,
                   "{}:{}: no client can connect to {}: allow_anonymous is false, and there "
                   "is no password_file for this listener.",
                   listener.place.file, listener.place.line,
                   listener.path.empty() ? fmt::format("port {}", listener.port) : listener.path);
      } else if (!is_closed(listener) && listener.protocol == "coap" &&
                 !config_.lets_anonymous_in(listener)) {
        log_.print(LogLevel::kWarning,
                   "{}:{}: no client can use port {}: CoAP clients have no user names yet, and "
                   "allow_anonymous is false. Allow it for this listener, below "
                   "\"per_listener_settings true\", and bound what it may do by an acl_file.",
                   listener.place.file, listener.place.line, listener.port);
      }
    }
  }

  void announce_store(const broker::Settings& settings) {
    if (!settings.store) {
      log_.print(LogLevel::kNotice,
                 "Nothing is kept on the disk: sessions, queued and retained messages end with "
                 "this process.");
      return;
    }
    const store::StoreSettings& store = *settings.store;
    switch (store.durability) {
      case store::Durability::kSync:
        log_.print(LogLevel::kNotice, "What is acknowledged is kept in {}.", store.folder);
        break;
      case store::Durability::kInterval:
        log_.print(LogLevel::kWarning,
                   "What is acknowledged is kept in {}, but a power cut may lose what came in the "
                   "last {} ms (durability interval).",
                   store.folder, store.interval / std::chrono::milliseconds{1});
        break;
      case store::Durability::kNone:
        log_.print(LogLevel::kWarning,
                   "What is acknowledged is written to {}, but a power cut may lose it (durability "
                   "none).",
                   store.folder);
        break;
    }
  }

  void announce_listeners(const broker::Settings& settings,
                          const std::vector<transport::Address>& addresses) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const broker::ListenerSettings& listener = settings.listeners[i];
      log_.print(LogLevel::kNotice, "Listening on {} ({}).",
                 listener.path.empty() ? addresses[i].to_text() : listener.path,
                 listener.protocol->name());
    }
    announce_store(settings);
    log_.print(LogLevel::kNotice, "{} running with {} thread{}", title(), settings.threads,
               settings.threads == 1 ? "" : "s");
    if (!config_.local_only || options_.program.mosquitto) return;
    const std::uint16_t port = config_.listeners.front().port;
    const std::string host = port == kMqttPort ? "localhost" : fmt::format("localhost:{}", port);
    log_.print(LogLevel::kNotice, "Try it: hermod sub 'mqtt://{}/#' -v", host);
    log_.print(LogLevel::kNotice, "and in another terminal: hermod pub mqtt://{}/hello -m hi",
               host);
  }

  /// Returns when the broker is to end.
  void serve_signals(transport::Poller& poller, transport::SignalSource& signals,
                     broker::Broker& broker) {
    while (true) {
      for (int signal = signals.next(); signal != 0; signal = signals.next()) {
        if (signal == SIGHUP) {
          reload();
          reload_identities(broker);
        } else if (signal == SIGUSR1 || signal == SIGUSR2) {
          log_.print(LogLevel::kNotice,
                     "SIGUSR1 and SIGUSR2 have no effect: there is no store to write, and no list "
                     "of subscriptions to print.");
        } else {
          log_.print(LogLevel::kNotice, "{} terminating", title());
          return;
        }
      }
      static_cast<void>(poller.wait(Duration::max()));
    }
  }

  /// SIGHUP: users and access rules are read again.
  void reload_identities(broker::Broker& broker) {
    if (identities_.empty()) return;
    identities_.reload(log_);
    broker.notice_changes();
    log_.print(LogLevel::kNotice, "The password and ACL files have been read again.");
  }

  /// SIGHUP: the log's settings are taken from the file again, and the log file is opened again.
  void reload() {
    log_.print(LogLevel::kNotice,
               "Reloading the log settings and the password and ACL files; all others need a "
               "restart.");
    LogConfig wanted = config_.log;
    if (!options_.config_file.empty()) {
      const auto names = protocol_names();
      ConfigReading reading = read_config_file(options_.config_file, names);
      if (reading.refused()) {
        for (const Finding& finding : reading.findings) {
          log_.print(LogLevel::kError, "{}", finding.to_text());
        }
        log_.print(LogLevel::kError, "The configuration is wrong: the settings stay as they were.");
        return;
      }
      wanted = reading.config.log;
      override_log(wanted);
    }
    if (auto done = log_.configure(wanted); !done) {
      log_.print(LogLevel::kError, "{} The settings stay as they were.", done.error());
      return;
    }
    config_.log = wanted;
  }

  const ServeOptions& options_;
  Config config_;
  std::vector<Finding> findings_;
  bool ports_ignored_ = false;
  IdentityFiles identities_;
  SpdlogLog log_;
};

}  // namespace

int run_serve(const ServeOptions& options) {
  return Service(options).run();
}

}  // namespace hermod::app
