// SPDX-License-Identifier: Apache-2.0
// Hermod's own client library as a driver of the feature tests: tests/support/peers.py says what it
// reads and writes. With `session=1` in connect a client is an MqttSession, which tells of its
// connections: CLIENT connected present=N, CLIENT lost.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <cctype>
#include <iostream>
#include <map>
#include <sstream>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <unistd.h>

#include "hermod/client/mqtt_client.hpp"
#include "hermod/client/mqtt_session.hpp"

namespace {

using namespace hermod;
using namespace hermod::client;

// --- words ---

std::string decode(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(word.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

std::string encode(std::string_view octets) {
  std::string out;
  for (const char octet : octets) {
    const auto code = static_cast<unsigned char>(octet);
    if (std::isalnum(code) != 0) {
      out += octet;
    } else {
      out += {'%', "0123456789abcdef"[code / 16], "0123456789abcdef"[code % 16]};
    }
  }
  return out;
}

/// The keys of a request and their values, still encoded.
class Options {
 public:
  explicit Options(std::istream& words) {
    for (std::string word; words >> word;) {
      const std::size_t at = word.find('=');
      values_[word.substr(0, at)] = word.substr(at + 1);
    }
  }
  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }
  [[nodiscard]] std::string text(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? "" : decode(found->second);
  }
  [[nodiscard]] std::uint32_t number(const std::string& key, std::uint32_t otherwise = 0) const {
    return has(key) ? static_cast<std::uint32_t>(std::stoul(text(key))) : otherwise;
  }
  [[nodiscard]] model::Guarantee guarantee(const std::string& key) const {
    return static_cast<model::Guarantee>(number(key));
  }
  [[nodiscard]] mqtt::UserProperties user(const std::string& key) const {
    mqtt::UserProperties out;
    if (!has(key)) return out;
    std::istringstream words(values_.at(key));
    for (std::string name, value; std::getline(words, name, ',');) {
      std::getline(words, value, ',');
      out.emplace_back(decode(name), decode(value));
    }
    return out;
  }
  [[nodiscard]] mqtt::MessageProperties properties(const std::string& prefix = "") const {
    mqtt::MessageProperties out{.content_type = text(prefix + "content_type"),
                                .response_topic = text(prefix + "response_topic"),
                                .correlation_data = text(prefix + "correlation"),
                                .text = number(prefix + "text") == 1,
                                .user = user(prefix + "user")};
    if (has(prefix + "expiry")) out.expiry_s = number(prefix + "expiry");
    return out;
  }

 private:
  std::map<std::string, std::string> values_;
};

void say(const std::string& words) {
  std::cout << words << '\n' << std::flush;
}

std::string describe(const mqtt::MessageProperties& properties) {
  std::string out;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) out += fmt::format(" {}={}", key, encode(value));
  };
  add("content_type", properties.content_type);
  add("response_topic", properties.response_topic);
  add("correlation", properties.correlation_data);
  if (properties.expiry_s) out += fmt::format(" expiry={}", *properties.expiry_s);
  if (properties.text) out += " text=1";
  for (const auto& [name, value] : properties.user) {
    out += fmt::format("{}{},{}", &name == &properties.user.front().first ? " user=" : ",",
                       encode(name), encode(value));
  }
  return out;
}

std::string describe(const MqttMessage& message) {
  std::string out =
      fmt::format("topic={} payload={} qos={} retain={:d}", encode(message.topic),
                  encode(message.payload), static_cast<int>(message.guarantee), message.retain);
  const char* before = " ids=";
  for (const std::uint32_t id : message.subscription_ids) {
    out += fmt::format("{}{}", std::exchange(before, ","), id);
  }
  return out + describe(message.properties);
}

std::string describe(const mqtt::ServerTerms& terms) {
  std::string out = fmt::format(
      "session_expiry={} keep_alive={} receive_max={} packet_max={} alias_max={} qos_max={} "
      "has_retain={:d} has_wildcards={:d} has_ids={:d} has_shared={:d}",
      terms.session_expiry_s, terms.keep_alive_s, terms.receive_max, terms.packet_bytes_max,
      terms.topic_alias_max, static_cast<int>(terms.guarantee_max), terms.retain, terms.wildcards,
      terms.subscription_ids, terms.shared_subscriptions);
  if (!terms.client_id.empty()) out += " assigned=" + encode(terms.client_id);
  if (!terms.server_reference.empty()) out += " reference=" + encode(terms.server_reference);
  return out;
}

