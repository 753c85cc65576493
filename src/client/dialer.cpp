// SPDX-License-Identifier: Apache-2.0
#include "dialer.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <random>
#include <utility>

namespace hermod::client {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr auto kNumeric = asio::ip::resolver_base::numeric_service;
constexpr const char* kService = "_mqtt._tcp";
}  // namespace

Dialer::Dialer(asio::any_io_executor executor, const MqttOptions& options, Done done)
    : executor_(std::move(executor)),
      options_(options),
      done_(std::move(done)),
      resolver_(executor_),
      socket_(executor_) {}

Dialer::~Dialer() {
  if (lookup_.joinable()) lookup_.join();
}

void Dialer::cancel() {
  done_ = nullptr;
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void Dialer::start() {
  if (!options_.unix_path.empty()) return connect_to_file();
  if (options_.local_host.empty()) return find_targets();
  resolver_.async_resolve(options_.local_host, "0", kNumeric,
                          [self = shared_from_this()](error_code error, const auto& endpoints) {
                            if (error) return self->finish(error);
                            self->own_ = Endpoints(endpoints.begin(), endpoints.end());
                            self->find_targets();
                          });
}

void Dialer::connect_to_file() {
  using asio::local::stream_protocol;
  auto socket = std::make_shared<stream_protocol::socket>(executor_);
  stream_protocol::endpoint file;
  try {
    file = stream_protocol::endpoint(options_.unix_path);
  } catch (const boost::system::system_error& too_long) {
    const error_code error = too_long.code();
    return asio::post(executor_, [self = shared_from_this(), error] { self->finish(error); });
  }
  socket->async_connect(file, [self = shared_from_this(), socket](error_code error) {
    if (auto done = std::exchange(self->done_, nullptr)) done(error, Socket(std::move(*socket)));
  });
}

void Dialer::find_targets() {
  if (!done_) return;
  if (options_.proxy) {
    targets_.push_back({options_.proxy->host, options_.proxy->port});
    handshake_.emplace(options_.host, options_.port, options_.proxy->user,
                       options_.proxy->password);
    if (!handshake_->fits()) return finish(Error::kProxyNameTooLong);
  } else if (options_.service) {
    return look_up_service();
  } else {
    targets_.push_back({options_.host, options_.port});
  }
  try_next({});
}

void Dialer::look_up_service() {
  lookup_ = std::thread([weak = weak_from_this(), executor = executor_, domain = options_.host] {
    auto found = look_up_srv(kService, domain);
    // The thread never owns the dialer: its end would wait for itself.
    asio::post(executor, [weak, found = std::move(found)]() mutable {
      if (const auto self = weak.lock()) self->on_service(std::move(found));
    });
  });
}

void Dialer::on_service(std::expected<std::vector<SrvTarget>, Error> found) {
  if (!done_) return;
  if (!found) return finish(found.error());
  std::minstd_rand dice(std::random_device{}());
  for (SrvTarget& target : in_order(std::move(*found), dice)) {
    targets_.push_back({std::move(target.host), target.port});
  }
  try_next({});
}

/// Tries the next target; `last` is why the one before did not work.
void Dialer::try_next(error_code last) {
  if (!done_) return;
  if (targets_.empty()) return finish(last);
  const Target target = std::move(targets_.front());
  targets_.pop_front();
  resolver_.async_resolve(
      target.host, std::to_string(target.port), kNumeric,
      [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
        if (error) return self->try_next(error);
        if (!self->done_) return;
        if (!self->own_.empty()) {
          Endpoints peers(found.begin(), found.end());
          std::ranges::reverse(peers);
          return self->connect_from_own(std::move(peers),
                                        asio::error::address_family_not_supported);
        }
        asio::async_connect(self->socket_, found,
                            [self](error_code failed, const auto&) { self->on_connected(failed); });
      });
}

/// Tries the last of `peers` from the own address of its family, then those before it. `last` is
/// why the one before did not work.
void Dialer::connect_from_own(Endpoints peers, error_code last) {
  if (peers.empty()) return on_connected(last);
  const auto peer = peers.back();
  peers.pop_back();
  const auto from = std::ranges::find(own_, peer.protocol(), &tcp::endpoint::protocol);
  if (from == own_.end()) return connect_from_own(std::move(peers), last);
  error_code error;
  socket_.close(error);
  socket_.open(peer.protocol(), error);
  if (!error) socket_.bind(*from, error);
  if (error) return connect_from_own(std::move(peers), error);
  socket_.async_connect(
      peer, [self = shared_from_this(), peers = std::move(peers)](error_code failed) mutable {
        if (!self->done_) return;
        if (failed) return self->connect_from_own(std::move(peers), failed);
        self->on_connected({});
      });
}

void Dialer::on_connected(error_code error) {
  if (!done_) return;
  if (error) return try_next(error);
  if (!handshake_) return finish({});
  say(handshake_->greeting());
}

void Dialer::say(std::string octets) {
  said_ = std::move(octets);
  asio::async_write(socket_, asio::buffer(said_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      if (error) return self->finish(Error::kProxyClosed);
                      self->listen();
                    });
}

void Dialer::listen() {
  if (handshake_->done()) return finish({});
  heard_.resize(handshake_->wanted());
  asio::async_read(socket_, asio::buffer(heard_),
                   [self = shared_from_this()](error_code error, std::size_t) {
                     if (!self->done_) return;
                     if (error) return self->finish(Error::kProxyClosed);
                     auto answer = self->handshake_->on_bytes(self->heard_);
                     if (!answer) return self->finish(answer.error());
                     if (answer->empty()) return self->listen();
                     self->say(std::move(*answer));
                   });
}

void Dialer::finish(error_code error) {
  if (auto done = std::exchange(done_, nullptr)) done(error, Socket(std::move(socket_)));
}

}  // namespace hermod::client
