// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/null_server.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "hermod/base/output.hpp"
#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/transport/tcp.hpp"

namespace hermod::load {
namespace {

constexpr auto kVersion = mqtt::Version::kV311;
constexpr transport::Token kListenerToken = ~transport::Token{1};
constexpr std::size_t kScratchBytes = 256 * 1024;
// A subscriber that does not read is dropped; the load never lets it come this far.
constexpr std::size_t kOutputMax = 64u << 20;

// "a/b" against "a/b", "a/+" or "a/#": the shapes that the load subscribes to.
bool matches(std::string_view filter, std::string_view topic) {
  if (filter == topic) return true;
  if (!filter.ends_with('+') && !filter.ends_with('#')) return false;
  filter.remove_suffix(1);
  return topic.starts_with(filter);
}

}  // namespace

// One connection.
class NullServer::Peer {
 public:
  explicit Peer(std::unique_ptr<transport::Stream> stream) : stream_(std::move(stream)) {}

  transport::Stream& stream() { return *stream_; }
  Output& out() { return out_; }
  [[nodiscard]] const std::string& filter() const { return filter_; }

  /// Reads and serves what is there; false when the connection has ended.
  bool serve(NullServer& server, std::size_t own);
  /// False when the connection has ended.
  bool flush();
  void set_writable() { writable_ = true; }

  bool touched = false;

 private:
  std::size_t on_packets(NullServer& server, std::size_t own, Bytes bytes);
  void on_control(NullServer& server, const mqtt::FixedHeader& header, Bytes body);
  void on_publish(NullServer& server, const mqtt::FixedHeader& header, Bytes body);
  void on_subscribe(NullServer& server, const mqtt::FixedHeader& header, Bytes body);
  void answer(mqtt::PacketType type, std::uint16_t id);
  void find_targets(NullServer& server, std::string_view topic);
  void forward(NullServer& server, Bytes packets);
  std::size_t write_through(Bytes packets);

