// SPDX-License-Identifier: Apache-2.0
// What the command lines of pub, sub and serve say, as plain values, and the rules that go beyond
// one option. cli.cpp fills them; the commands work from them. It knows no parser.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "commands/program.hpp"
#include "commands/properties.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/mqtt/codec/version.hpp"
#include "text/url.hpp"

namespace hermod::app {

/// Where to, as whom, and how long: the options that pub and sub share.
struct ClientOptions {
  Program program;
  std::string url;  ///< argument or -L
  std::optional<std::string> host_option;
  std::optional<std::uint16_t> port_option;
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::string auth;  ///< --auth; empty: name and password are sent as they are
  std::string id;
  std::string id_prefix;
  std::string local_host;    ///< -A
  std::string unix_path;     ///< --unix
  std::string proxy_option;  ///< --proxy
  bool service = false;      ///< -S
  /// As mosquitto's program what comes last on the command line counts: these before the URL.
  bool host_before_url = false;
  bool port_before_url = false;
  bool topic_before_url = false;
  bool keep_session = false;  ///< -c
  std::uint16_t keep_alive_s = 60;
  std::string version;           ///< -V; empty: 3.1.1, or 5.0 when something needs it
  std::string session_expiry;    ///< -x
  CommandProperties properties;  ///< -D
  bool has_properties = false;
  std::string will_topic;
  std::optional<std::string> will_payload;
  std::optional<int> will_qos;
  bool will_retain = false;
  std::optional<int> qos;
  std::string options_file;                     ///< -o, taken out before the others are read
  std::optional<std::uint16_t> inflight_max;    ///< -M
  std::optional<std::uint32_t> resend_after_s;  ///< --resend
  double timeout_s = 0;                         ///< 0: none
  bool debug = false;
  bool quiet = false;

  // What follows from them.
  mqtt::Version protocol = mqtt::Version::kV311;
  std::uint32_t session_expiry_s = 0;  ///< MQTT 5
  Scheme scheme = Scheme::kMqtt;
  std::string host = "localhost";  ///< with -S the domain; empty: this machine's
  std::uint16_t port = 0;
  std::optional<ProxyUrl> proxy;
  /// MQTT 5: how many messages above QoS 0 are taken at a time; 0: any number.
  std::uint16_t receive_max = 0;
};

struct PubOptions {
  ClientOptions client;
  std::string topic;
  std::optional<std::string> message;  ///< -m
  std::optional<std::string> file;     ///< -f
  bool lines = false;                  ///< -l
  bool whole_input = false;            ///< -s
  bool null = false;                   ///< -n
  bool retain = false;
  std::uint32_t repeat = 1;
  double repeat_delay_s = 0;
};

/// How received messages are printed.
struct PrintOptions {
  std::string format;  ///< -F
  bool has_format = false;
  bool verbose = false;
  bool pretty = false;       ///< JSON on several lines
  bool no_newline = false;   ///< -N
  bool no_retained = false;  ///< -R
};

struct SubOptions {
  ClientOptions client;
  PrintOptions print;
  std::vector<std::string> topics;
  std::vector<std::string> filtered_out;  ///< -T
  std::vector<std::string> unsubscribe;   ///< -U
  std::optional<std::uint64_t> count;     ///< -C
  double percent = 100;                   ///< --random-filter: so many of the messages
  bool retain_as_published = false;
  std::string retain_handling_word;  ///< --retain-handling
  mqtt::RetainHandling retain_handling = mqtt::RetainHandling::kSend;
  bool retained_only = false;
  bool remove_retained = false;
  bool exit_after_subscribing = false;  ///< -E
};

struct RrOptions {
  PubOptions request;
  PrintOptions print;
  std::string response_topic;  ///< -e
};

struct ServeOptions {
  Program program = kHermodServe;
  std::string config_file;
  std::vector<std::uint16_t> ports;  ///< -p; as `mosquitto` there may be several
  std::optional<std::uint16_t> coap_port;
  bool ephemeral = false;    ///< whatever the configuration says, nothing is kept
  bool background = false;   ///< -d
  bool test_config = false;  ///< only says whether the configuration is right
  bool verbose = false;
  bool quiet = false;
};

/// Fills in what follows from the options and checks what belongs together. The error says what is
/// wrong and what would be right.
[[nodiscard]] std::expected<void, std::string> complete(PubOptions& options);
[[nodiscard]] std::expected<void, std::string> complete(SubOptions& options);
[[nodiscard]] std::expected<void, std::string> complete(RrOptions& options);
[[nodiscard]] std::expected<void, std::string> complete(ServeOptions& options);

}  // namespace hermod::app
