// SPDX-License-Identifier: Apache-2.0
// The table of all configuration directives: Hermod's own, and those of mosquitto.conf that do
// nothing here. The reader, the help text and the suggestions live from it; a new directive is one
// row. It does not know lines and files.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/value.hpp"

namespace hermod::app {

/// What is known while a file is being read.
struct Draft {
  Config config;
  /// What `port`, `bind_address` and listener directives before the first `listener` line say.
  ListenerConfig default_listener;
  bool default_listener_wanted = false;
  bool log_dest_given = false;
  bool log_type_given = false;
  /// Names that `protocol` may have.
  std::span<const std::string_view> protocols;
  /// What the directive that is being applied wants to warn of.
  std::vector<std::string> warnings;
  bool access_given = false;
  Place place;                 ///< of that directive
  std::string_view directive;  ///< its name

  /// The listener that a listener directive belongs to: the last one, or the default one.
  [[nodiscard]] ListenerConfig& listener();
  /// Where allow_anonymous and the files belong. Unlike listener() this opens no port.
  [[nodiscard]] AccessConfig& access();
};

enum class Scope : std::uint8_t {
  kGlobal,
  kListener,  ///< belongs to the `listener` line above it
  kAccess,    ///< the same with per_listener_settings, else global
};

/// What becomes of a directive.
enum class Standing : std::uint8_t {
  kWorks,
  kNoEffect,  ///< mosquitto's; a warning says what it means that it is ignored
  kRefused,   ///< mosquitto's; ignoring it would open what the user meant to close
};

struct Directive {
  std::string_view name;  ///< a '*' at the end stands for any letters
  Scope scope = Scope::kGlobal;
  ValueKind kind = ValueKind::kText;
  Range range{};
  bool repeats = false;  ///< may be given more than once
  /// Puts the value into the draft; a text that is not empty refuses it and says why.
  std::string (*apply)(Draft& draft, const Value& value) = nullptr;
  std::string_view standard;  ///< the default, in words
  std::string_view help;      ///< what it is for; without effect: why, and what to do instead
  Standing standing = Standing::kWorks;
};

/// Directives that work.
[[nodiscard]] std::span<const Directive> directives();
/// Directives of mosquitto.conf that do not work here, or not yet.
[[nodiscard]] std::span<const Directive> foreign_directives();
/// The row of a name, or nullptr.
[[nodiscard]] const Directive* find_directive(std::string_view name);
/// The names of all rows, those that work first.
[[nodiscard]] std::vector<std::string_view> directive_names();

}  // namespace hermod::app
