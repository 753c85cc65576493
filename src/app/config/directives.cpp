// SPDX-License-Identifier: Apache-2.0
// The table of the directives that work, and finding rows in both tables.
#include "config/directives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

#include "config/queue_directives.hpp"
#include "hermod/base/utf8.hpp"
#include "hermod/broker/mailbox.hpp"
#include "hermod/transport/unix.hpp"
#include "text/suggest.hpp"

namespace hermod::app {
namespace {

constexpr std::int64_t kU16Max = std::numeric_limits<std::uint16_t>::max();
constexpr std::int64_t kU32Max = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kI64Max = std::numeric_limits<std::int64_t>::max();
constexpr Range kPorts{1, kU16Max};

/// Puts the value into a member of the configuration: set<&Config::log, &LogConfig::debug>.
template <auto... Path>
std::string set(Draft& draft, const Value& value) {
  auto& field = (draft.config.*....*Path);
  using Field = std::remove_reference_t<decltype(field)>;
  if constexpr (std::is_same_v<Field, bool> || std::is_same_v<Field, std::optional<bool>>) {
    field = value.truth;
  } else if constexpr (std::is_same_v<Field, std::string>) {
    field = value.text;
  } else {
    field = static_cast<Field>(value.number);
  }
  return {};
}

/// The same for a number whose 0 means that there is no limit.
template <auto... Path>
std::string set_limit(Draft& draft, const Value& value) {
  auto& field = (draft.config.*....*Path);
  using Field = std::remove_reference_t<decltype(field)>;
  field = value.number == 0 ? std::numeric_limits<Field>::max() : static_cast<Field>(value.number);
  return {};
}

/// The first word of `text`; the rest, without blanks around it, stays in `text`.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of(" \t", end), text.size()));
  return word;
}

std::string apply_listener(Draft& draft, const Value& value) {
  std::string_view rest = value.text;
  const std::string_view port_text = take_word(rest);
  const std::string_view trailing = rest;  // a path may have blanks
  const std::string_view address = take_word(rest);
  std::int64_t port = 0;
  if (!read_number(port_text, port) || port < 0 || port > kU16Max) {
    return fmt::format("\"listener\" has the port \"{}\", but must have {}.", port_text,
                       describe(ValueKind::kInteger, kPorts));
  }
  if (port == 0) {
    const std::string path(trailing);
    const std::string fault = transport::unix_path_fault(path);
    if (!fault.empty()) {
      return fmt::format(
          "\"listener 0\" opens a Unix socket, but \"{}\" cannot be its path: {}. The form is: "
          "listener 0 /run/hermod.sock",
          path, fault);
    }
    draft.config.listeners.push_back(ListenerConfig{.path = path});
    return {};
  }
  if (!rest.empty()) {
    return fmt::format(
        "\"listener\" has \"{}\" after the address. The form is: listener PORT "
        "[ADDRESS]",
        rest);
  }
  if (address.starts_with('/')) {
    return fmt::format(
        "\"listener\" has the path \"{}\" beside the port {}. A Unix socket has port 0: listener 0 "
        "{}",
        address, port, address);
  }
  draft.config.listeners.push_back(
      ListenerConfig{.port = static_cast<std::uint16_t>(port), .address = std::string(address)});
  return {};
}

std::string apply_protocol(Draft& draft, const Value& value) {
  if (std::ranges::find(draft.protocols, value.text) == draft.protocols.end()) {
    return fmt::format("\"protocol\" is \"{}\", but must be one of {}.{}", value.text,
                       join(draft.protocols), did_you_mean(value.text, draft.protocols));
  }
  draft.listener().protocol = value.text;
  return {};
}

std::string apply_socket_domain(Draft& draft, const Value& value) {
  if (value.text != "ipv4" && value.text != "ipv6") {
    return fmt::format("\"socket_domain\" is \"{}\", but must be ipv4 or ipv6.", value.text);
  }
  draft.listener().domain = value.text == "ipv4" ? SocketDomain::kV4 : SocketDomain::kV6;
  return {};
}

/// Puts a number into the settings of a CoAP listener.
template <auto Field>
std::string set_coap(Draft& draft, const Value& value) {
  auto& field = draft.listener().coap.*Field;
  field = static_cast<std::remove_reference_t<decltype(field)>>(value.number);
  draft.listener().coap_directive = draft.directive;
  return {};
}

std::string apply_coap_random_factor(Draft& draft, const Value& value) {
  double factor = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [at, error] = std::from_chars(value.text.data(), end, factor);
  if (error != std::errc{} || at != end || !(factor >= 1.0 && factor <= 10.0)) {
    return fmt::format(
        "\"coap_ack_random_factor\" is \"{}\", but must be a number from 1.0 to 10.0.", value.text);
  }
  draft.listener().coap.transmission.ack_random_factor = factor;
  draft.listener().coap_directive = draft.directive;
  return {};
}

std::string apply_coap_alias(Draft& draft, const Value& value) {
  coap::Aliases& aliases = draft.listener().coap.aliases;
  if (value.text != "emqx" && value.text != "ponte") {
    return fmt::format("\"coap_alias\" is \"{}\", but must be emqx or ponte.", value.text);
  }
  (value.text == "emqx" ? aliases.emqx : aliases.ponte) = true;
  draft.listener().coap_directive = draft.directive;
  return {};
}

std::string apply_coap_block_size(Draft& draft, const Value& value) {
  if (!std::has_single_bit(static_cast<std::uint64_t>(value.number))) {
    return fmt::format("\"coap_block_size\" is {}, but must be 16, 32, 64, 128, 256, 512 or 1024.",
                       value.number);
  }
  return set_coap<&coap::Settings::block_bytes_max>(draft, value);
}

std::string apply_coap_multicast(Draft& draft, const Value& value) {
  std::string_view rest = value.text;
  const std::string group{take_word(rest)};
  std::vector<CoapGroup>& groups = draft.listener().coap_groups;
  if (group != "all") {
    const auto address = transport::Address::literal(group, 0);
    if (!address || !address->is_multicast()) {
      return fmt::format(
          "\"coap_multicast\" is \"{}\", but must be all, which is 224.0.1.187, ff02::fd and "
          "ff05::fd, or another multicast address, and the name of an interface if you like.",
          value.text);
    }
  }
  groups.push_back(
      {.group = group == "all" ? std::string() : group, .interface = std::string(rest)});
  draft.listener().coap_directive = draft.directive;
  return {};
}

std::string apply_log_dest(Draft& draft, const Value& value) {
  std::string_view rest = value.text;
  const std::string_view where = take_word(rest);
  constexpr std::array kWhere{std::string_view("stderr"), std::string_view("stdout"),
                              std::string_view("file"), std::string_view("syslog"),
                              std::string_view("none")};
  constexpr std::array kLater{std::string_view("topic"), std::string_view("dlt"),
                              std::string_view("android")};
  LogConfig& log = draft.config.log;
  if (std::ranges::find(kLater, where) != kLater.end()) {
    draft.warnings.push_back(
        fmt::format("\"log_dest {}\" has no effect: Hermod does not log there. Use stderr, stdout, "
                    "file or syslog.",
                    where));
    return {};
  }
  if (std::ranges::find(kWhere, where) == kWhere.end()) {
    return fmt::format(
        "\"log_dest\" is \"{}\", but must be stderr, stdout, file PATH, syslog or none.{}", where,
        did_you_mean(where, kWhere));
  }
  if (where == "file" && rest.empty()) {
    return "\"log_dest file\" needs the path of the file, such as: log_dest file "
           "/var/log/hermod.log";
  }
  if (where != "file" && !rest.empty()) {
    return fmt::format("\"log_dest {}\" stands alone, but \"{}\" follows.", where, rest);
  }
  if (!std::exchange(draft.log_dest_given, true) || where == "none") {
    log.to_stderr = log.to_stdout = log.to_syslog = log.to_default = false;
    log.file.clear();
  }
  if (where == "stderr") log.to_stderr = true;
  if (where == "stdout") log.to_stdout = true;
  if (where == "syslog") log.to_syslog = true;
  if (where == "file") log.file = rest;
  return {};
}

std::string apply_log_type(Draft& draft, const Value& value) {
  struct Type {
    std::string_view name;
    bool LogConfig::* member;
  };
  constexpr std::array kTypes{
      Type{"error", &LogConfig::error}, Type{"warning", &LogConfig::warning},
      Type{"notice", &LogConfig::notice}, Type{"information", &LogConfig::information},
      Type{"debug", &LogConfig::debug}};
  constexpr std::array kWords{std::string_view("error"),  std::string_view("warning"),
                              std::string_view("notice"), std::string_view("information"),
                              std::string_view("debug"),  std::string_view("all"),
                              std::string_view("none")};
  LogConfig& log = draft.config.log;
  const std::string_view name = value.text;
  if (name == "subscribe" || name == "unsubscribe" || name == "websockets" || name == "internal") {
    draft.warnings.push_back(fmt::format(
        "\"log_type {}\" has no effect: Hermod has no such lines of its own. \"debug\" shows them.",
        name));
    return {};
  }
  const auto type = std::ranges::find(kTypes, name, &Type::name);
  if (type == kTypes.end() && name != "all" && name != "none") {
    return fmt::format("\"log_type\" is \"{}\", but must be one of {}.{}", name, join(kWords),
                       did_you_mean(name, kWords));
  }
  if (!std::exchange(draft.log_type_given, true) || name == "none") log.show_all(false);
  if (name == "all") log.show_all(true);
  if (type != kTypes.end()) log.*type->member = true;
  return {};
}

std::string apply_durability(Draft& draft, const Value& value) {
  constexpr std::array<std::string_view, 3> kWords = {"sync", "interval", "none"};
  std::string_view rest = value.text;
  const std::string_view word = take_word(rest);
  StoreConfig& store = draft.config.store;
  if (word == "interval") {
    std::int64_t ms = 1'000;
    if (!rest.empty() && (!read_number(rest, ms) || ms < 1 || ms > 3'600'000)) {
      return fmt::format(
          "\"durability interval\" is followed by \"{}\", but must be by milliseconds, 1 to "
          "3600000: durability interval 1000",
          rest);
    }
    store.durability = store::Durability::kInterval;
    store.interval = std::chrono::milliseconds{ms};
    return {};
  }
  if ((word != "sync" && word != "none") || !rest.empty()) {
    return fmt::format("\"durability\" is \"{}\", but must be sync, interval MS, or none.{}",
                       value.text, did_you_mean(word, kWords));
  }
  store.durability = word == "sync" ? store::Durability::kSync : store::Durability::kNone;
  return {};
}

std::string apply_server_reference(Draft& draft, const Value& value) {
  constexpr std::size_t kOctetsMax = 1'024;  // it goes into small packets
  if (value.text.size() > kOctetsMax || !is_utf8(as_bytes(value.text))) {
    return fmt::format(
        "\"server_reference\" is not UTF-8 of up to {} octets. Name a host, or a host and a port: "
        "\"server_reference broker2.example:1883\".",
        kOctetsMax);
  }
  draft.config.limits.server_reference = value.text;
  return {};
}

std::string apply_per_listener_settings(Draft& draft, const Value& value) {
  if (draft.access_given) {
    return "\"per_listener_settings\" stands below what it decides about. Put it above the first "
           "allow_anonymous, password_file and acl_file.";
  }
  draft.config.per_listener_settings = value.truth;
  return {};
}

std::string apply_password_file(Draft& draft, const Value& value) {
  draft.access().password_file = value.text;
  draft.access().password_place = draft.place;
  return {};
}

std::string apply_acl_file(Draft& draft, const Value& value) {
  draft.access().acl_file = value.text;
  draft.access().acl_place = draft.place;
  return {};
}

std::string apply_port(Draft& draft, const Value& value) {
  draft.default_listener.port = static_cast<std::uint16_t>(value.number);
  draft.default_listener_wanted = true;
  return {};
}

std::string apply_bind_address(Draft& draft, const Value& value) {
  draft.default_listener.address = value.text;
  draft.default_listener_wanted = true;
  return {};
}

// Rows by subject. Each apply that is one assignment stands in its row.
using K = ValueKind;
constexpr std::array kDirectives{
    // --- where to listen ---
    Directive{
        .name = "listener",
        .repeats = true,
        .apply = apply_listener,
        .standard = "MQTT on 1883 and CoAP on 5683, for this machine only",
        .help =
            "PORT [ADDRESS]: opens a port, on every interface or on one address; 0 PATH: a Unix "
            "socket"},
    Directive{.name = "protocol",
              .scope = Scope::kListener,
              .apply = apply_protocol,
              .standard = "mqtt",
              .help = "what is spoken on the listener: mqtt or coap"},
    Directive{.name = "socket_domain",
              .scope = Scope::kListener,
              .apply = apply_socket_domain,
              .standard = "both",
              .help = "ipv4 or ipv6: opens the listener for one of them only"},
    Directive{.name = "coap_ack_timeout",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {100, 60'000},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().coap.transmission.ack_timeout =
                        std::chrono::milliseconds{v.number};
                    d.listener().coap_directive = d.directive;
                    return std::string();
                  },
              .standard = "2000",
              .help = "CoAP: milliseconds until a Confirmable message is sent again (ACK_TIMEOUT)"},
    Directive{.name = "coap_ack_random_factor",
              .scope = Scope::kListener,
              .apply = apply_coap_random_factor,
              .standard = "1.5",
              .help = "CoAP: up to how much longer that is, by chance (ACK_RANDOM_FACTOR)"},
    Directive{.name = "coap_max_retransmit",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {0, 20},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().coap.transmission.max_retransmit = static_cast<unsigned>(v.number);
                    d.listener().coap_directive = d.directive;
                    return std::string();
                  },
              .standard = "4",
              .help = "CoAP: how often a Confirmable message is sent again (MAX_RETRANSMIT)"},
    Directive{.name = "coap_nstart",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {1, 64},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().coap.transmission.nstart = static_cast<unsigned>(v.number);
                    d.listener().coap_directive = d.directive;
                    return std::string();
                  },
              .standard = "1",
              .help = "CoAP: Confirmable messages to a peer that are under way at a time (NSTART)"},
    Directive{.name = "coap_block_size",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {16, 1024},
              .apply = apply_coap_block_size,
              .standard = "1024",
              .help = "CoAP: octets of a block; longer values go in several (RFC 7959)"},
    Directive{
        .name = "coap_duplicates",
        .scope = Scope::kListener,
        .kind = K::kInteger,
        .range = {8, 65'536},
        .apply =
            [](Draft& d, const Value& v) {
              d.listener().coap.seen_max = std::bit_ceil(static_cast<std::size_t>(v.number));
              d.listener().coap_directive = d.directive;
              return std::string();
            },
        .standard = "65536",
        .help = "CoAP: requests of a peer that are remembered so that a duplicate does not act"},
    Directive{.name = "coap_max_actions",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {0, kU32Max},
              .apply = set_coap<&coap::Settings::actions_per_s_max>,
              .standard = "0",
              .help = "CoAP: publications and the like of a peer in a second; more: 4.29; 0: any"},
    Directive{.name = "coap_amplification",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {0, 1000},
              .apply = set_coap<&coap::Settings::amplification_max>,
              .standard = "3",
              .help = "CoAP: how many times what it sent a peer may be sent whose address may be "
                      "forged; 0: any"},
    Directive{.name = "coap_alias",
              .scope = Scope::kListener,
              .repeats = true,
              .apply = apply_coap_alias,
              .standard = "none",
              .help = "CoAP: emqx or ponte: understands their paths too, /ps/TOPIC and /r/TOPIC"},
    Directive{.name = "coap_multicast",
              .scope = Scope::kListener,
              .repeats = true,
              .apply = apply_coap_multicast,
              .standard = "none",
              .help = "CoAP: all, or a group's address, and maybe an interface: answers discovery "
                      "by multicast"},
    Directive{.name = "coap_leisure",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {0, 600'000},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().coap.leisure = std::chrono::milliseconds{v.number};
                    d.listener().coap_directive = d.directive;
                    return std::string();
                  },
              .standard = "5000",
              .help = "CoAP: milliseconds within which multicast is answered, by chance"},
    Directive{.name = "coap_observe_max_age",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {1, kU32Max},
              .apply = set_coap<&coap::Settings::observe_max_age_s>,
              .standard = "600",
              .help = "CoAP: seconds for which an observer may take silence for \"unchanged\""},
    Directive{.name = "max_connections",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {-1, kU32Max - 1},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().connections_max = v.number <= 0
                                                       ? ListenerConfig::kUnlimited
                                                       : static_cast<std::uint32_t>(v.number);
                    return std::string();
                  },
              .standard = "-1",
              .help = "clients at a time on the listener; -1: the broker's own limit"},
    Directive{.name = "max_qos",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {0, 2},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().guarantee_max = static_cast<model::Guarantee>(v.number);
                    return std::string();
                  },
              .standard = "2",
              .help = "highest quality of service on the listener"},
    Directive{.name = "maximum_qos",
              .scope = Scope::kListener,
              .kind = K::kInteger,
              .range = {0, 2},
              .apply =
                  [](Draft& d, const Value& v) {
                    d.listener().guarantee_max = static_cast<model::Guarantee>(v.number);
                    return std::string();
                  },
              .standard = "2",
              .help = "the same as max_qos"},
    Directive{.name = "port",
              .kind = K::kInteger,
              .range = kPorts,
              .apply = apply_port,
              .standard = "1883",
              .help = "old form of listener: the port of the default listener"},
    Directive{.name = "bind_address",
              .apply = apply_bind_address,
              .standard = "every interface",
              .help = "old form of listener: the address of the default listener"},
    // --- who may come ---
    Directive{.name = "per_listener_settings",
              .kind = K::kBoolean,
              .apply = apply_per_listener_settings,
              .standard = "false",
              .help = "true: allow_anonymous, password_file and acl_file belong to the listener "
                      "line above them"},
    Directive{.name = "allow_anonymous",
              .scope = Scope::kAccess,
              .kind = K::kBoolean,
              .apply =
                  [](Draft& d, const Value& v) {
                    d.access().allow_anonymous = v.truth;
                    return std::string();
                  },
              .standard = "true without a listener line, false with one",
              .help = "whether clients without a user name may connect"},
    Directive{
        .name = "password_file",
        .scope = Scope::kAccess,
        .apply = apply_password_file,
        .standard = "none",
        .help = "users and their passwords, as hermod passwd and mosquitto_passwd write them"},
    Directive{.name = "acl_file",
              .scope = Scope::kAccess,
              .apply = apply_acl_file,
              .standard = "none: everything is allowed",
              .help = "who may read and write which topics, in mosquitto's grammar"},
    Directive{.name = "login_threads",
              .kind = K::kInteger,
              .range = {1, 64},
              .apply = set<&Config::login_threads>,
              .standard = "1",
              .help = "threads that check passwords"},
    Directive{.name = "max_pending_logins",
              .kind = K::kInteger,
              .range = {1, 1'000'000},
              .apply = set<&Config::pending_logins_max>,
              .standard = "1000",
              .help = "logins that wait for their password to be checked; others are refused"},
    // --- how much of everything ---
    Directive{.name = "threads",
              .kind = K::kInteger,
              .range = {0, broker::kShardsMax},
              .apply = set<&Config::threads>,
              .standard = "0",
              .help = "threads that serve clients; 0: one for each core"},
    Directive{.name = "max_packet_size",
              .kind = K::kInteger,
              .range = {20, 268'435'455},
              .apply = set<&Config::limits, &session::SessionLimits::packet_bytes_max>,
              .standard = "268435455",
              .help = "octets of the largest packet that is accepted"},
    Directive{.name = "max_inflight_messages",
              .kind = K::kInteger,
              .range = {0, kU16Max},
              .apply = set_limit<&Config::limits, &session::SessionLimits::inflight_max>,
              .standard = "512",
              .help = "QoS 1 and 2 messages under way to one client, and from it; 0: 65535"},
    Directive{.name = "max_queued_messages",
              .kind = K::kInteger,
              .range = {0, kU32Max - 1},
              .apply = set_limit<&Config::keep, &core::Limits::queue_messages_max>,
              .standard = "10000",
              .help = "messages that wait for one client; 0: no limit"},
    Directive{.name = "max_queued_bytes",
              .kind = K::kInteger,
              .range = {0, kI64Max},
              .apply = set_limit<&Config::keep, &core::Limits::queue_bytes_max>,
              .standard = "67108864",
              .help = "octets of the messages that wait for one client; 0: no limit"},
    Directive{.name = "max_queued_messages_per_user",
              .kind = K::kInteger,
              .range = {0, kU32Max - 1},
              .apply = set_limit<&Config::keep, &core::Limits::user_messages_max>,
              .standard = "0",
              .help = "messages that wait for all clients of one user; 0: no limit"},
    Directive{.name = "max_queued_bytes_per_user",
              .kind = K::kInteger,
              .range = {0, kI64Max},
              .apply = set_limit<&Config::keep, &core::Limits::user_bytes_max>,
              .standard = "0",
              .help = "octets of the messages that wait for all clients of one user; 0: no limit"},
    Directive{.name = "queue_overflow",
              .apply = apply_queue_overflow,
              .standard = "drop-tail",
              .help = "what a full queue does: drop-tail, drop-head (the oldest), or reject"},
    Directive{.name = "queue_message_ttl",
              .apply = apply_queue_message_ttl,
              .standard = "0",
              .help =
                  "how long QoS 1 and 2 messages wait for a client: seconds, or a number and h, "
                  "d, w, m or y; 0: no limit"},
    Directive{.name = "retry_interval",
              .kind = K::kInteger,
              .range = {0, 3600},
              .apply = set<&Config::limits, &session::SessionLimits::resend_after_s>,
              .standard = "20",
              .help = "MQTT 3.1: seconds after which a message without an answer is sent again; "
                      "later versions forbid that; 0: never"},
    Directive{.name = "queue_qos0_messages",
              .kind = K::kBoolean,
              .apply = set<&Config::keep, &core::Limits::queue_at_most_once_offline>,
              .standard = "false",
              .help = "whether QoS 0 messages wait too for a client that is away"},
    Directive{.name = "max_keepalive",
              .kind = K::kInteger,
              .range = {10, kU16Max},
              .apply = set<&Config::limits, &session::SessionLimits::keep_alive_s_max>,
              .standard = "65535",
              .help = "seconds: longest keep-alive that a client may ask for"},
    Directive{.name = "max_topic_alias",
              .kind = K::kInteger,
              .range = {0, kU16Max},
              .apply = set<&Config::limits, &session::SessionLimits::topic_alias_max>,
              .standard = "10",
              .help = "MQTT 5: topics with a number, each way; 0: none"},
    Directive{.name = "max_topic_levels",
              .kind = K::kInteger,
              .range = {1, kU16Max},
              .apply = set<&Config::limits, &session::SessionLimits::topic_levels_max>,
              .standard = "128",
              .help = "levels of the longest topic or filter"},
    Directive{.name = "connect_timeout",
              .kind = K::kInteger,
              .range = {1, 3600},
              .apply = set<&Config::limits, &session::SessionLimits::connect_timeout_s>,
              .standard = "10",
              .help = "seconds that a new connection has for its first packet"},
    Directive{.name = "server_reference",
              .apply = apply_server_reference,
              .standard = "none",
              .help = "MQTT 5: another server, HOST or HOST:PORT, for clients that find this one "
                      "full or going down; several are separated by blanks"},
    Directive{.name = "server_moved",
              .kind = K::kBoolean,
              .apply = set<&Config::limits, &session::SessionLimits::server_moved>,
              .standard = "false",
              .help = "true: every client is refused, and sent to server_reference for good"},
    Directive{.name = "max_connections_per_source",
              .kind = K::kInteger,
              .range = {0, kU32Max - 1},
              .apply = set<&Config::connections_per_source_max>,
              .standard = "0",
              .help = "clients at a time from one address, or one /64 of IPv6; 0: no limit"},
    Directive{.name = "max_subscriptions",
              .kind = K::kInteger,
              .range = {1, kU32Max - 1},
              .apply = set<&Config::keep, &core::Limits::subscriptions_max>,
              .standard = "10000",
              .help = "subscriptions of one client"},
    Directive{.name = "max_sessions",
              .kind = K::kInteger,
              .range = {1, kU32Max - 1},
              .apply = set<&Config::keep, &core::Limits::subscribers_max>,
              .standard = "1000000",
              .help = "clients that are connected or remembered"},
    Directive{.name = "persistent_client_expiration",
              .kind = K::kDuration,
              .range = {0, kU32Max - 1},
              .apply = set<&Config::keep, &core::Limits::expiry_s_max>,
              .standard = "never",
              .help = "when a client that stays away is forgotten: a number and h, d, w, m or y"},
    Directive{.name = "sys_interval",
              .kind = K::kInteger,
              .range = {0, kU16Max},
              .apply = set<&Config::sys_interval_s>,
              .standard = "10",
              .help = "seconds between two updates of the broker's status on $SYS/#; 0: none"},
    // --- retained messages ---
    Directive{.name = "retain_available",
              .kind = K::kBoolean,
              .apply = set<&Config::limits, &session::SessionLimits::retain_available>,
              .standard = "true",
              .help = "whether MQTT clients may publish retained messages"},
    Directive{.name = "max_retained_messages",
              .kind = K::kInteger,
              .range = {1, kU32Max - 1},
              .apply = set<&Config::keep, &core::Limits::retained_messages_max>,
              .standard = "1000000",
              .help = "retained messages that are kept"},
    Directive{.name = "max_retained_bytes",
              .kind = K::kInteger,
              .range = {1, kI64Max},
              .apply = set<&Config::keep, &core::Limits::retained_bytes_max>,
              .standard = "268435456",
              .help = "octets of the retained messages that are kept"},
    // --- declared topics ---
    Directive{.name = "max_declared_topics",
              .kind = K::kInteger,
              .range = {1, kU32Max - 1},
              .apply = set<&Config::keep, &core::Limits::declared_topics_max>,
              .standard = "100000",
              .help = "topics that CoAP clients may declare"},
    Directive{.name = "max_declared_bytes",
              .kind = K::kInteger,
              .range = {1, kI64Max},
              .apply = set<&Config::keep, &core::Limits::declared_bytes_max>,
              .standard = "67108864",
              .help = "octets of the declared topics' names and properties"},
    // --- log ---
    Directive{.name = "log_dest",
              .repeats = true,
              .apply = apply_log_dest,
              .standard = "stderr; in the background syslog",
              .help = "stderr, stdout, file PATH, syslog or none; may be given several times"},
    Directive{.name = "log_facility",
              .kind = K::kInteger,
              .range = {-1, 7},
              .apply = set<&Config::log, &LogConfig::local_facility>,
              .standard = "-1",
              .help = "of log_dest syslog: N for the facility localN, -1 for daemon"},
    Directive{.name = "log_type",
              .repeats = true,
              .apply = apply_log_type,
              .standard = "error, warning, notice and information",
              .help = "one of error, warning, notice, information, debug, all, none; may be given "
                      "several times"},
    Directive{.name = "log_timestamp",
              .kind = K::kBoolean,
              .apply = set<&Config::log, &LogConfig::timestamp>,
              .standard = "true",
              .help = "whether each line begins with the time"},
    Directive{.name = "log_timestamp_format",
              .apply = set<&Config::log, &LogConfig::timestamp_format>,
              .standard = "%Y-%m-%dT%H:%M:%S",
              .help = "the time as strftime writes it; %s: seconds since 1970"},
    Directive{.name = "connection_messages",
              .kind = K::kBoolean,
              .apply = set<&Config::log, &LogConfig::connection_messages>,
              .standard = "true",
              .help = "whether clients that come and go are logged"},
    // --- files ---
    Directive{.name = "persistence",
              .kind = K::kBoolean,
              .apply = set<&Config::store, &StoreConfig::wanted>,
              .standard = "true; as mosquitto: false",
              .help = "whether sessions, queued and retained messages survive any stop"},
    Directive{.name = "persistence_location",
              .apply = set<&Config::store, &StoreConfig::folder>,
              .standard = "$STATE_DIRECTORY, /var/lib/hermod for root, else "
                          "$XDG_STATE_HOME/hermod",
              .help = "directory that they lie in; this broker's alone"},
    Directive{.name = "durability",
              .apply = apply_durability,
              .standard = "sync",
              .help = "when what was written counts as safe: sync: once it survives a power cut; "
                      "interval MS: a power cut loses so much at most; none: the system decides"},
    Directive{.name = "pid_file",
              .apply = set<&Config::pid_file>,
              .standard = "none",
              .help = "file that holds the process id while the broker runs"},
    Directive{.name = "user",
              .apply = set<&Config::user>,
              .standard = "the one who starts it; as mosquitto: mosquitto, then nobody",
              .help = "user to go on as when started by root, once the ports are open"},
    Directive{.name = "include_dir",
              .repeats = true,
              .apply = [](Draft&, const Value&) { return std::string(); },
              .standard = "none",
              .help = "reads all files of a directory that end in .conf; only in the main file"},
};

}  // namespace

ListenerConfig& Draft::listener() {
  if (!config.listeners.empty()) return config.listeners.back();
  default_listener_wanted = true;
  return default_listener;
}

AccessConfig& Draft::access() {
  access_given = true;
  if (!config.per_listener_settings) return config.access;
  return config.listeners.empty() ? default_listener.access : config.listeners.back().access;
}

std::span<const Directive> directives() {
  return kDirectives;
}

const Directive* find_directive(std::string_view name) {
  const auto is_named = [name](const Directive& row) {
    if (row.name.ends_with('*')) return name.starts_with(row.name.substr(0, row.name.size() - 1));
    return row.name == name;
  };
  for (const auto table : {directives(), foreign_directives()}) {
    if (const auto row = std::ranges::find_if(table, is_named); row != table.end()) return &*row;
  }
  return nullptr;
}

std::vector<std::string_view> directive_names() {
  std::vector<std::string_view> names;
  for (const auto table : {directives(), foreign_directives()}) {
    for (const Directive& row : table) {
      if (!row.name.ends_with('*')) names.push_back(row.name);
    }
  }
  return names;
}

}  // namespace hermod::app
