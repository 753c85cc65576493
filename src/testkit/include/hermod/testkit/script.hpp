// SPDX-License-Identifier: Apache-2.0
// A peer that follows a script, for tests of stream sessions. Everything that the session writes
// and asks must be expected, in order; the test's comment shows the same as a message ladder.
//
//   Script peer(session);
//   peer.opens().sends(connect).expects(connack).after(30s).expects_close(Reason::kTimeout);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <source_location>
#include <string_view>
#include <vector>

#include "hermod/testkit/host.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::testkit {

class Script {
 public:
  using Place = std::source_location;

  explicit Script(session::Session& session) : session_(session), host_(session, clock_) {}

  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] FakeClock& clock() { return clock_; }

  Script& opens() {
    host_.open();
    return *this;
  }
  Script& sends(Bytes bytes) {
    host_.offer(bytes);
    return *this;
  }
  /// The same octets, one at a time.
  Script& sends_slowly(Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) host_.offer(bytes.subspan(i, 1));
    return *this;
  }
  /// The next octets that the session has written are these.
  Script& expects(Bytes bytes, Place place = Place::current()) {
    collect();
    const std::size_t size = std::min(bytes.size(), written_.size());
    if (size < bytes.size() || !std::equal(bytes.begin(), bytes.end(), written_.begin())) {
      failure(place) << "expected " << hex(bytes) << "\nbut there is " << hex(written_);
    }
    written_.erase(written_.begin(), written_.begin() + static_cast<std::ptrdiff_t>(size));
    return *this;
  }
  /// The session has written nothing more.
  Script& expects_nothing(Place place = Place::current()) {
    return expects_no_octets(place).expects_no_effect(place);
  }
  Script& expects_no_octets(Place place = Place::current()) {
    collect();
    if (!written_.empty()) failure(place) << "unexpected: " << hex(written_);
    written_.clear();
    return *this;
  }
  /// The session has asked for nothing more.
  Script& expects_no_effect(Place place = Place::current()) {
    const std::size_t count = host_.effects().size();
    if (count > 0) {
      failure(place) << count << " unexpected effects, the first of kind "
                     << host_.effects().front().index();
    }
    host_.effects().clear();
    return *this;
  }

  /// Takes the next effect, which must be an E.
  template <typename E>
  E effect(Place place = Place::current()) {
    if (host_.effects().empty()) {
      failure(place) << "an effect is missing";
      return {};
    }
    session::Effect next = std::move(host_.effects().front());
    host_.effects().pop_front();
    if (E* found = std::get_if<E>(&next)) return std::move(*found);
    failure(place) << "an effect of another kind: " << next.index();
    return {};
  }
  template <typename E>
  Script& expects_effect(Place place = Place::current()) {
    (void)effect<E>(place);
    return *this;
  }

  /// The session closes the connection, without another octet before it. Its owner does so.
  Script& expects_close(model::Reason reason, Place place = Place::current()) {
    expects_no_octets(place);
    const auto close = effect<session::Close>(place);
    if (close.reason != reason) {
      failure(place) << "closed for '" << to_text(close.reason) << "', expected '"
                     << to_text(reason) << "'";
    }
    host_.close(reason);
    return *this;
  }
  /// Neither octets nor effects, and the connection stays.
  Script& after(Duration duration) {
    host_.advance_to(clock_.now() + duration);
    return *this;
  }
  /// The connection is lost.
  Script& ends(model::Reason reason = model::Reason::kPeerClosed) {
    host_.close(reason);
    return *this;
  }
  Script& answers(const session::Answer& answer) {
    host_.answer({&answer, 1});
    return *this;
  }
  Script& answers(session::Ticket ticket, model::Reason reason = model::Reason::kOk) {
    return answers(session::Answer{.ticket = ticket, .reason = reason});
  }
  Script& delivers(const model::DeliveryBatch& batch) {
    host_.deliver(batch);
    return *this;
  }
  Script& delivers(const model::Delivery& delivery, model::Tag tag) {
    return delivers(model::DeliveryBatch{.items = {&delivery, 1}, .first_tag = tag});
  }
  Script& takes(session::Intake intake) {
    host_.set_intake(intake);
    host_.offer_again();
    return *this;
  }

 private:
  // A failure that is reported at the place of the script.
  class Failure {
   public:
    explicit Failure(Place place) : place_(place) {}
    Failure(const Failure&) = delete;
    Failure& operator=(const Failure&) = delete;
    ~Failure() { ADD_FAILURE_AT(place_.file_name(), static_cast<int>(place_.line())) << text_; }
    template <typename T>
    Failure& operator<<(const T& value) {
      text_ << value;
      return *this;
    }

   private:
    Place place_;
    testing::Message text_;
  };
  [[nodiscard]] static Failure failure(Place place) { return Failure(place); }

  void collect() {
    const std::vector<std::uint8_t> more = host_.take_output();
    written_.insert(written_.end(), more.begin(), more.end());
  }

  session::Session& session_;
  FakeClock clock_;
  Host host_;
  std::vector<std::uint8_t> written_;
};

}  // namespace hermod::testkit
