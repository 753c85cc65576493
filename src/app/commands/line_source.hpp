// SPDX-License-Identifier: Apache-2.0
// Lines of a file descriptor, one at a time, without ever blocking the event loop on a pipe or a
// terminal. Regular files, which cannot be waited for, are just read.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <optional>
#include <string>

#include "hermod/client/error.hpp"

namespace hermod::app {

class LineSource {
 public:
  /// A line without its end; nothing at the end of the input, or after an error.
  using Callback = std::move_only_function<void(client::error_code, std::optional<std::string>)>;

  /// `line_bytes_max` bounds a line. `descriptor` stays the caller's.
  LineSource(boost::asio::io_context& io, int descriptor, std::size_t line_bytes_max);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  /// Calls back through the loop; one call at a time. A last line without an end counts as a line.
  void next(Callback callback);

 private:
  [[nodiscard]] bool take_line();
  void wait();
  void read();
  void answer(client::error_code error, std::optional<std::string> line);

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor descriptor_;
  int fd_;
  std::size_t line_bytes_max_;
  Callback callback_;
  std::string buffer_;
  std::size_t begin_ = 0;     // of what was not handed out
  std::size_t searched_ = 0;  // up to here there is no line end
  bool ended_ = false;
};

}  // namespace hermod::app
