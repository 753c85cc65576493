// SPDX-License-Identifier: Apache-2.0
// Listening on a socket file of this machine. What is accepted is a TcpStream: the octets of both
// kinds of stream socket go the same way, and its peer_text() is the path of the file.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "hermod/transport/stream.hpp"

namespace hermod::transport {

/// Why a path cannot be that of a socket; empty when it can.
[[nodiscard]] std::string unix_path_fault(const std::string& path);

/// Listens on the socket file `path` with `count` listeners, one for each shard: each connection
/// goes to one of them. The file is made, in place of a socket that nobody listens on any more,
/// with mode 0770, and removed with the last of the listeners. Error in words.
[[nodiscard]] std::expected<std::vector<std::unique_ptr<StreamListener>>, std::string> listen_unix(
    const std::string& path, std::size_t count, int backlog = 1024);

}  // namespace hermod::transport
