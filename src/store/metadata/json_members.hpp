// SPDX-License-Identifier: Apache-2.0
// Reads the members of a JSON object strictly: each has its type and range, none is missing, none
// is left over. After the first that is wrong all are nothing, and Trouble says what it was.
#pragma once

#include <boost/json.hpp>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/store/calendar.hpp"

namespace hermod::store {

/// Octets as JSON: a string when they are UTF-8, else {"hex":"..."}; null when they are not there.
[[nodiscard]] boost::json::value json_octets(Bytes octets);
[[nodiscard]] inline boost::json::value json_octets(std::string_view text) {
  return json_octets(as_bytes(text));
}
/// A time in the calendar; null for never.
[[nodiscard]] boost::json::value json_time(Instant at, const Calendar& calendar);

/// What is wrong with a text, and what its reading has to hold on to.
struct Trouble {
  std::string what;                            ///< empty: nothing
  std::deque<std::vector<std::uint8_t>> kept;  ///< octets that were written in hexadecimal

  [[nodiscard]] explicit operator bool() const { return !what.empty(); }
  void say(std::string_view member, std::string_view why);
  /// Octets as json_octets() writes them, borrowed from `value` and this; no data() for null.
  [[nodiscard]] Bytes octets(const boost::json::value& value, std::string_view member);
};

class JsonMembers {
 public:
  /// `value` and `trouble` outlive this.
  JsonMembers(const boost::json::value& value, std::string_view name, Trouble& trouble);

  template <typename Number>
  Number integer(std::string_view member, Number min = std::numeric_limits<Number>::min(),
                 Number max = std::numeric_limits<Number>::max()) {
    return integer_of<Number>(take(member), member, min, max);
  }
  template <typename Number>
  std::optional<Number> maybe_integer(std::string_view member) {
    const boost::json::value& value = take(member);
    if (value.is_null()) return std::nullopt;
    return integer_of<Number>(value, member, std::numeric_limits<Number>::min(),
                              std::numeric_limits<Number>::max());
  }
  bool boolean(std::string_view member);
  Bytes octets(std::string_view member) { return trouble_.octets(take(member), member); }
  std::string_view text(std::string_view member) { return as_text(octets(member)); }
  std::string string(std::string_view member);
  Instant time(std::string_view member, const Calendar& calendar);
  /// Any; null when it is not there, which is wrong.
  const boost::json::value& take(std::string_view member);
  /// No other member may be left.
  void finish();

 private:
  template <typename Number>
  Number integer_of(const boost::json::value& value, std::string_view member, Number min,
                    Number max) {
    boost::system::error_code wrong;
    const Number number = value.to_number<Number>(wrong);
    // A number with a fraction, or an exponent, is none that was written.
    if (!wrong && !value.is_double() && number >= min && number <= max) return number;
    trouble_.say(member, "must be a whole number within its range");
    return min;
  }

  const boost::json::object* object_ = nullptr;
  std::string_view name_;
  Trouble& trouble_;
  std::size_t taken_ = 0;
};

}  // namespace hermod::store
