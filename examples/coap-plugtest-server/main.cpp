// SPDX-License-Identifier: Apache-2.0
// A CoAP server with the resources of the ETSI plugtests, made of Hermod's CoAP sessions without
// its broker (README.md says which case uses which resource).
//
//   coap_plugtest_server [--port N] [--bind ADDRESS] [--period MS] [--separate-after MS]
//                        [--ack-timeout MS] [--amplification N] [--peers N]
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "hermod/coap/codec/uri.hpp"
#include "server.hpp"

namespace {

using std::chrono::milliseconds;

constexpr const char* kUsage =
    "usage: coap_plugtest_server [options]\n"
    "  --port N            UDP port (5683); 0: any free one\n"
    "  --bind ADDRESS      where to listen (127.0.0.1)\n"
    "  --period MS         how often /obs and its like change (5000)\n"
    "  --separate-after MS how long /separate takes (2000)\n"
    "  --ack-timeout MS    ACK_TIMEOUT of RFC 7252 (2000)\n"
    "  --amplification N   octets at most for each one of an address that has proven nothing;\n"
    "                      3 on networks where addresses may be forged (0: no limit)\n"
    "  --peers N           peers at a time (256)\n";

[[noreturn]] void fail(const std::string& words) {
  std::cerr << words << "\n" << kUsage;
  std::exit(2);
}

std::uint32_t number(std::string_view name, std::string_view value, std::uint32_t least,
                     std::uint32_t most) {
  std::uint32_t result = 0;
  const char* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, result);
  if (error != std::errc{} || at != end || result < least || result > most) {
    fail(std::string{name} + " is a number from " + std::to_string(least) + " to " +
         std::to_string(most));
  }
  return result;
}

// Reads the command line into the options of server and peers.
void read(int argc, char** argv, plugtest::ServerOptions& options, plugtest::Shared& shared) {
  constexpr std::uint32_t kHour = 3'600'000;
  std::string_view address = "127.0.0.1";
  std::uint32_t port = hermod::coap::kPort;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) fail(std::string{name} + " has no value");
    const std::string_view value = argv[i + 1];
    if (name == "--port") {
      port = number(name, value, 0, 65'535);
    } else if (name == "--bind") {
      address = value;
    } else if (name == "--period") {
      options.period = milliseconds{number(name, value, 10, kHour)};
    } else if (name == "--separate-after") {
      shared.separate_after = milliseconds{number(name, value, 0, kHour)};
    } else if (name == "--ack-timeout") {
      shared.settings.transmission.ack_timeout = milliseconds{number(name, value, 10, kHour)};
    } else if (name == "--amplification") {
      shared.settings.amplification_max = number(name, value, 0, 1000);
    } else if (name == "--peers") {
      options.peers_max = number(name, value, 1, 65'536);
    } else {
      fail(std::string{name} + " is not an option");
    }
  }
  boost::system::error_code error;
  const auto literal = boost::asio::ip::make_address(std::string{address}, error);
  if (error) fail("--bind is an IPv4 or IPv6 address");
  options.bind = {literal, static_cast<std::uint16_t>(port)};
  // RFC 7641 §4.3.1: by then there is a newer value, or something is wrong.
  const auto period = std::chrono::ceil<std::chrono::seconds>(options.period);
  shared.settings.observe_max_age_s = static_cast<std::uint32_t>(period.count());
}

}  // namespace

int main(int argc, char** argv) {
  hermod::SystemRng rng;
  plugtest::Tree tree(1 + rng.below(1u << 31));
  plugtest::Shared shared{.settings = {}, .tree = tree, .rng = rng};
  // Old clients, which the cases are for, know no Echo.
  shared.settings.amplification_max = 0;
  plugtest::ServerOptions options;
  read(argc, argv, options, shared);
  try {
    boost::asio::io_context io;
    const plugtest::Server server(io, options, shared);
    std::cout << "listening on coap://" << server.local() << std::endl;
    io.run();
  } catch (const boost::system::system_error& error) {
    std::cerr << "cannot listen on " << options.bind << ": " << error.code().message() << "\n";
    return 1;
  }
  return 0;
}
