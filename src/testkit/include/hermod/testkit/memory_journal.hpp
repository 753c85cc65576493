// SPDX-License-Identifier: Apache-2.0
// A journal in memory, which writes down what it was told and commits at once unless it is held.
#pragma once

#include <fmt/format.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hermod/core/journal.hpp"

namespace hermod {

class MemoryJournal : public core::Journal {
 public:
  [[nodiscard]] State state() const override { return now; }
  [[nodiscard]] core::QueueId new_queue() override { return ++last_queue_; }

  core::CommitNumber append(const core::Run& run, std::span<core::Position> positions) override {
    std::string line = "append ";
    for (std::size_t i = 0; i < run.messages.size(); ++i) {
      line += as_text(run.messages[i]->payload);
      std::uint32_t references = 0;
      for (const core::Recipient& recipient : run.recipients) {
        references += i < recipient.count ? 1 : 0;
      }
      positions[i] = keep(*run.messages[i], references);
    }
    line += " for";
    for (const core::Recipient& recipient : run.recipients) {
      line += fmt::format(" {}@{}", recipient.queue, recipient.tag);
      if (recipient.count != run.messages.size()) line += fmt::format("+{}", recipient.count);
    }
    if (run.moved_from.queue != 0) {
      line += fmt::format(" from {}@{}", run.moved_from.queue, run.moved_from.tag);
    }
    return write(std::move(line));
  }
  core::CommitNumber retain(const model::Message& message, core::Position& position) override {
    if (!message.payload.empty()) position = keep(message, 1);
    return write(
        fmt::format("retain {}={}", message.destination.address, as_text(message.payload)));
  }
  void settle(core::QueueId queue, model::Tag first, model::Tag last) override {
    (void)write(fmt::format("settle {}@{}-{}", queue, first, last));
  }
  core::CommitNumber take_out(core::QueuePlace place, core::Position& position) override {
    position = keep({}, 1);
    return write(fmt::format("take out {}@{}", place.queue, place.tag));
  }
  core::CommitNumber release(core::QueueId queue, model::Tag tag) override {
    return write(fmt::format("release {}@{}", queue, tag));
  }
  core::CommitNumber close(std::uint64_t exchange) override {
    return write(fmt::format("close {}#{}", exchange >> 16, exchange & 0xffff));
  }
  core::CommitNumber change(core::Change change) override {
    return write(std::visit([](const auto& what) { return describe(what); }, change));
  }
  void let_go(core::Position position) override {
    const auto found = kept_.find(position);
    if (found != kept_.end() && --found->second.references == 0) kept_.erase(found);
  }
  [[nodiscard]] std::optional<model::MessageRef> read(core::Position position) override {
    if (!readable) return std::nullopt;
    const auto found = kept_.find(position);
    return found == kept_.end() || found->second.damaged ? model::MessageRef{}
                                                         : found->second.message->own();
  }
  [[nodiscard]] std::vector<core::Stale> take_stale(std::size_t) override {
    return std::exchange(stale, {});
  }
  [[nodiscard]] bool wants_check() override { return check_wanted; }
  void check(const core::Standing& standing) override { standings.push_back(standing); }
  void end_check(bool last) override { check_wanted = check_wanted && !last; }
  void submit(bool, core::CommitNumber) override {}
  [[nodiscard]] core::CommitNumber committed() const override {
    return held_ ? committed_ : number_;
  }
  [[nodiscard]] bool has_room() const override { return room; }

  /// What was held is committed.
  void let_commit() { hold(false); }
  void hold(bool on) {
    if (on && !held_) committed_ = number_;
    held_ = on;
  }
  /// What was written since the last call, a line each.
  std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }
  /// Places that are referred to.
  [[nodiscard]] std::size_t places() const { return kept_.size(); }
  void damage(core::Position position) { kept_.at(position).damaged = true; }

  State now = State::kWell;
  bool room = true;
  bool readable = true;
  std::vector<core::Stale> stale;  ///< to be asked for
  bool check_wanted = false;
  std::vector<core::Standing> standings;  ///< that were given
  bool notes = true;                      ///< lines

 protected:
  [[nodiscard]] core::CommitNumber last() const { return number_; }

 private:
  struct Kept {
    model::MessageRef message;
    std::uint32_t references = 0;
    bool damaged = false;
  };

  core::Position keep(const model::Message& message, std::uint32_t references) {
    last_position_ += 8;
    model::Message view = message;
    view.owner = nullptr;  // not the copy that others change
    kept_.emplace(last_position_, Kept{view.own(), references});
    return last_position_;
  }
  core::CommitNumber write(std::string line) {
    if (notes) lines_.push_back(std::move(line));
    return ++number_;
  }
  [[nodiscard]] static std::string describe(const core::KeepSubscriber& what) {
    return fmt::format("keep {}={}{}{}", what.queue, what.name, what.away ? " away" : "",
                       what.will ? " will" : "");
  }
  static std::string describe(const core::ForgetSubscriber& what) {
    return fmt::format("forget {}", what.queue);
  }
  static std::string describe(const core::KeepSubscription& what) {
    return fmt::format("subscribe {} {}", what.queue, what.filter);
  }
  static std::string describe(const core::ForgetSubscription& what) {
    return fmt::format("unsubscribe {} {}", what.queue, what.filter);
  }
  static std::string describe(const core::KeepDeclaration& what) { return "declare " + what.topic; }
  static std::string describe(const core::ForgetDeclaration& what) {
    return "undeclare " + what.topic;
  }

  bool held_ = false;
  core::QueueId last_queue_ = 0;
  core::Position last_position_ = 0;
  core::CommitNumber number_ = 0;
  core::CommitNumber committed_ = 0;
  boost::unordered_flat_map<core::Position, Kept> kept_;
  std::vector<std::string> lines_;
};

}  // namespace hermod
