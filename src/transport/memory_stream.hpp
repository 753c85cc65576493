// SPDX-License-Identifier: Apache-2.0
// Streams of the network in memory. The same state machine as TCP's, as far as a socket shows it:
//
//   connecting --accepted--> connected --peer's end--> read: kClosed
//       |                        |  ---own end----> write: EPIPE
//       +--refused--> failed <---+  reset (by chance, by the user, by closing with octets unread,
//                                   by writing to an end that is closed)
//
// Silent connections lose everything and stay as they are. Must not know pollers' tokens.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "memory_wire.hpp"

namespace hermod::transport {

class MemoryStream final : public Stream, public Endpoint {
 public:
  MemoryStream(Wire& wire, const Address& local, const Address& peer);
  ~MemoryStream() override;

  [[nodiscard]] int descriptor() const override { return number(); }
  [[nodiscard]] IoResult read(std::span<std::uint8_t> into) override;
  [[nodiscard]] IoResult write(std::span<const Bytes> pieces) override;
  void shutdown_write() override;
  [[nodiscard]] Address peer() const override { return peer_; }

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_ended() const override { return peer_ended_ || error_ != 0; }
  [[nodiscard]] bool poll_writable() override;

  /// Sends the first packet of a connection.
  void begin();
  /// This end stands and talks to the endpoint `other`.
  void connected(int other);
  /// The network says that the connection is broken.
  void fail(int error);
  void reset();
  void silence();

 private:
  friend class MemoryListener;

  template <typename Action>
  void after_delay_in_order(Action action);
  void break_with(int error);
  void arrive(const std::vector<std::uint8_t>& octets);
  void on_peer_end();
  void send(std::span<const Bytes> pieces, std::size_t count);
  void on_room(std::size_t count);
  void end_stall();
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] MemoryStream* other() const;
  static MemoryStream* find(Wire& wire, int number);

  Address local_;
  Address peer_;
  std::deque<std::uint8_t> inbox_;
  Instant last_arrival_{};    ///< of what this end has sent
  std::size_t occupied_ = 0;  ///< octets sent that the other end has not read
  int other_ = 0;             ///< number of the other end; 0 while connecting
  int error_ = 0;
  bool peer_ended_ = false;
  bool ended_ = false;
  bool silent_ = false;
  bool stalled_ = false;     ///< after a partial write, until the delay is over
  bool wants_room_ = false;  ///< a write fell short, or a poller found no room
};

class MemoryListener final : public StreamListener, public Endpoint {
 public:
  MemoryListener(Wire& wire, const Address& local) : Endpoint(wire), local_(local) {}
  ~MemoryListener() override;

  [[nodiscard]] int descriptor() const override { return number(); }
  [[nodiscard]] std::unique_ptr<Stream> accept(int& error) override;
  [[nodiscard]] Address local() const override { return local_; }

  [[nodiscard]] bool is_readable() const override { return !waiting_.empty(); }
  [[nodiscard]] bool poll_writable() override { return false; }

  /// Makes the other end of `client`; false when too many wait already.
  bool take(MemoryStream& client);

 private:
  Address local_;
  std::deque<std::unique_ptr<MemoryStream>> waiting_;
};

}  // namespace hermod::transport
