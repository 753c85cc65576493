// SPDX-License-Identifier: Apache-2.0
// Lines of a file descriptor.
#include "commands/line_source.hpp"

#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace hermod::app {

namespace {
constexpr std::size_t kReadBytes = 64 * 1024;
}

LineSource::LineSource(boost::asio::io_context& io, int descriptor, std::size_t line_bytes_max)
    : io_(io), descriptor_(io), fd_(descriptor), line_bytes_max_(line_bytes_max) {
  client::error_code ignored;  // what cannot be waited for is noticed in wait()
  descriptor_.assign(descriptor, ignored);
}

LineSource::~LineSource() {
  if (descriptor_.is_open()) static_cast<void>(descriptor_.release());
}

void LineSource::next(Callback callback) {
  callback_ = std::move(callback);
  if (take_line()) return;
  if (ended_) return answer({}, std::nullopt);
  wait();
}

bool LineSource::take_line() {
  const std::size_t end = buffer_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    if (!ended_ || begin_ == buffer_.size()) return false;
    answer({}, buffer_.substr(begin_));
    begin_ = buffer_.size();
    return true;
  }
  answer({}, buffer_.substr(begin_, end - begin_));
  begin_ = searched_ = end + 1;
  return true;
}

void LineSource::wait() {
  if (!descriptor_.is_open()) return boost::asio::post(io_, [this] { read(); });
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](client::error_code error) {
                           if (error == boost::asio::error::operation_aborted) return;
                           read();  // with any other error: it is a file, always readable
                         });
}

void LineSource::read() {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const ssize_t count = ::read(fd_, buffer_.data() + before, kReadBytes);
  const int error = errno;
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0 && error != EAGAIN && error != EINTR) {
    ended_ = true;
    return answer({error, boost::system::system_category()}, std::nullopt);
  }
  if (count == 0) ended_ = true;
  if (take_line()) return;
  if (ended_) return answer({}, std::nullopt);
  if (buffer_.size() > line_bytes_max_) return answer(client::Error::kTooLarge, std::nullopt);
  wait();
}

void LineSource::answer(client::error_code error, std::optional<std::string> line) {
  boost::asio::post(io_, [callback = std::exchange(callback_, nullptr), error,
                          line = std::move(line)]() mutable { callback(error, std::move(line)); });
}

}  // namespace hermod::app
