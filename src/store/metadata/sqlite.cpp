// SPDX-License-Identifier: Apache-2.0
#include "sqlite.hpp"

namespace hermod::store {

void RowSum::integer(std::int64_t value) {
  auto left = static_cast<std::uint64_t>(value);
  for (int i = 0; i < 8; ++i, left >>= 8) octet(static_cast<std::uint8_t>(left));
}

void RowSum::octets(std::uint8_t type, Bytes octets) {
  octet(type);
  integer(static_cast<std::int64_t>(octets.size()));
  for (const std::uint8_t each : octets) octet(each);
}

void RowSum::add(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    octet(SQLITE_INTEGER);
    integer(*number);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    octets(SQLITE_TEXT, as_bytes(*text));
  } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
    octets(SQLITE_BLOB, *bytes);
  } else {
    octet(SQLITE_NULL);
  }
}

int Statement::prepare(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  return code;
}

// Binding fails for an index that the statement does not have, and for what is larger than SQLite
// takes, which the step then tells.
void Statement::bind(int index, const Value& value) {
  sqlite3_stmt* to = statement_.get();
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    sqlite3_bind_int64(to, index, *number);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    // Without an address it would be NULL.
    sqlite3_bind_text64(to, index, text->empty() ? "" : text->data(), text->size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
    const void* data = bytes->empty() ? static_cast<const void*>("") : bytes->data();
    sqlite3_bind_blob64(to, index, data, bytes->size(), SQLITE_STATIC);
  } else {
    sqlite3_bind_null(to, index);
  }
}

int Statement::finish() {
  const int code = sqlite3_step(statement_.get());
  const int after = sqlite3_reset(statement_.get());
  return code == SQLITE_DONE ? after : code;
}

Value Statement::column(int index) const {
  switch (sqlite3_column_type(statement_.get(), index)) {
    case SQLITE_INTEGER:
      return integer(index);
    case SQLITE_TEXT:
      return text(index);
    case SQLITE_BLOB:
      return octets(index);
    default:
      return nullptr;  // the tables are STRICT and have no floating-point numbers
  }
}

std::optional<std::int64_t> Statement::maybe_integer(int index) const {
  if (sqlite3_column_type(statement_.get(), index) == SQLITE_NULL) return std::nullopt;
  return integer(index);
}

std::string_view Statement::text(int index) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), index));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), index))};
}

std::optional<std::string> Statement::maybe_text(int index) const {
  if (sqlite3_column_type(statement_.get(), index) == SQLITE_NULL) return std::nullopt;
  return std::string{text(index)};
}

Bytes Statement::octets(int index) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), index));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), index))};
}

bool Statement::sum_is_right() const {
  const int last = sqlite3_column_count(statement_.get()) - 1;
  RowSum sum;
  for (int i = 0; i < last; ++i) sum.add(column(i));
  return sqlite3_column_type(statement_.get(), last) == SQLITE_INTEGER &&
         integer(last) == sum.sum();
}

Answer ask(sqlite3* database, std::string_view sql) {
  Statement statement;
  Answer answer{statement.prepare(database, sql), {}};
  if (answer.code != SQLITE_OK) return answer;
  const int code = statement.step();
  if (code == SQLITE_ROW) answer.text = statement.text(0);
  answer.code = code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
  return answer;
}

}  // namespace hermod::store