// --- clients ---

mqtt::Version version_of(const std::string& word) {
  if (word == "5") return mqtt::Version::kV5;
  return word == "31" ? mqtt::Version::kV31 : mqtt::Version::kV311;
}

MqttOptions options_of(const Options& given) {
  MqttOptions options{.host = "127.0.0.1",
                      .port = static_cast<std::uint16_t>(given.number("port"))};
  mqtt::ClientOptions& session = options.session;
  session.version = version_of(given.text("version"));
  session.client_id = given.text("client_id");
  session.clean_session = given.number("clean", 1) == 1;
  session.keep_alive_s = static_cast<std::uint16_t>(given.number("keep_alive", 60));
  if (given.has("user_name")) session.user_name = given.text("user_name");
  if (given.has("password")) {
    const std::string password = given.text("password");
    session.password.emplace(password.begin(), password.end());
  }
  session.session_expiry_s = given.number("session_expiry");
  session.receive_max = static_cast<std::uint16_t>(given.number("receive_max", 65'535));
  session.packet_bytes_max = given.number("packet_max", session.packet_bytes_max);
  session.topic_alias_max = static_cast<std::uint16_t>(given.number("alias_max"));
  session.own_topic_alias_max = static_cast<std::uint16_t>(given.number("own_alias_max"));
  session.request_problem_information = given.number("problem", 1) == 1;
  session.user_properties = given.user("user");
  if (given.has("will_topic")) {
    const std::string payload = given.text("will_payload");
    session.will = {.topic = given.text("will_topic"),
                    .payload = {payload.begin(), payload.end()},
                    .guarantee = given.guarantee("will_qos"),
                    .retain = given.number("will_retain") == 1,
                    .delay_s = given.number("will_delay"),
                    .properties = given.properties("will_")};
  }
  return options;
}

MqttSessionOptions session_options_of(const Options& given, const std::string& name) {
  return {.mqtt = options_of(given),
          .backoff = {.initial = std::chrono::milliseconds(20),
                      .longest = std::chrono::milliseconds(200)},
          .on_change = [name](const MqttSessionChange& change) {
            if (change.kind == MqttSessionChange::Kind::kConnected) {
              say(fmt::format("{} connected present={:d}", name, change.session_present));
            } else {
              say(name + " lost");
            }
          }};
}

class Peer {
 public:
  Peer(boost::asio::io_context& io, std::string name, const Options& given)
      : name_(std::move(name)), v5_(given.text("version") == "5") {
    if (given.has("session")) {
      client_ = std::make_unique<MqttSession>(io.get_executor(), session_options_of(given, name_));
    } else {
      client_ = std::make_unique<MqttClient>(io.get_executor(), options_of(given));
    }
  }

  void connect(const std::string& ticket) {
    visit([&](auto& client) {
      client.async_connect([this, ticket, &client](error_code error, bool present) {
        say(fmt::format("{} done code={} present={:d} {}", ticket, code_of(error), present,
                        describe(client.server())));
        if (!error) receive();
      });
    });
  }

  void subscribe(const std::string& ticket, const Options& given) {
    const MqttSubscription subscription{
        .filter = given.text("topic"),
        .guarantee_max = given.guarantee("qos"),
        .no_local = given.number("no_local") == 1,
        .retain_as_published = given.number("as_published") == 1,
        .retain_handling = static_cast<mqtt::RetainHandling>(given.number("retain_handling"))};
    const MqttRequestProperties properties{.subscription_id = given.number("id")};
    visit([&](auto& client) {
      client.async_subscribe({subscription}, properties,
                             [this, ticket](error_code error, const MqttGrants& grants) {
                               std::string codes;
                               for (const MqttGrant& grant : grants) {
                                 codes += fmt::format("{}{}", codes.empty() ? "" : ",", grant.code);
                               }
                               finish(ticket, error, " codes=" + codes);
                             });
    });
  }

  void unsubscribe(const std::string& ticket, const Options& given) {
    visit([&](auto& client) {
      client.async_unsubscribe({given.text("topic")},
                               [this, ticket](error_code error) { finish(ticket, error); });
    });
  }

  void publish(const std::string& ticket, const Options& given) {
    const MqttPublication publication{.topic = given.text("topic"),
                                      .payload = given.text("payload"),
                                      .guarantee = given.guarantee("qos"),
                                      .retain = given.number("retain") == 1,
                                      .properties = given.properties()};
    visit([&](auto& client) {
      client.async_publish(publication,
                           [this, ticket](error_code error) { finish(ticket, error); });
    });
  }

  void disconnect(const std::string& ticket, const Options& given) {
    MqttFarewell farewell{.reason = static_cast<mqtt::ReasonCode>(given.number("code"))};
    if (given.has("session_expiry")) farewell.session_expiry_s = given.number("session_expiry");
    visit([&](auto& client) {
      client.async_disconnect(farewell,
                              [this, ticket](error_code error) { finish(ticket, error); });
    });
  }

  void kill(const std::string& ticket) {
    visit([](auto& client) { client.close(); });
    say(ticket + " done");
  }

 private:
  void visit(auto&& action) {
    std::visit([&](auto& client) { action(*client); }, client_);
  }

  /// 0, what the server said, or a number of the library's own.
  int code_of(error_code error) {
    if (!error) return 0;
    int code = error.value();
    if (v5_) {
      visit([&](auto& client) {
        if (mqtt::is_failure(client.refusal().code)) code = static_cast<int>(client.refusal().code);
      });
    }
    return code;
  }

  std::string reason() {
    std::string words;
    visit([&](auto& client) { words = client.refusal().reason_string; });
    return words.empty() ? "" : " reason=" + encode(words);
  }

  void finish(const std::string& ticket, error_code error, const std::string& more = "") {
    say(fmt::format("{} done code={}{}{}", ticket, code_of(error), more, error ? reason() : ""));
  }

  void receive() {
    visit([&](auto& client) {
      client.async_receive([this](error_code error, const MqttMessage& message) {
        if (!error) {
          say(name_ + " message " + describe(message));
          return receive();
        }
        std::string end = name_ + " ended";
        visit([&](auto& ended) {
          if (mqtt::is_failure(ended.refusal().code)) {
            end += fmt::format(" code={}", static_cast<int>(ended.refusal().code));
          }
          const std::string& reference = ended.server().server_reference;
          if (!reference.empty()) end += " reference=" + encode(reference);
        });
        say(end + reason());
      });
    });
  }

  std::string name_;
  bool v5_;
  std::variant<std::unique_ptr<MqttClient>, std::unique_ptr<MqttSession>> client_;
};

// --- requests ---

class Driver {
 public:
  explicit Driver(boost::asio::io_context& io) : io_(&io), input_(io, ::dup(STDIN_FILENO)) {}

  void read() {
    boost::asio::async_read_until(input_, buffer_, '\n', [this](error_code error, std::size_t) {
      if (error) return io_->stop();
      std::istream lines(&buffer_);
      std::string line;
      std::getline(lines, line);
      obey(line);
      read();
    });
  }

 private:
  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string ticket;
    std::string name;
    std::string command;
    words >> ticket >> name >> command;
    const Options given(words);
    if (command == "connect") {
      peers_[name] = std::make_unique<Peer>(*io_, name, given);
      return peers_[name]->connect(ticket);
    }
    Peer& peer = *peers_.at(name);
    if (command == "subscribe") return peer.subscribe(ticket, given);
    if (command == "unsubscribe") return peer.unsubscribe(ticket, given);
    if (command == "publish") return peer.publish(ticket, given);
    if (command == "disconnect") return peer.disconnect(ticket, given);
    if (command == "kill") return peer.kill(ticket);
    std::cerr << "no command: " << command << "\n";
    io_->stop();
  }

  boost::asio::io_context* io_;
  boost::asio::posix::stream_descriptor input_;
  boost::asio::streambuf buffer_;
  std::map<std::string, std::unique_ptr<Peer>> peers_;
};

}  // namespace

int main() {
  boost::asio::io_context io;
  Driver driver(io);
  driver.read();
  io.run();
}
