// SPDX-License-Identifier: Apache-2.0
// A completion handler whose type is forgotten, so that the clients' bodies need no templates. It
// is called once, by post, on the executor that belongs to it (Boost.Asio's rules for completion
// tokens), and counts as outstanding work there until then.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

namespace hermod::client {

template <typename Signature>
class Handler;

template <typename... Args>
class Handler<void(Args...)> {
 public:
  Handler() = default;

  /// `fallback` is the executor of a handler that has none of its own.
  template <typename H>
  Handler(H handler, const boost::asio::any_io_executor& fallback)
      : call_(bind(
            boost::asio::make_work_guard(boost::asio::get_associated_executor(handler, fallback)),
            handler)) {}

  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(call_); }

  /// Posts the call; the handler is empty afterwards.
  void operator()(Args... args) { std::exchange(call_, nullptr)(std::move(args)...); }

 private:
  template <typename Work, typename H>
  static auto bind(Work work, H& handler) {
    return [work = std::move(work), handler = std::move(handler)](Args... args) mutable {
      boost::asio::post(work.get_executor(),
                        [handler = std::move(handler), ... args = std::move(args)]() mutable {
                          std::move(handler)(std::move(args)...);
                        });
      work.reset();
    };
  }

  std::move_only_function<void(Args...)> call_;
};

}  // namespace hermod::client
