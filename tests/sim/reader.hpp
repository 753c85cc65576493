// SPDX-License-Identifier: Apache-2.0
// One subscriber as the oracles see it: what it has asked for and when, what it has received, and
// at once whether it may have received that. Times are the client's: a SUBSCRIBE counts from its
// sending (it may be in force) and from its SUBACK (it must be).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger.hpp"
#include "trace.hpp"

namespace hermod::sim {

/// One message as it came.
struct Arrival {
  std::string topic;
  std::vector<std::uint8_t> payload;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;
  bool dup = false;
  std::optional<std::string> mark;  ///< MQTT 5: of the publication, empty when it has none
};

/// A SUBSCRIBE and what became of it.
struct Grant {
  std::string filter;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  Instant asked{};
  Instant granted = kNever;
  Instant leaving = kNever;  ///< UNSUBSCRIBE sent
  Instant over = kNever;     ///< UNSUBACK received, replaced by a later grant, or refused
  std::uint32_t session = 0;
  std::uint32_t connection = 0;
};

class Reader {
 public:
  /// How often a message came, in the current session.
  struct Seen {
    std::uint32_t session = 0;
    std::uint32_t live = 0;
    std::uint32_t redelivered = 0;
    std::uint32_t retained = 0;
    bool exactly_once = false;  ///< at that level, live or again
  };
  /// How far the reader has come in a lane.
  struct Place {
    std::size_t next = 0;   ///< one past the transmission that came last
    std::size_t again = 0;  ///< the same for redeliveries on this connection
    Instant last_at{};      ///< when something of the lane came
  };

  /// `shards` of the broker: with several, what was on its way between them when the SUBSCRIBE came
  /// may still arrive. `asleep` is how long the whole machine may stand still in between.
  Reader(std::string name, const Ledger& ledger, Trace& trace, std::uint16_t shards,
         Duration asleep)
      : name_(std::move(name)),
        ledger_(ledger),
        trace_(trace),
        shards_(shards),
        hop_max_(kHopMax + asleep) {}

  /// The broker may stop and start again: what nobody was promised may be undone by that.
  void outlive_stops() { outlives_ = true; }
  /// What the broker kept has been damaged: what was over may begin anew.
  void forgive() { forgives_ = true; }

  /// It is a member of a group and of nothing else: GroupJury judges what it gets, and how often.
  void share() { shares_ = true; }
  [[nodiscard]] bool shares() const { return shares_; }
  /// A message that came to a member of a group.
  struct Shared {
    Instant at{};
    std::uint32_t connection = 0;
    model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  };
  /// The arrivals of a message at a member of a group.
  [[nodiscard]] const std::vector<Shared>& shared(PublicationId id) const;

  // --- the connection ---
  /// `fresh`: the session begins with this connection.
  void opened(bool lasting, bool fresh, std::uint32_t connection, Instant now);
  void ended() { online_ = false; }
  /// The session that was found may have begun anew unseen: nothing promised before holds.
  void doubt(Instant now) { doubted_at_ = now; }

  // --- subscriptions ---
  /// Names the grant in the calls below.
  std::size_t asked(std::string filter, model::Guarantee guarantee, Instant now);
  void granted(std::size_t grant, model::Guarantee guarantee, Instant now);
  void refused(std::size_t grant, Instant now);
  /// An UNSUBSCRIBE is sent: it ends the grants before the number that is returned.
  [[nodiscard]] std::size_t leaving(std::string_view filter, Instant now);
  void left(std::string_view filter, std::size_t before, Instant now);

  // --- messages ---
  void received(const Arrival& arrival, Instant now);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool online() const { return online_; }
  [[nodiscard]] bool lasting() const { return lasting_; }
  [[nodiscard]] std::uint32_t session() const { return session_; }
  [[nodiscard]] std::uint32_t connection() const { return connection_; }
  [[nodiscard]] Instant connected_at() const { return connected_at_; }
  [[nodiscard]] const std::vector<Grant>& grants() const { return grants_; }
  /// The level at which the filter of a grant is in force from `from` to `until` at least; nothing
  /// when it may not be in force all the time.
  [[nodiscard]] std::optional<model::Guarantee> promised(const Grant& grant, Instant from,
                                                         Instant until) const;
  /// When a message that was accepted at `accepted` has been worked off on all shards.
  [[nodiscard]] Instant worked_off(Instant accepted) const;
  [[nodiscard]] Seen seen(PublicationId id) const;
  [[nodiscard]] Place place(LaneId lane) const;

 private:
  /// Longest way of a letter from one shard to another: its receiver may be held up.
  static constexpr Duration kHopMax = std::chrono::seconds{10};

  template <typename... Args>
  void object(Instant now, fmt::format_string<Args...> format, Args&&... args) {
    trace_.violation(now, "{}: {}", name_, fmt::format(format, std::forward<Args>(args)...));
  }
  void received_clear(const Arrival& arrival, TopicId topic, Instant now);
  void check_mark(const Arrival& arrival, PublicationId id, Instant now);
  [[nodiscard]] bool wanted(const Arrival& arrival, const Publication& publication, Instant now);
  [[nodiscard]] bool breaks_once(const Arrival& arrival, const Publication& publication,
                                 const Seen& seen) const;
  [[nodiscard]] static bool is_unclear(const Publication& publication);
  void received_shared(const Arrival& arrival, PublicationId id, Instant now);
  void received_live(const Arrival& arrival, PublicationId id, Instant now);
  void received_again(const Arrival& arrival, PublicationId id, Instant now);
  void received_retained(const Arrival& arrival, PublicationId id, Instant now);
  [[nodiscard]] bool superseded(PublicationId id, Instant before) const;

  std::string name_;
  const Ledger& ledger_;
  Trace& trace_;
  std::uint16_t shards_;
  Duration hop_max_;
  bool online_ = false;
  bool lasting_ = false;
  std::uint32_t session_ = 0;
  std::uint32_t connection_ = 0;
  std::uint32_t first_connection_ = 0;  ///< of the session
  Instant connected_at_{};
  Instant doubted_at_{};
  std::vector<Grant> grants_;
  bool shares_ = false;
  bool outlives_ = false;
  bool forgives_ = false;
  std::map<PublicationId, std::vector<Shared>> shared_;
  std::map<PublicationId, Seen> seen_;
  std::map<LaneId, Place> places_;
};

}  // namespace hermod::sim