  std::unique_ptr<transport::Stream> stream_;
  Output out_;
  std::vector<std::uint8_t> rest_;
  std::string filter_;
  std::string topic_;                 // of the last PUBLISH
  std::vector<std::size_t> targets_;  // who gets that topic
  std::uint64_t found_at_ = 0;        // value of subscriptions_ then
  bool writable_ = true;
  bool ended_ = false;
};

bool NullServer::Peer::serve(NullServer& server, std::size_t own) {
  for (;;) {
    const std::size_t kept = rest_.size();
    if (kept != 0) std::memcpy(server.scratch_.data(), rest_.data(), kept);
    const std::span<std::uint8_t> room = std::span(server.scratch_).subspan(kept);
    const transport::IoResult result = stream_->read(room);
    if (result.status == transport::IoResult::Status::kAgain) return true;
    if (result.status != transport::IoResult::Status::kDone) return false;
    const Bytes bytes{server.scratch_.data(), kept + result.count};
    const std::size_t used = on_packets(server, own, bytes);
    if (ended_ || (used == 0 && bytes.size() == server.scratch_.size())) return false;
    rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
    if (result.count < room.size()) return true;
  }
}

std::size_t NullServer::Peer::on_packets(NullServer& server, std::size_t own, Bytes bytes) {
  std::size_t used = 0;
  std::size_t run = 0;  // where the PUBLISH packets begin that were not forwarded yet
  while (!ended_) {
    const auto header = mqtt::read_fixed_header(bytes.subspan(used), kVersion);
    if (!header) {
      ended_ = !header.error().incomplete();
      break;
    }
    if (bytes.size() - used < header->packet_size()) break;
    const Bytes body = bytes.subspan(used + header->header_size, header->remaining_length);
    if (header->type == mqtt::PacketType::kPublish && body.size() >= 4) {
      const std::size_t topic_size = static_cast<std::size_t>(body[0] << 8 | body[1]);
      const std::string_view topic =
          as_text(body.subspan(2).first(std::min(topic_size, body.size() - 2)));
      if (topic != topic_ || found_at_ != server.subscriptions_) {
        forward(server, bytes.subspan(run, used - run));
        run = used;
        find_targets(server, topic);
      }
      on_publish(server, *header, body);
      used += header->packet_size();
      continue;
    }
    forward(server, bytes.subspan(run, used - run));
    on_control(server, *header, body);
    used += header->packet_size();
    run = used;
  }
  forward(server, bytes.subspan(run, used - run));
  if (!out_.empty() && !touched) {
    touched = true;
    server.touched_.push_back(own);
  }
  return used;
}

void NullServer::Peer::find_targets(NullServer& server, std::string_view topic) {
  topic_ = topic;
  targets_.clear();
  found_at_ = server.subscriptions_;
  for (std::size_t i = 0; i < server.peers_.size(); ++i) {
    const Peer* const peer = server.peers_[i].get();
    if (peer != nullptr && !peer->filter_.empty() && matches(peer->filter_, topic)) {
      targets_.push_back(i);
    }
  }
}

// To many from where the packets are. What goes to one is collected until the turn ends: other
// publishers may have something for it, too.
void NullServer::Peer::forward(NullServer& server, Bytes packets) {
  if (packets.empty()) return;
  for (const std::size_t target : targets_) {
    Peer& peer = *server.peers_[target];
    const std::size_t sent = targets_.size() > 1 ? peer.write_through(packets) : 0;
    if (sent == packets.size()) continue;
    peer.out_.append(packets.subspan(sent));
    if (peer.touched) continue;
    peer.touched = true;
    server.touched_.push_back(target);
  }
}

// How much of it the socket took. A failure shows again when the rest is flushed.
std::size_t NullServer::Peer::write_through(Bytes packets) {
  if (!writable_ || !out_.empty()) return 0;
  return stream_->write(std::span(&packets, 1)).count;
}

void NullServer::Peer::on_publish(NullServer&, const mqtt::FixedHeader& header, Bytes body) {
  const unsigned qos = header.flags >> 1 & 3;
  const std::size_t id_at = 2 + topic_.size();
  if (qos == 0 || body.size() < id_at + 2) return;
  answer(qos == 1 ? mqtt::PacketType::kPuback : mqtt::PacketType::kPubrec,
         static_cast<std::uint16_t>(body[id_at] << 8 | body[id_at + 1]));
}

void NullServer::Peer::on_control(NullServer& server, const mqtt::FixedHeader& header, Bytes body) {
  switch (header.type) {
    case mqtt::PacketType::kConnect:
      mqtt::write_connack(out_.reserve(4), {}, kVersion);
      out_.commit(4);
      break;
    case mqtt::PacketType::kSubscribe:
      on_subscribe(server, header, body);
      break;
    case mqtt::PacketType::kPubrec:  // of a subscriber
    case mqtt::PacketType::kPubrel:  // of a publisher
      if (body.size() == 2) {
        answer(header.type == mqtt::PacketType::kPubrec ? mqtt::PacketType::kPubrel
                                                        : mqtt::PacketType::kPubcomp,
               static_cast<std::uint16_t>(body[0] << 8 | body[1]));
      }
      break;
    case mqtt::PacketType::kPingreq:
      mqtt::write_pingresp(out_.reserve(2));
      out_.commit(2);
      break;
    case mqtt::PacketType::kDisconnect:
      ended_ = true;
      break;
    default:
      break;  // acknowledgements of subscribers
  }
}

void NullServer::Peer::on_subscribe(NullServer& server, const mqtt::FixedHeader& header,
                                    Bytes body) {
  const auto subscribe = mqtt::read_subscribe(header, body, kVersion);
  if (!subscribe) {
    ended_ = true;
    return;
  }
  const mqtt::SubscribeEntry entry = *subscribe->entries.begin();
  filter_ = entry.filter;
  ++server.subscriptions_;
  const mqtt::SubackView suback{subscribe->packet_id, Bytes{&entry.qos, 1}};
  const std::size_t size = mqtt::suback_size(suback, kVersion);
  mqtt::write_suback(out_.reserve(size), suback, kVersion);
  out_.commit(size);
}

void NullServer::Peer::answer(mqtt::PacketType type, std::uint16_t id) {
  mqtt::write_ack(out_.reserve(4), {type, id}, kVersion);
  out_.commit(4);
}

bool NullServer::Peer::flush() {
  touched = false;
  while (writable_ && !out_.empty()) {
    std::array<Bytes, 4> pieces;
    const std::size_t count = out_.gather(pieces);
    const transport::IoResult result = stream_->write(std::span(pieces).first(count));
    if (result.status == transport::IoResult::Status::kAgain) writable_ = false;
    if (result.status == transport::IoResult::Status::kFailed) return false;
    out_.consume(result.count);
  }
  return out_.size() <= kOutputMax;
}

std::expected<std::unique_ptr<NullServer>, std::string> NullServer::open(std::uint16_t port) {
  std::unique_ptr<NullServer> server{new NullServer};
  auto poller = transport::EpollPoller::open();
  if (!poller) return std::unexpected(poller.error());
  auto listener = transport::listen_tcp(transport::Address::v4({127, 0, 0, 1}, port), {});
  if (!listener) return std::unexpected(listener.error());
  server->poller_ = std::move(*poller);
  server->listener_ = std::move(*listener);
  server->scratch_.resize(kScratchBytes);
  if (!server->poller_->add(*server->listener_, kListenerToken)) {
    return std::unexpected("the poller takes no listener");
  }
  return server;
}

NullServer::~NullServer() = default;

std::uint16_t NullServer::port() const {
  return listener_->local().port();
}

void NullServer::stop() {
  stopping_ = true;
  poller_->wake();
}

void NullServer::run() {
  while (!stopping_) {
    for (const transport::Event& event : poller_->wait(Duration::max())) {
      if (event.token == kListenerToken) {
        accept_all();
      } else {
        on_event(event);
      }
    }
    flush_touched();
  }
}

void NullServer::accept_all() {
  int error = 0;
  while (auto stream = listener_->accept(error)) {
    std::size_t index = peers_.size();
    if (free_.empty()) {
      peers_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    peers_[index] = std::make_unique<Peer>(std::move(stream));
    if (!poller_->add(peers_[index]->stream(), index)) drop(index);
  }
}

void NullServer::on_event(const transport::Event& event) {
  Peer* const peer = peers_[event.token].get();
  if (peer == nullptr) return;  // it was dropped in this turn
  if (event.writable) {
    peer->set_writable();
    if (!peer->flush()) {
      drop(event.token);
      return;
    }
  }
  if (event.readable && !peer->serve(*this, event.token)) drop(event.token);
}

void NullServer::drop(std::size_t index) {
  if (!peers_[index]->filter().empty()) ++subscriptions_;
  peers_[index].reset();
  free_.push_back(index);
}

void NullServer::flush_touched() {
  for (const std::size_t index : touched_) {
    if (peers_[index] != nullptr && !peers_[index]->flush()) drop(index);
  }
  touched_.clear();
}

}  // namespace hermod::load
