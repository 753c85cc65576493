// SPDX-License-Identifier: Apache-2.0
// A device behind a bad network: the project's own CoAP client session, that PUTs one value after
// the other, Confirmable and Non-confirmable by turns, over two lossy paths. It counts what it sees
// and what the paths know; it judges nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/coap/session/client_session.hpp"
#include "hermod/transport/datagram.hpp"
#include "lossy_path.hpp"
#include "world.hpp"

namespace hermod::sim {

/// A fault of the harness itself, made on purpose to show that the jury sees it.
enum class LossFault : std::uint8_t {
  kNone,
  kMoreLoss,      ///< the paths lose more than they were told to
  kFewerRepeats,  ///< MAX_RETRANSMIT is 3
  kSteadyPauses,  ///< ACK_RANDOM_FACTOR is 1
  kFalseAck,      ///< what was lost is acknowledged in the broker's name
  kTwoIds,        ///< what comes twice has another Message ID the second time
};

/// How long a copy may be under way (RFC 7252 §4.8.2).
inline constexpr Duration kMaxLatency = std::chrono::seconds{100};

/// One request, and what became of it.
struct LossRequest {
  std::string payload;  ///< no other one has it
  bool confirmable = true;
  bool over = false;
  bool acknowledged = false;
  unsigned transmissions = 0;
  unsigned arrivals = 0;  ///< at the broker, without those held back
  Instant begun{};
  Instant sent{};      ///< last
  Duration waited{};   ///< until the first transmission that arrived
  Duration timeout{};  ///< the last pause, without the doublings before it
  model::Reason reason{};
};

class LossDevice final : public Task, private session::DatagramSink {
 public:
  /// `requests` of each kind.
  LossDevice(World& world, std::string name, const PathManners& manners, LossFault fault,
             unsigned requests, std::uint64_t seed);

  // --- Task ---
  [[nodiscard]] Instant due() const override;
  void run(Instant now) override;

  [[nodiscard]] bool done() const { return current_ == requests_.size(); }
  [[nodiscard]] const std::vector<LossRequest>& requests() const { return requests_; }

 private:
  // --- DatagramSink: what the session sends ---
  std::uint8_t* reserve(std::size_t count_max) override;
  void commit(std::size_t count) override;

  void start_next(Instant now);
  void carry(Instant now);
  void put(const Octets& datagram);
  void finish(LossRequest& request, model::Reason reason);
  void forge_acknowledgement(Bytes request, Instant now);
  template <typename Input>
  void with_session(Input&& input);

  World& world_;
  std::vector<std::string> path_;
  LossFault fault_;
  SeededRng rng_;
  coap::ClientSettings settings_;
  coap::ClientSession session_;
  LossyPath up_;
  LossyPath down_;
  transport::MemoryPoller poller_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  std::vector<LossRequest> requests_;
  std::size_t current_ = 0;  // the one under way or next
  bool under_way_ = false;
  Instant start_at_{};
  Octets room_;
  Octets request_;                  // as it was sent last
  std::optional<Octets> last_put_;  // to see what comes twice
};

}  // namespace hermod::sim
