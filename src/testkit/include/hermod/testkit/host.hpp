// SPDX-License-Identifier: Apache-2.0
// Drives one stream session the way its owner does (session.hpp): keeps the octets it did not
// consume and offers them again, executes effects after the input, calls deadlines when they come.
// Knows no protocol and no test framework, so that fuzz targets use it too.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hermod/base/output.hpp"
#include "hermod/session/session.hpp"
#include "hermod/testkit/fake_clock.hpp"

namespace hermod::testkit {

class Host {
 public:
  /// What the rest of the program does with an effect: looks at it, and answers its ticket or not.
  using Answerer = std::function<std::optional<session::Answer>(session::Effect&)>;

  Host(session::Session& session, FakeClock& clock) : session_(session), clock_(clock) {}

  /// Answers come in the turn after the effects; without an answerer the test gives them itself.
  void answer_with(Answerer answerer) { answerer_ = std::move(answerer); }
  /// What the session may take. Kept until the next call.
  void set_intake(session::Intake intake) { intake_ = intake; }

  void open() {
    run([&](session::Effects& effects) { session_.on_open(clock_.now(), effects); });
  }

  /// New octets from the peer. They are copied, and the copies live as long as the host: what
  /// effects borrow stays valid.
  void offer(Bytes bytes) {
    input_.insert(input_.end(), bytes.begin(), bytes.end());
    offer_again();
  }
  /// What was not consumed, once more.
  void offer_again() {
    if (closed_ || input_.empty()) return;
    const std::vector<std::uint8_t>& copy = copies_.emplace_back(input_);
    std::size_t consumed = 0;
    run([&](session::Effects& effects) {
      consumed = session_.on_bytes(copy, intake_, clock_.now(), effects);
      input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(consumed));
    });
  }
  /// Octets that the session has not consumed.
  [[nodiscard]] std::size_t waiting() const { return input_.size(); }

  void deliver(const model::DeliveryBatch& batch) {
    run([&](session::Effects& effects) { session_.on_deliveries(batch, clock_.now(), effects); });
  }

  void answer(std::span<const session::Answer> answers) {
    run([&](session::Effects& effects) { session_.on_answers(answers, clock_.now(), effects); });
    offer_again();
  }

  /// Lets time pass, from deadline to deadline.
  void advance_to(Instant instant) {
    while (!closed_ && session_.next_deadline() <= instant) {
      clock_.advance_to(session_.next_deadline());
      run([&](session::Effects& effects) { session_.on_deadline(clock_.now(), effects); });
    }
    clock_.advance_to(instant);
  }
  /// A deadline that comes although none was asked for.
  void fire_deadline() {
    run([&](session::Effects& effects) { session_.on_deadline(clock_.now(), effects); });
  }

  /// The connection has ended. The last input.
  void close(model::Reason reason) {
    if (closed_) return;
    closed_ = true;
    run([&](session::Effects& effects) { session_.on_close(reason, clock_.now(), effects); });
  }
  [[nodiscard]] bool closed() const { return closed_; }
  /// Why the session wants the connection to end, once it does.
  [[nodiscard]] std::optional<model::Reason> close_wanted() const { return close_wanted_; }

  /// One input that only this kind of session has: host.run([&](auto& effects) { ... }).
  template <typename Input>
  void run(Input input) {
    session::EffectList list;
    session::Effects effects({1, 1}, output_, list);
    const std::size_t before = output_.size();
    input(effects);
    hasty_ = output_.size() - before > effects.patient();
    execute(list);
  }
  /// True when the last input, answers included, wrote something that may not wait.
  [[nodiscard]] bool hasty() const { return hasty_; }

  /// What the session has written since the last call.
  [[nodiscard]] std::vector<std::uint8_t> take_output() {
    std::vector<std::uint8_t> octets;
    std::vector<Bytes> pieces(64);
    while (!output_.empty()) {
      const std::size_t count = output_.gather(pieces);
      std::size_t size = 0;
      for (const Bytes piece : std::span(pieces).first(count)) {
        octets.insert(octets.end(), piece.begin(), piece.end());
        size += piece.size();
      }
      output_.consume(size);
    }
    return octets;
  }
  [[nodiscard]] const Output& output() const { return output_; }
  /// The effects that nobody has taken, oldest first.
  [[nodiscard]] std::deque<session::Effect>& effects() { return effects_; }

 private:
  void execute(session::EffectList& list) {
    std::vector<session::Answer> answers;
    for (session::EffectRecord& record : list) {
      if (const auto* close = std::get_if<session::Close>(&record.effect)) {
        close_wanted_ = close->reason;
      }
      const auto answer = answerer_ ? answerer_(record.effect) : std::nullopt;
      if (answer) answers.push_back(*answer);
      effects_.push_back(std::move(record.effect));
    }
    if (!answers.empty() && !closed_) this->answer(answers);
  }

  session::Session& session_;
  FakeClock& clock_;
  Answerer answerer_;
  session::Intake intake_ = session::Intake::kEverything;
  Output output_;
  std::vector<std::uint8_t> input_;
  std::deque<std::vector<std::uint8_t>> copies_;
  std::deque<session::Effect> effects_;
  std::optional<model::Reason> close_wanted_;
  bool closed_ = false;
  bool hasty_ = false;
};

}  // namespace hermod::testkit
