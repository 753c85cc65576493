// SPDX-License-Identifier: Apache-2.0
// The rules of the command line that go beyond one option.
#include "commands/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "hermod/model/topic.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/sasl/scram.hpp"

namespace hermod::app {
namespace {

using Checked = std::expected<void, std::string>;
using Wrong = std::unexpected<std::string>;

constexpr std::size_t kWillMax = 65'535;  // MQTT 3.1.1 §3.1.3.3

std::string_view why(mqtt::TopicFault fault) {
  using enum mqtt::TopicFault;
  switch (fault) {
    case kNone:
      return "";
    case kEmpty:
      return "it is empty";
    case kTooLong:
      return "it is longer than 65535 octets";
    case kNul:
      return "it holds a zero octet";
    case kUtf8:
      return "it is not UTF-8";
    case kWildcard:
      return "+ and # are wildcards, which only a subscription may have";
    case kMultiLevel:
      return "# must stand alone in the last level";
    case kSingleLevel:
      return "+ must stand alone in its level";
    case kShareName:
      return "the name of the share is missing behind $share/";
    case kShareFilter:
      return "a share is written $share/name/filter, without wildcards in its name";
  }
  return "";
}

Checked check_name(std::string_view topic) {
  const auto fault = mqtt::topic_name_fault(topic);
  if (fault == mqtt::TopicFault::kNone) return {};
  return Wrong(fmt::format("\"{}\" is not a topic: {}.", topic, why(fault)));
}

Checked check_filter(std::string_view filter, mqtt::Version version) {
  const auto fault = mqtt::topic_filter_fault(filter, version);
  if (fault == mqtt::TopicFault::kNone) return {};
  return Wrong(fmt::format("\"{}\" is not a topic filter: {}.", filter, why(fault)));
}

/// -V, and what follows from options that only MQTT 5 has. mosquitto's programs ignore -x in other
/// versions, and -D makes it MQTT 5.
Checked take_version(ClientOptions& client) {
  const bool foreign = client.program.mosquitto;
  const bool needs_v5 = client.has_properties || (!foreign && !client.session_expiry.empty());
  if (foreign && client.has_properties) client.version = "5";
  const std::string& version = client.version;
  if (version.empty()) {
    const bool v5 = needs_v5 || !client.auth.empty() || client.program.task == Task::kRr;
    client.protocol = v5 ? mqtt::Version::kV5 : mqtt::Version::kV311;
  } else if (version == "mqttv31" || version == "31") {
    client.protocol = mqtt::Version::kV31;
  } else if (version == "mqttv311" || version == "311") {
    client.protocol = mqtt::Version::kV311;
  } else if (version == "mqttv5" || version == "5") {
    client.protocol = mqtt::Version::kV5;
  } else {
    return Wrong(fmt::format(
        "-V is \"{}\", but must be mqttv5, mqttv311 or mqttv31 (or 5, 311, 31).", version));
  }
  if (needs_v5 && client.protocol != mqtt::Version::kV5) {
    return Wrong("-D and -x belong to MQTT 5: leave out -V, or give -V mqttv5.");
  }
  if (client.resend_after_s && client.protocol != mqtt::Version::kV31) {
    return Wrong(
        "--resend is for -V mqttv31: later versions of MQTT forbid to send anything again while a "
        "connection lasts.");
  }
  return {};
}

/// --auth, in capitals or as `passwd -H` spells it.
Checked take_auth(ClientOptions& client) {
  if (client.auth.empty()) return {};
  const auto to_upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  if (!std::ranges::equal(client.auth, sasl::kScramSha256, {}, to_upper)) {
    return Wrong(
        fmt::format("--auth is \"{}\", but only {} is known.", client.auth, sasl::kScramSha256));
  }
  client.auth = sasl::kScramSha256;
  if (client.protocol != mqtt::Version::kV5) {
    return Wrong("--auth belongs to MQTT 5: leave out -V, or give -V mqttv5.");
  }
  if (!client.user || !client.password) {
    return Wrong("--auth needs a user name and a password: give -u and -P too.");
  }
  return {};
}

/// How long the session lives: -x, as -D connect says it, or for ever with -c.
Checked take_session_expiry(ClientOptions& client) {
  const auto said = client.properties.connect.number(mqtt::PropertyId::kSessionExpiryInterval);
  client.session_expiry_s = client.keep_session ? UINT32_MAX : 0;
  if (said) client.session_expiry_s = *said;
  if (!client.session_expiry.empty()) {
    if (said) return Wrong("-x and the session-expiry-interval of -D connect exclude each other.");
    const auto seconds = read_session_expiry(client.session_expiry);
    if (!seconds) return Wrong(seconds.error());
    client.session_expiry_s = *seconds;
  }
  const auto last = client.properties.disconnect.number(mqtt::PropertyId::kSessionExpiryInterval);
  if (last.value_or(0) != 0 && client.session_expiry_s == 0) {
    return Wrong("a session that ends with the connection cannot be kept at its end: give -x too.");
  }
  return {};
}

/// The ways to the broker that are not its host and port.
Checked take_way(ClientOptions& client) {
  const std::array<std::pair<bool, std::string_view>, 3> ways{{
      {!client.unix_path.empty(), "--unix"},
      {!client.proxy_option.empty(), "--proxy"},
      {client.service, "-S"},
  }};
  std::string_view first;
  for (const auto& [given, name] : ways) {
    if (!given) continue;
    if (!first.empty()) {
      return Wrong(fmt::format("{} and {} are two ways to the broker: give one.", first, name));
    }
    first = name;
  }
  const bool foreign = client.program.mosquitto;
  const bool elsewhere = client.host_option || client.port_option || !client.url.empty();
  if (!foreign && !client.unix_path.empty() && elsewhere) {
    return Wrong(
        "--unix says where the broker is: leave out -h, -p and the URL, also in an options file.");
  }
  if (!foreign && client.service && client.port_option) {
    return Wrong("-S looks the port up: leave out -p.");
  }
  if (client.proxy_option.empty()) return {};
  auto proxy = parse_proxy(client.proxy_option);
  if (!proxy) return Wrong(proxy.error());
  client.proxy = std::move(*proxy);
  return {};
}

/// Takes the URL apart; the topic in it, if any, goes to `topic`.
Checked take_url(ClientOptions& client, std::string& topic) {
  client.port = client.port_option.value_or(default_port(Scheme::kMqtt));
  if (client.host_option) {
    client.host = *client.host_option;
  } else if (client.service) {
    client.host.clear();
  }
  if (client.url.empty()) return {};
  const bool foreign = client.program.mosquitto;
  if (!foreign && (client.host_option || client.port_option)) {
    return Wrong("the URL says where to connect to: leave out -h and -p.");
  }
  auto url = parse_url(client.url, !foreign);
  if (!url) return Wrong(url.error());
  client.scheme = url->scheme;
  if (!client.host_option || client.host_before_url) client.host = url->host;
  if (!client.port_option || client.port_before_url) client.port = url->port;
  if (!client.user) client.user = url->user;
  if (!client.password) client.password = url->password;
  topic = std::move(url->topic);
  return {};
}

Checked check_will(const ClientOptions& client) {
  const bool any = client.will_payload || client.will_retain;
  const bool more = client.will_qos || !client.properties.will.empty();
  if (client.will_topic.empty()) {
    // mosquitto's programs do not mind those alone.
    if (any || (more && !client.program.mosquitto)) {
      return Wrong("a will needs its topic: give --will-topic too.");
    }
    return {};
  }
  if (client.will_payload && client.will_payload->size() > kWillMax) {
    return Wrong(fmt::format("--will-payload has at most {} octets.", kWillMax));
  }
  return check_name(client.will_topic);
}

Checked check_coap(const ClientOptions& client) {
  const std::array<std::pair<bool, std::string_view>, 16> given{{
      {!client.auth.empty(), "--auth"},
      {client.user.has_value() || client.password.has_value(), "a user name or password"},
      {!client.id.empty(), "-i"},
      {!client.id_prefix.empty(), "-I"},
      {client.keep_session, "-c"},
      {!client.will_topic.empty(), "a will"},
      {!client.version.empty(), "-V"},
      {client.has_properties, "-D"},
      {!client.session_expiry.empty(), "-x"},
      {client.qos == 2, "-q 2"},
      {!client.local_host.empty(), "-A"},
      {!client.unix_path.empty(), "--unix"},
      {client.proxy.has_value(), "--proxy"},
      {client.service, "-S"},
      {client.inflight_max.has_value(), "-M"},
      {client.resend_after_s.has_value(), "--resend"},
  }};
  for (const auto& [wrong, name] : given) {
    if (wrong) return Wrong(fmt::format("CoAP has no counterpart of {}: leave it out.", name));
  }
  return {};
}

/// The id of MQTT 3.1, which has none that the broker assigns: 23 characters at most.
std::string own_id(const Program& program) {
  if (!program.mosquitto) return fmt::format("hermod-{}", getpid());
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device source;
  std::uniform_int_distribution<std::size_t> letter(0, kLetters.size() - 1);
  std::string id = "mosq-";
  for (int i = 0; i < 18; ++i) id += kLetters[letter(source)];
  return id;
}

/// What mosquitto's programs are stricter about, and how many messages they take at a time.
Checked take_habits(ClientOptions& client) {
  constexpr std::uint16_t kKeepAliveMin = 5;
  constexpr std::uint16_t kReceiveMax = 20;
  if (!client.program.mosquitto) return {};
  if (client.keep_alive_s < kKeepAliveMin) {
    return Wrong("Invalid keepalive given, it must be between 5 and 65535 inclusive.");
  }
  client.receive_max = kReceiveMax;
  if (client.program.task == Task::kRr) client.receive_max = 1;
  return {};
}

Checked complete(ClientOptions& client, std::string& url_topic) {
  if (auto checked = take_way(client); !checked) return checked;
  if (auto checked = take_url(client, url_topic); !checked) return checked;
  if (auto checked = take_version(client); !checked) return checked;
  if (auto checked = take_session_expiry(client); !checked) return checked;
  if (auto checked = check_will(client); !checked) return checked;
  if (auto checked = take_habits(client); !checked) return checked;
  if (!client.id.empty() && !client.id_prefix.empty()) {
    return Wrong("-i and -I exclude each other: give the whole id, or a prefix of it.");
  }
  if (!client.id_prefix.empty()) client.id = fmt::format("{}{}", client.id_prefix, getpid());
  if (client.keep_session && client.id.empty()) {
    return Wrong("-c needs a client id: the broker keeps a session by it. Give -i ID.");
  }
  if (client.password && !client.user && client.protocol != mqtt::Version::kV5) {
    return Wrong("-P needs a user name: MQTT 3.1.1 has no password without one. Give -u NAME.");
  }
  if (client.id.empty() && client.protocol == mqtt::Version::kV31) {
    client.id = own_id(client.program);
  }
  if (client.id.empty() && client.protocol == mqtt::Version::kV5 &&
      client.session_expiry_s == UINT32_MAX) {
    return Wrong("a session without end needs a client id to come back to it: give -i ID.");
  }
  return client.scheme == Scheme::kCoap ? check_coap(client) : take_auth(client);
}

Checked check_retain_handling(SubOptions& options) {
  const std::string& word = options.retain_handling_word;
  if (options.print.no_retained) options.retain_handling = mqtt::RetainHandling::kDoNotSend;
  if (word.empty()) return {};
  if (word == "always") {
    options.retain_handling = mqtt::RetainHandling::kSend;
  } else if (word == "new") {
    options.retain_handling = mqtt::RetainHandling::kSendIfNew;
  } else if (word == "never") {
    options.retain_handling = mqtt::RetainHandling::kDoNotSend;
  } else {
    return Wrong(
        fmt::format("--retain-handling is \"{}\", but must be always, new or never.", word));
  }
  return {};
}

}  // namespace

Checked complete(PubOptions& options) {
  std::string url_topic;
  if (auto checked = complete(options.client, url_topic); !checked) return checked;
  if (!url_topic.empty() && !options.topic.empty() && !options.client.program.mosquitto) {
    return Wrong("the URL holds a topic already: leave out -t.");
  }
  if (options.topic.empty() || (!url_topic.empty() && options.client.topic_before_url)) {
    options.topic = std::move(url_topic);
  }
  if (options.topic.empty()) {
    return Wrong("there is no topic: give -t TOPIC, or a URL such as mqtt://localhost/TOPIC.");
  }
  if (auto checked = check_name(options.topic); !checked) return checked;
  const int sources = (options.message ? 1 : 0) + (options.file ? 1 : 0) + (options.lines ? 1 : 0) +
                      (options.whole_input ? 1 : 0) + (options.null ? 1 : 0);
  if (sources == 0) {
    return Wrong(
        "there is no message: give -m TEXT, -f FILE, -s (standard input), -l (each line "
        "of it) or -n (an empty one).");
  }
  if (sources > 1) return Wrong("-m, -f, -s, -l and -n exclude each other: give one of them.");
  if (options.repeat > 1 && options.lines && !options.client.program.mosquitto) {
    return Wrong("--repeat repeats one message: it does not go with -l.");
  }
  if (options.repeat > 1 && options.client.scheme == Scheme::kCoap) {
    return Wrong("--repeat is there for MQTT only.");
  }
  return {};
}

Checked complete(SubOptions& options) {
  std::string url_topic;
  if (auto checked = complete(options.client, url_topic); !checked) return checked;
  if (!url_topic.empty()) options.topics.insert(options.topics.begin(), std::move(url_topic));
  if (options.topics.empty() && options.unsubscribe.empty()) {
    return Wrong("there is no topic: give -t TOPIC, or a URL such as mqtt://localhost/TOPIC.");
  }
  for (const auto* filters : {&options.topics, &options.filtered_out, &options.unsubscribe}) {
    for (const std::string& filter : *filters) {
      if (auto checked = check_filter(filter, options.client.protocol); !checked) return checked;
    }
  }
  if (options.count && options.client.receive_max > *options.count) {
    // Those that are not wanted any more stay with the broker.
    options.client.receive_max = static_cast<std::uint16_t>(*options.count);
  }
  if (options.print.no_retained && options.retained_only) {
    return Wrong("-R and --retained-only exclude each other.");
  }
  if (auto checked = check_retain_handling(options); !checked) return checked;
  if (options.client.scheme != Scheme::kCoap) return {};
  if (!options.unsubscribe.empty() || options.remove_retained) {
    return Wrong("CoAP has no counterpart of -U and --remove-retained: leave them out.");
  }
  return {};
}

Checked complete(RrOptions& options) {
  if (options.response_topic.empty()) {
    return Wrong("there is no topic for the response: give -e TOPIC.");
  }
  if (auto checked = complete(options.request); !checked) return checked;
  const ClientOptions& client = options.request.client;
  if (client.scheme == Scheme::kCoap) {
    return Wrong("rr is there for MQTT only: a CoAP request has its answer. Use hermod pub.");
  }
  if (options.request.lines) return Wrong("rr asks once: -l does not go with it.");
  if (client.properties.publish.has(mqtt::PropertyId::kResponseTopic)) {
    return Wrong("-e is the response topic: leave out -D publish response-topic.");
  }
  return check_name(options.response_topic);
}

Checked complete(ServeOptions& options) {
  constexpr std::size_t kPortsMax = 10;  // mosquitto's
  if (options.ports.size() > kPortsMax) {
    return Wrong(
        fmt::format("-p may be given {} times at most. A configuration (-c FILE) may have "
                    "more listeners.",
                    kPortsMax));
  }
  if (options.ports.size() > 1 && !options.program.mosquitto) {
    return Wrong("-p is given twice. Open several ports by listener lines: -c FILE.");
  }
  if (options.test_config && options.config_file.empty()) {
    return Wrong("--test-config needs the configuration to look at: -c FILE.");
  }
  return {};
}

}  // namespace hermod::app
