// SPDX-License-Identifier: Apache-2.0
// The little of SQLite that the metadata needs: a connection, statements that are kept, and rows
// that carry a sum over their values, as SQLite finds damage of its structures but not of a value.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "hermod/base/bytes.hpp"

namespace hermod::store {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

/// One value of a row. Texts and octets are borrowed until the statement has run.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Bytes>;

/// Sum over the values of a row: FNV-1a of 64 bits over each value's type (SQLite's number of it)
/// and octets; integers little-endian, texts and octets behind their length (as an integer). It
/// changes with every single octet.
class RowSum {
 public:
  void add(const Value& value);
  [[nodiscard]] std::int64_t sum() const { return static_cast<std::int64_t>(state_); }

 private:
  void octet(std::uint8_t octet) { state_ = (state_ ^ octet) * 0x100000001b3u; }
  void integer(std::int64_t value);
  void octets(std::uint8_t type, Bytes octets);

  std::uint64_t state_ = 0xcbf29ce484222325u;
};

/// A prepared statement. Results are SQLite's codes; its text of the last one is the connection's.
class Statement {
 public:
  [[nodiscard]] int prepare(sqlite3* database, std::string_view sql);
  /// Runs a statement without rows, with these parameters.
  template <typename... Values>
  [[nodiscard]] int run(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return finish();
  }
  /// The same, and one more parameter: the sum over the others.
  template <typename... Values>
  [[nodiscard]] int run_summed(const Values&... values) {
    int index = 0;
    RowSum sum;
    ((bind(++index, values), sum.add(values)), ...);
    bind(++index, sum.sum());
    return finish();
  }

  /// The next row: SQLITE_ROW, SQLITE_DONE or an error.
  [[nodiscard]] int step() { return sqlite3_step(statement_.get()); }
  void reset() { sqlite3_reset(statement_.get()); }
  /// A column of the row, counted from 0. Texts and octets live until the next step.
  [[nodiscard]] Value column(int index) const;
  [[nodiscard]] std::int64_t integer(int index) const {
    return sqlite3_column_int64(statement_.get(), index);
  }
  [[nodiscard]] std::optional<std::int64_t> maybe_integer(int index) const;
  [[nodiscard]] std::string_view text(int index) const;
  [[nodiscard]] std::optional<std::string> maybe_text(int index) const;
  [[nodiscard]] Bytes octets(int index) const;
  /// Whether the last column is the sum over the others.
  [[nodiscard]] bool sum_is_right() const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void bind(int index, const Value& value);
  int finish();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

struct Answer {
  int code = SQLITE_OK;
  std::string text;
};
/// Runs a statement once, up to its first row: the first column of that, if there is one.
[[nodiscard]] Answer ask(sqlite3* database, std::string_view sql);

/// NULL for nothing.
template <typename Number>
[[nodiscard]] Value optional_value(const std::optional<Number>& number) {
  return number ? Value{static_cast<std::int64_t>(*number)} : Value{nullptr};
}

}  // namespace hermod::store
