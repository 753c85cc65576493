// SPDX-License-Identifier: Apache-2.0
// Lines of a configuration become rows of the table; what the rows make of them, directives.cpp
// says.
#include "config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "config/directives.hpp"
#include "text/file.hpp"
#include "text/suggest.hpp"

namespace hermod::app {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const std::size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

/// Upper case comes before the lower case of the same letter: A, a, B, b (mosquitto.conf(5),
/// include_dir).
bool comes_before(const std::string& a, const std::string& b) {
  const auto key = [](char c) {
    const bool small = c >= 'a' && c <= 'z';
    const char upper = small ? static_cast<char>(c - 'a' + 'A') : c;
    return std::pair(static_cast<unsigned char>(upper), small);
  };
  return std::ranges::lexicographical_compare(a, b, {}, key, key);
}

class Reader {
 public:
  Reader(ConfigReading& reading, std::span<const std::string_view> protocols) : reading_(reading) {
    draft_.protocols = protocols;
  }

  void read_file(const std::string& path) {
    const auto text = read_whole_file(path);
    if (!text) {
      find(Finding::Weight::kError, {path, 0}, fmt::format("cannot be read: {}.", text.error()));
      return;
    }
    read_text(*text, path);
  }

  void read_text(std::string_view text, const std::string& file) {
    Place place{file, 0};
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++place.line;
      read_line(trim(text.substr(0, end)), place);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  /// Settles what only the whole file decides.
  void finish() {
    Config& config = draft_.config;
    if (draft_.default_listener_wanted) {
      if (draft_.default_listener.port == 0) draft_.default_listener.port = kMqttPort;
      config.listeners.insert(config.listeners.begin(), draft_.default_listener);
    }
    config.local_only = config.listeners.empty();
    if (config.local_only) {
      config.listeners = default_config(kMqttPort, kCoapPort).listeners;
      for (ListenerConfig& listener : config.listeners) {
        listener.access = draft_.default_listener.access;
      }
    }
    refuse_twins(config.listeners);
    refuse_datagrams(config.listeners);
    reading_.config = std::move(config);
  }

 private:
  void find(Finding::Weight weight, Place place, std::string text) {
    reading_.findings.push_back({weight, std::move(place), std::move(text)});
  }
  void refuse(const Place& place, std::string text) {
    find(Finding::Weight::kError, place, std::move(text));
  }
  void warn(const Place& place, std::string text) {
    find(Finding::Weight::kWarning, place, std::move(text));
  }

  void read_line(std::string_view line, const Place& place) {
    if (line.empty() || line.front() == '#') return;
    if (line.find('\0') != std::string_view::npos) {
      return refuse(place, "the line holds a zero octet: this is not a text file.");
    }
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    const std::string_view name = line.substr(0, end);
    const Directive* row = find_directive(name);
    if (row == nullptr) return refuse_unknown(name, place);
    apply(*row, name, trim(line.substr(end)), place);
  }

  void refuse_twins(const std::vector<ListenerConfig>& listeners) {
    for (auto twin = listeners.begin(); twin != listeners.end(); ++twin) {
      const auto same = std::find_if(listeners.begin(), twin, [twin](const ListenerConfig& other) {
        return other.port == twin->port && other.address == twin->address &&
               other.path == twin->path && other.protocol == twin->protocol &&
               other.domain == twin->domain;
      });
      if (same == twin) continue;
      if (!twin->path.empty()) {
        refuse(twin->place,
               fmt::format("the Unix socket \"{}\" is already opened by the listener at "
                           "{}:{}. Remove one of them, or choose another path.",
                           twin->path, same->place.file, same->place.line));
        continue;
      }
      refuse(twin->place,
             fmt::format("port {} is already opened for {} by the listener at {}:{}. "
                         "Remove one of them, or choose another port.",
                         twin->port, twin->protocol, same->place.file, same->place.line));
    }
  }

  /// Whether a protocol needs datagrams is known below all lines of its listener.
  void refuse_datagrams(const std::vector<ListenerConfig>& listeners) {
    for (const ListenerConfig& listener : listeners) {
      if (listener.path.empty() || listener.protocol == "mqtt") continue;
      refuse(listener.place,
             fmt::format("the Unix socket \"{}\" is for mqtt, but its protocol is {}. Open a port "
                         "for it: listener PORT",
                         listener.path, listener.protocol));
    }
  }

  void refuse_unknown(std::string_view name, const Place& place) {
    const auto names = directive_names();
    refuse(place, fmt::format("unknown directive \"{}\".{} All of them: hermod help config", name,
                              did_you_mean(name, names)));
  }

  void apply(const Directive& row, std::string_view name, std::string_view text,
             const Place& place) {
    if (row.standing == Standing::kNoEffect) {
      return warn(place, fmt::format("\"{}\" has no effect: {}", name, row.help));
    }
    if (row.standing == Standing::kRefused) {
      return refuse(place, fmt::format("\"{}\" cannot be obeyed: {}", name, row.help));
    }
    if (text.empty()) {
      return refuse(place, fmt::format("\"{}\" needs a value: {}. Default: {}.", name,
                                       row.kind == ValueKind::kText ? std::string(row.help)
                                                                    : describe(row.kind, row.range),
                                       row.standard));
    }
    const auto value = read_value(text, row.kind, row.range);
    if (!value) {
      return refuse(place,
                    fmt::format("\"{}\" is \"{}\", but must be {}.", name, text, value.error()));
    }
    const bool global = row.scope == Scope::kGlobal ||
                        (row.scope == Scope::kAccess && !draft_.config.per_listener_settings);
    if (global && !row.repeats) warn_of_repetition(row, place);
    draft_.place = place;
    draft_.directive = row.name;
    const std::string reason = row.apply(draft_, *value);
    if (!reason.empty()) return refuse(place, reason);
    for (std::string& warning : draft_.warnings) warn(place, std::move(warning));
    draft_.warnings.clear();
    if (row.name == "listener") draft_.config.listeners.back().place = place;
    if (draft_.default_listener_wanted && draft_.default_listener.place.line == 0) {
      draft_.default_listener.place = place;
    }
    if (row.name == "include_dir") include(std::string(text), place);
  }

  void warn_of_repetition(const Directive& row, const Place& place) {
    const auto [before, first] = given_.try_emplace(row.name, place);
    if (first) return;
    warn(place, fmt::format("\"{}\" was given before, at {}:{}. The later line counts.", row.name,
                            before->second.file, before->second.line));
    before->second = place;
  }

  void include(const std::string& directory, const Place& place) {
    if (including_) {
      return refuse(place,
                    "\"include_dir\" stands in a file that was itself included: it is only "
                    "allowed in the main file.");
    }
    std::error_code error;
    std::filesystem::directory_iterator entries(directory, error);
    if (error) {
      return refuse(place, fmt::format("\"include_dir\" names \"{}\", which cannot be read: {}.",
                                       directory, error.message()));
    }
    std::vector<std::string> names;
    for (const auto& entry : entries) {
      if (entry.path().extension() == ".conf") names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names, comes_before);
    including_ = true;
    for (const std::string& name : names) {
      read_file((std::filesystem::path(directory) / name).string());
    }
    including_ = false;
  }

  ConfigReading& reading_;
  Draft draft_;
  std::unordered_map<std::string_view, Place> given_;
  bool including_ = false;
};

void append_help(std::string& out, const Directive& row) {
  out += fmt::format("  {:<30} {}\n", row.name, row.help);
  if (row.kind != ValueKind::kText) {
    out += fmt::format("  {:<30} {}\n", "", describe(row.kind, row.range));
  }
  out += fmt::format("  {:<30} default: {}\n", "", row.standard);
}

}  // namespace

bool ConfigReading::refused() const {
  return std::ranges::any_of(findings,
                             [](const Finding& f) { return f.weight == Finding::Weight::kError; });
}

ConfigReading read_config_file(const std::string& path,
                               std::span<const std::string_view> protocols) {
  ConfigReading reading;
  Reader reader(reading, protocols);
  reader.read_file(path);
  reader.finish();
  return reading;
}

ConfigReading read_config_text(std::string_view text, const std::string& file,
                               std::span<const std::string_view> protocols) {
  ConfigReading reading;
  Reader reader(reading, protocols);
  reader.read_text(text, file);
  reader.finish();
  return reading;
}

Config default_config(std::uint16_t mqtt_port, std::uint16_t coap_port) {
  Config config;
  config.listeners.push_back({.protocol = "mqtt", .port = mqtt_port, .address = "localhost"});
  config.listeners.push_back({.protocol = "coap", .port = coap_port, .address = "localhost"});
  return config;
}

std::string config_help() {
  std::string out =
      "The configuration file has one directive a line: a name, a blank and a value. Lines that\n"
      "begin with # are comments. It is the grammar of mosquitto.conf.\n\n";
  out += "For the whole broker:\n";
  for (const Directive& row : directives()) {
    if (row.scope != Scope::kListener) append_help(out, row);
  }
  out += "\nFor the listener line above them:\n";
  for (const Directive& row : directives()) {
    if (row.scope == Scope::kListener) append_help(out, row);
  }
  out += "\nKnown from mosquitto, ignored with a warning:\n";
  for (const Directive& row : foreign_directives()) {
    if (row.standing == Standing::kNoEffect)
      out += fmt::format("  {:<30} {}\n", row.name, row.help);
  }
  out += "\nKnown from mosquitto, refused because ignoring them would open what they close:\n";
  for (const Directive& row : foreign_directives()) {
    if (row.standing == Standing::kRefused) out += fmt::format("  {:<30} {}\n", row.name, row.help);
  }
  return out;
}

}  // namespace hermod::app
