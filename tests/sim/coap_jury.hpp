// SPDX-License-Identifier: Apache-2.0
// The oracles that see all CoAP clients: whether the values that they read can have been those of
// one register a topic (linearizability), and whether each observer holds the last value once all
// is quiet. What one exchange may bring is judged by its actor as it comes.
#pragma once

#include <string>
#include <vector>

#include "jury.hpp"
#include "observer.hpp"

namespace hermod::sim {

class CoapJury {
 public:
  CoapJury(World& world, Ledger& ledger, Jury& jury)
      : world_(world), ledger_(ledger), jury_(jury) {}

  /// A lane's order holds for one address only: who comes back with another one is a new producer.
  [[nodiscard]] ProducerId new_producer() { return next_producer_++; }

  struct Read {
    TopicId topic = 0;
    Value value;
    Instant begun{};     ///< the request was sent first
    Instant answered{};  ///< the first answer has come
    ProducerId who = 0;
  };
  void add(const Read& read) { reads_.push_back(read); }
  struct Put {
    PublicationId id = 0;
    bool existed = false;  ///< the answer says that the topic had a value before
    Instant answered{};
  };
  void add(const Put& put) { puts_.push_back(put); }

  void check_reads();
  /// Everything is quiet and the observation stands: the observer holds the last value.
  void check_observer(const Observer& observer, Instant registered);

 private:
  /// A value's time: it stood from `first_end` to `last_begin` when that is later; otherwise it
  /// stood at some instant between them (the zones of Gibbons and Korach).
  struct Zone {
    PublicationId id = 0;
    Instant first_end = kNever;
    Instant last_begin{};
    bool again = false;  ///< published at least once, and more than once: it may have come back
    [[nodiscard]] bool stood() const { return !again && first_end < last_begin; }
  };
  struct History {
    std::vector<Zone> values;
    std::vector<Zone> clears;
    std::vector<const Read*> empty;
  };
  [[nodiscard]] bool is_retained(TopicId topic) const;
  [[nodiscard]] History history_of(TopicId topic) const;
  void check_topic(TopicId topic);
  void check_values(const History& history);
  void check_empty(const History& history, const Read& read);
  void check_put(const Put& put);
  [[nodiscard]] bool may_be_empty(const History& history, Instant from, Instant until) const;
  void check_event_observer(const Observer& observer, Instant registered);
  template <typename... Args>
  void object(fmt::format_string<Args...> format, Args&&... args) {
    world_.trace().violation(world_.now(), format, std::forward<Args>(args)...);
  }

  World& world_;
  Ledger& ledger_;
  Jury& jury_;
  ProducerId next_producer_ = 1000;
  std::vector<Read> reads_;
  std::vector<Put> puts_;
};

}  // namespace hermod::sim
