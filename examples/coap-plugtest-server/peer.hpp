// SPDX-License-Identifier: Apache-2.0
// One peer of the server: its requests ask the tree, and it is told of what it observes. All of
// CoAP that is not about resources is the endpoint's business. Knows no socket and no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hermod/coap/session/server_endpoint.hpp"
#include "tree.hpp"

namespace plugtest {

/// Sends one datagram to a peer.
using Send = std::function<void(hermod::Bytes datagram)>;

/// What all peers share. Outlives them.
struct Shared {
  hermod::coap::Settings settings;
  hermod::Duration separate_after = std::chrono::seconds{2};  ///< how long slow answers take
  Tree& tree;
  hermod::Rng& rng;
  hermod::session::Budget bodies{1u << 20};  ///< octets that all peers make the server keep
};

class Peer final : private hermod::coap::Resources {
 public:
  static constexpr std::size_t kBodyMax = 16u << 10;  ///< octets of a request's body

  Peer(Shared& shared, Send send, hermod::Instant now);

  void on_datagram(hermod::Bytes datagram, hermod::Instant now);
  void on_deadline(hermod::Instant now);
  [[nodiscard]] hermod::Instant next_deadline() const;
  /// What is at this path is another state, or gone. After an input of any peer, not within it.
  void on_change(const std::string& path, hermod::Instant now);
  /// The server ends: observers hear of it.
  void say_goodbye(hermod::Instant now);

  [[nodiscard]] bool observes() const { return endpoint_.observers() > 0; }
  /// From when on the peer may be forgotten, if nothing happens.
  [[nodiscard]] hermod::Instant forget_at(hermod::Instant now) const {
    return endpoint_.forget_at(now);
  }

 private:
  // Where the endpoint writes its datagrams.
  class Outlet final : public hermod::session::DatagramSink {
   public:
    explicit Outlet(Send send) : send_(std::move(send)) {}
    std::uint8_t* reserve(std::size_t count_max) override {
      buffer_.resize(std::max(buffer_.size(), count_max));
      return buffer_.data();
    }
    void commit(std::size_t count) override { send_({buffer_.data(), count}); }

   private:
    Send send_;
    std::vector<std::uint8_t> buffer_;
  };

  struct Observed {
    std::string path;
    std::optional<hermod::coap::ContentFormat> format;  ///< that of all its notifications
  };
  // A request that is answered later; the endpoint has its exchange.
  struct Late {
    std::uint32_t exchange = 0;
    std::uint32_t generation = 0;
    Answer answer;
    hermod::Instant due;
  };

  void on_request(const hermod::coap::Request& request, hermod::Instant now,
                  hermod::session::Effects& effects) override;
  void on_observer_gone(hermod::coap::ObserverId observer, hermod::Instant now,
                        hermod::session::Effects& effects) override;
  [[nodiscard]] hermod::coap::ObserverId observe(const hermod::coap::Request& request,
                                                 const Resource& resource, hermod::Instant now);
  void answer(hermod::coap::Exchange& exchange, const Answer& answer,
              hermod::coap::ObserverId observer, hermod::Instant now,
              hermod::session::Effects& effects);

  Shared& shared_;
  Outlet outlet_;
  hermod::session::EffectList none_;  // an endpoint wants nothing but to send
  hermod::coap::ServerEndpoint endpoint_;
  std::map<hermod::coap::ObserverId, Observed> observed_;
  std::vector<Late> late_;
};

}  // namespace plugtest
