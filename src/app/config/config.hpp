// SPDX-License-Identifier: Apache-2.0
// What a configuration file says, as plain values with their defaults. The reader fills it; `serve`
// hands it to the broker. It knows neither the grammar of the file nor the broker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "config/finding.hpp"
#include "hermod/base/log.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/core/limits.hpp"
#include "hermod/session/protocol.hpp"
#include "hermod/store/store.hpp"

namespace hermod::app {

/// Which versions of the Internet protocol a listener is open for.
enum class SocketDomain : std::uint8_t { kAny, kV4, kV6 };

/// Who may come in and do what, of the broker or, with per_listener_settings, of one listener.
struct AccessConfig {
  std::optional<bool> allow_anonymous;
  std::string password_file;  ///< empty: none
  std::string acl_file;       ///< empty: none
  Place password_place;
  Place acl_place;
};

/// A `coap_multicast` line.
struct CoapGroup {
  std::string group;      ///< literal address; empty: All CoAP Nodes, of each family
  std::string interface;  ///< empty: where the listener is
};

/// One `listener` line and the lines that belong to it.
struct ListenerConfig {
  std::string protocol = "mqtt";
  std::uint16_t port = 0;
  /// Host name or literal address; empty: every interface.
  std::string address;
  std::string path;  ///< of a Unix socket; then there is neither port nor address
  SocketDomain domain = SocketDomain::kAny;
  std::uint32_t connections_max = kUnlimited;
  model::Guarantee guarantee_max = model::Guarantee::kExactlyOnce;
  AccessConfig access;  ///< only with per_listener_settings
  coap::Settings coap;
  std::vector<CoapGroup> coap_groups;
  std::string coap_directive;  ///< one of those that only CoAP has, if there was any
  Place place;                 ///< the line that asked for it; no file when none did

  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();
};

/// Where log lines go and which ones.
struct LogConfig {
  bool to_stderr = true;
  bool to_stdout = false;
  bool to_syslog = false;
  std::string file;         ///< empty: no file
  int local_facility = -1;  ///< of syslog: local0 to local7; -1: daemon
  bool to_default = true;   ///< the configuration does not say where to
  bool debug = false;
  bool information = true;
  bool notice = true;
  bool warning = true;
  bool error = true;
  bool timestamp = true;
  std::string timestamp_format = "%Y-%m-%dT%H:%M:%S";  ///< strftime's; empty: seconds since 1970
  bool connection_messages = true;

  [[nodiscard]] bool shows(LogLevel level) const {
    switch (level) {
      case LogLevel::kDebug:
        return debug;
      case LogLevel::kInfo:
        return information;
      case LogLevel::kNotice:
        return notice;
      case LogLevel::kWarning:
        return warning;
      case LogLevel::kError:
        return error;
    }
    return true;
  }
  void show_all(bool on) { debug = information = notice = warning = error = on; }
};

/// Where what survives a stop lies.
struct StoreConfig {
  std::optional<bool> wanted;  ///< persistence; nothing: as the program does by itself
  std::string folder;          ///< empty: see default_store_folder()
  store::Durability durability = store::Durability::kSync;
  Duration interval = std::chrono::seconds{1};
};

struct Config {
  std::string pid_file;       ///< empty: none
  std::string user;           ///< to run as when started by root; empty: not said
  std::uint32_t threads = 0;  ///< 0: one for each core
  bool per_listener_settings = false;
  AccessConfig access;  ///< without per_listener_settings
  std::uint16_t login_threads = 1;
  std::uint32_t pending_logins_max = 1'000;
  std::uint32_t connections_per_source_max = 0;  ///< 0: no limit
  std::uint16_t sys_interval_s = 10;             ///< 0: nothing on $SYS
  bool local_only = true;  ///< no listener is configured: only this machine is served
  std::vector<ListenerConfig> listeners;
  session::SessionLimits limits;  ///< guarantee_max is each listener's own
  core::Limits keep;              ///< of the whole broker: the shards divide them
  StoreConfig store;
  LogConfig log;

  [[nodiscard]] const AccessConfig& access_of(const ListenerConfig& listener) const {
    return per_listener_settings ? listener.access : access;
  }
  [[nodiscard]] bool lets_anonymous_in(const ListenerConfig& listener) const {
    return access_of(listener).allow_anonymous.value_or(local_only);
  }
};

}  // namespace hermod::app
