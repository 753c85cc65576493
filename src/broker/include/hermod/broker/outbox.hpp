// SPDX-License-Identifier: Apache-2.0
// One shard's side of the mail: collects the letters of a turn per receiver, sends each batch at
// the turn's end, keeps lent payloads until they come back, and knows when publishers must wait.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "hermod/base/shared_bytes.hpp"
#include "hermod/broker/mailbox.hpp"
#include "hermod/transport/poller.hpp"

namespace hermod::broker {

/// How much may be on its way from one shard to another before publishers wait.
struct MailLimits {
  std::size_t letters_max = 65'536;
  std::size_t bytes_max = 64u << 20;
};

class Outbox final : public ForeignOwner {
 public:
  Outbox(Mailroom& room, std::uint16_t self, const MailLimits& limits);

  /// The pollers to wake, by shard; before the first send().
  void connect(std::vector<transport::Poller*> pollers) { pollers_ = std::move(pollers); }

  /// `payload_bytes` count towards what may be under way.
  void add(std::uint16_t to, Letter letter, std::size_t payload_bytes = 0);
  /// Adds a copy of a publication; payloads from Output::kShareFrom are lent instead of copied.
  void add_forward(std::uint16_t to, const model::Message& message, bool for_subscribers,
                   bool for_retained);
  /// Adds a group's message for a member over there, as above.
  void add_delivery(std::uint16_t to, GroupDelivery letter, const model::Message& message);
  /// The message of a letter that came from `from`, ready for this shard; lives as long as the
  /// letter and its batch.
  [[nodiscard]] const model::Message& open(Forward& letter, std::uint16_t from);
  /// Lent payloads that are free again.
  void returned(const std::vector<std::uint32_t>& lent);

  /// Sends what was added: first everything that is no promise, to all receivers, then the
  /// promises. Who reads an InterestKnown finds what this shard published before it in the
  /// mailboxes of all others.
  void send();
  /// Tells the senders of a batch that it has been worked off.
  void finish(std::uint16_t from, const Batch& batch);

  /// True while every receiver has room for more publications.
  [[nodiscard]] bool has_room();
  [[nodiscard]] std::size_t lent() const { return lent_.size(); }

  void give_back(void* token) override;

 private:
  void send_batches();
  void pack(Forward& letter, const model::Message& message, Batch& batch);
  [[nodiscard]] Batch& open_batch(std::uint16_t to);
  [[nodiscard]] bool has_room(const Mailbox& box, const Batch* open) const;

  Mailroom& room_;
  std::uint16_t self_;
  const MailLimits& limits_;
  std::vector<transport::Poller*> pollers_;
  std::vector<std::unique_ptr<Batch>> batches_;  // by receiver
  std::vector<std::size_t> last_letters_;        // of the batch before, by receiver
  std::vector<std::pair<std::uint16_t, Letter>> promises_;
  std::vector<std::vector<std::uint32_t>> give_back_;  // by owner
  // What is lent may itself be another shard's, and is given back when it goes.
  boost::unordered_flat_map<std::uint32_t, SharedBytes> lent_;
  std::uint32_t last_lent_ = 0;
};

}  // namespace hermod::broker
