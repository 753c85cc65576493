// SPDX-License-Identifier: Apache-2.0
// The only file of the program that includes CLI11, which takes long to compile: what the options
// are called and what they mean. The commands get plain values.
#include "cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands/coap_command.hpp"
#include "commands/exit_code.hpp"
#include "commands/options.hpp"
#include "commands/options_file.hpp"
#include "commands/passwd.hpp"
#include "commands/program.hpp"
#include "commands/pub.hpp"
#include "commands/rr.hpp"
#include "commands/serve.hpp"
#include "commands/store.hpp"
#include "commands/sub.hpp"
#include "config/reader.hpp"
#include "hermod/load/cli.hpp"
#include "text/suggest.hpp"
#include "version.hpp"

namespace hermod::app {
namespace {

constexpr std::string_view kHelp = R"(Hermod: a messaging broker for the Internet of Things.

  hermod serve                                     broker: MQTT on 1883, CoAP on 5683, this machine
  hermod sub 'mqtt://localhost/#' -v               print what is published
  hermod pub mqtt://localhost/hello -m hi          publish a message
  hermod pub coap://localhost/hello -m hi          the same topic over CoAP
  hermod get coap://localhost/.well-known/core     make a CoAP request
  hermod bench fan-out --url mqtt://localhost      measure an MQTT or CoAP server

Commands:
  serve     run the broker
  pub       publish messages over MQTT or CoAP
  sub       subscribe and print messages over MQTT or CoAP
  rr        publish a request and print the response to it
  get, put, post, delete, fetch, patch, ipatch
            make a CoAP request of any server
  observe   print a CoAP resource's value whenever it changes
  discover  list a CoAP server's resources
  passwd    keep the users of a broker and their passwords
  store     check, dump, export or import what a broker keeps on the disk
  bench     measure a server
  help      this text; hermod help COMMAND: its options; hermod help config: the configuration file

  --version print the version

Under the names mosquitto, mosquitto_pub, mosquitto_sub, mosquitto_rr and mosquitto_passwd (symbolic
links, say) it does as those programs do.

Exit status: 0 done, 1 failed, 2 wrong command line or configuration, 27 timed out,
130 interrupted by Ctrl-C; of CoAP requests 4 and 5 for answers 4.xx and 5.xx, 6 for a Reset.
)";

constexpr std::array<std::string_view, 17> kCommands{
    "serve", "pub",    "sub",     "rr",       "get",   "put",    "post",  "delete", "fetch",
    "patch", "ipatch", "observe", "discover", "bench", "passwd", "store", "help"};

/// Options of mosquitto's clients that are not there, and why.
struct Missing {
  std::string_view name;
  std::string_view why;
};
constexpr std::string_view kNoTls =
    "there is no TLS yet, and nothing would be encrypted. Leave it out on a network that you "
    "trust, "
    "or connect to a program that adds TLS, such as stunnel, with -h and -p";
constexpr std::string_view kNoCount = "leave it out, and count the lines that are printed";
constexpr std::array kMissing{
    Missing{"--cafile", kNoTls},
    Missing{"--capath", kNoTls},
    Missing{"--cert", kNoTls},
    Missing{"--key", kNoTls},
    Missing{"--keyform", kNoTls},
    Missing{"--ciphers", kNoTls},
    Missing{"--tls-version", kNoTls},
    Missing{"--tls-alpn", kNoTls},
    Missing{"--tls-engine", kNoTls},
    Missing{"--tls-engine-kpass-sha1", kNoTls},
    Missing{"--tls-keylog", kNoTls},
    Missing{"--tls-use-os-certs", kNoTls},
    Missing{"--insecure", kNoTls},
    Missing{"--psk", kNoTls},
    Missing{"--psk-identity", kNoTls},
    Missing{"--ws", "there are no WebSockets yet. Connect to the broker's plain MQTT port"},
    Missing{"--message-rate", kNoCount},
    Missing{"-w", "leave it out: every message is printed as it comes"},
    Missing{"--watch", "leave it out: every message is printed as it comes"},
    Missing{"--latency", "leave it out; hermod bench measures how long messages take"},
};

constexpr std::string_view kNoDtls =
    "there is no DTLS yet, and nothing would be encrypted. Leave it out on a network that you "
    "trust";
/// Options of coap-client that are not there, and why.
constexpr std::array kMissingCoap{
    Missing{"-m", "the command says the method: hermod put, for example"},
    Missing{"-r", "there is no CoAP over TCP yet. Leave it out to use UDP"},
    Missing{"-X", "it is for CoAP over TCP, which is not there yet"},
    Missing{"-k", kNoDtls},
    Missing{"-u", kNoDtls},
    Missing{"-h", kNoDtls},
    Missing{"-c", kNoDtls},
    Missing{"-j", kNoDtls},
    Missing{"-n", kNoDtls},
    Missing{"-J", kNoDtls},
    Missing{"-M", kNoDtls},
    Missing{"-R", kNoDtls},
    Missing{"-a", "leave it out: the system chooses the own address"},
    Missing{"-l", "leave it out: nothing is lost on purpose"},
    Missing{"-L", "leave it out: bodies in blocks are always handled"},
    Missing{"-G", "leave it out, and repeat the command"},
};

template <typename T>
constexpr bool kIsList = false;
template <typename T>
constexpr bool kIsList<std::vector<T>> = true;

/// An option with a value that is taken as it is, also when it begins with a dash.
template <typename T>
CLI::Option* value(CLI::App& app, const std::string& name, T& into, const std::string& help) {
  CLI::Option* const option = app.add_option(name, into, help)->allow_extra_args(false);
  // The command line has the last word over the options file.
  if constexpr (!kIsList<T>) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return option;
}

/// A flag, which may be given again.
CLI::Option* flag(CLI::App& app, const std::string& name, bool& into, const std::string& help) {
  return app.add_flag(name, into, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void declare_client(CLI::App& app, ClientOptions& o) {
  if (!o.program.mosquitto) {
    app.add_option("url", o.url,
                   "mqtt://[user[:password]@]host[:port]/topic, or coap://host/topic");
  }
  value(app, "-L,--url", o.url, "the same as an option");
  value(app, "-h,--host", o.host_option, "host of the broker (default localhost)");
  value(app, "-p,--port", o.port_option, "its port (default 1883; CoAP: 5683)")
      ->check(CLI::Range(1, 65'535));
  value(app, "-u,--username", o.user, "user name");
  value(app, "-P,--pw", o.password, "password");
  value(app, "--auth", o.auth,
        "MQTT 5: SCRAM-SHA-256, by which -u and -P are proven without being sent");
  value(app, "-i,--id", o.id, "client id (default: the broker assigns one)")
      ->check([](const std::string& id) {
        return id.empty() ? "is empty: leave it out, and the broker assigns one" : "";
      });
  value(app, "-I,--id-prefix", o.id_prefix, "client id: this and the process id");
  value(app, "-A", o.local_host, "the own address to connect from (default: any)");
  value(app, "--unix", o.unix_path,
        "connect to this Unix socket of the machine, instead of a host");
  value(app, "--proxy", o.proxy_option,
        "socks5h://[user[:password]@]host[:port]: connect through this SOCKS5 proxy");
  flag(app, "-S", o.service,
       "-h is a domain (default: this machine's), whose SRV records say where its broker is");
  flag(app, "-c,--disable-clean-session", o.keep_session,
       "the broker keeps the session and queues messages while the client is away; needs -i");
  value(app, "-k,--keepalive", o.keep_alive_s,
        "seconds between signs of life, 0: none (default 60)");
  value(
      app, "-V,--protocol-version", o.version,
      o.program.task == Task::kRr
          ? "mqttv5, mqttv311 or mqttv31, or 5, 311, 31 (default mqttv5)"
          : "mqttv5, mqttv311 or mqttv31, or 5, 311, 31 (default mqttv311; with -D or -x mqttv5)");
  value(app, "-x,--session-expiry-interval", o.session_expiry,
        "MQTT 5: seconds that the session outlives the connection, -1: for ever (default: 0, with "
        "-c for ever)");
  app.add_option("-D,--property", o.has_properties,
                 "MQTT 5: COMMAND NAME VALUE, or COMMAND user-property NAME VALUE. Commands are "
                 "connect, publish, will, subscribe, unsubscribe, disconnect; names as in the "
                 "specification, such as content-type; may be repeated")
      ->type_name("...");
  value(app, "-q,--qos", o.qos, "quality of service 0, 1 or 2 (default 0)")
      ->check(CLI::Range(0, 2));
  value(app, "-M", o.inflight_max, "messages above QoS 0 that are under way at a time (default 20)")
      ->check(CLI::Range(1, 65'535));
  value(app, "--resend", o.resend_after_s,
        "MQTT 3.1: seconds after which what was not answered is sent again (default 0: never)")
      ->check(CLI::Range(0u, 86'400u));
  value(app, "-W", o.timeout_s, "seconds after which to give up, with exit status 27")
      ->check(CLI::PositiveNumber);
  value(app, "--will-topic", o.will_topic,
        "topic of the will: what the broker publishes when the "
        "client is lost")
      ->check([](const std::string& topic) { return topic.empty() ? "is empty" : ""; });
  value(app, "--will-payload", o.will_payload, "its message (default empty)");
  value(app, "--will-qos", o.will_qos, "its quality of service (default 0)")
      ->check(CLI::Range(0, 2));
  flag(app, "--will-retain", o.will_retain, "the will is retained");
  flag(app, "-d,--debug", o.debug, "say on stderr what is sent and received");
  flag(app, "--quiet", o.quiet, "no errors on stderr, the exit status tells");
  app.add_flag("--nodelay,--no-tls")->description("for the sake of scripts: it is always so");
  app.add_option("-o", o.options_file,
                 "FILE: options, one a line; without it $XDG_CONFIG_HOME/" +
                     o.program.options_file() + " or $HOME/.config/" + o.program.options_file());
}

void declare_message(CLI::App& app, PubOptions& o) {
  declare_client(app, o.client);
  value(app, "-t,--topic", o.topic, "topic to publish to");
  value(app, "-m,--message", o.message, "the message")
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  value(app, "-f,--file", o.file, "a file is the message")
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  flag(app, "-s,--stdin-file", o.whole_input, "the whole standard input is the message");
  flag(app, "-n,--null-message", o.null, "an empty message");
  flag(app, "-r,--retain", o.retain, "the broker keeps the message for later subscribers");
}

void declare_pub(CLI::App& app, PubOptions& o) {
  declare_message(app, o);
  flag(app, "-l,--stdin-line", o.lines, "each line of the standard input is a message");
  value(app, "--repeat", o.repeat, "publish the message so many times (default 1)")
      ->check(CLI::Range(std::uint32_t{1}, UINT32_MAX));
  value(app, "--repeat-delay", o.repeat_delay_s, "seconds between them (default 0)")
      ->check(CLI::Range(0.0, 1e9));
}

void declare_printing(CLI::App& app, PrintOptions& o) {
  flag(app, "-v,--verbose", o.verbose, "print the topic before each message");
  value(app, "-F,--format", o.format,
        "how to print: %t topic, %p payload, %q QoS, %r retained, %l length, %m packet id, %x %X "
        "hexadecimal, %j %J JSON, %I %U time, @X as strftime, \\n \\t; of MQTT 5 %C %D %E %F %P %R "
        "%S");
  flag(app, "--pretty", o.pretty, "%j and %J print JSON on several lines");
  flag(app, "-N", o.no_newline, "no end of line after messages");
  flag(app, "-R", o.no_retained, "do not print retained messages");
}

void declare_rr(CLI::App& app, RrOptions& o) {
  declare_message(app, o.request);
  value(app, "-e", o.response_topic, "topic of the response, which is subscribed to");
  declare_printing(app, o.print);
}

void declare_sub(CLI::App& app, SubOptions& o) {
  declare_client(app, o.client);
  declare_printing(app, o.print);
  value(app, "-t,--topic", o.topics, "topic or filter to subscribe to; may be repeated");
  value(app, "-T,--filter-out", o.filtered_out, "do not print topics that match; may be repeated");
  value(app, "-U,--unsubscribe", o.unsubscribe, "unsubscribe from this; may be repeated");
  value(app, "-C", o.count, "end after so many messages")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  flag(app, "--retain-as-published", o.retain_as_published,
       "MQTT 5: %r is what the publisher said");
  value(app, "--retain-handling", o.retain_handling_word,
        "MQTT 5: whether retained messages come: always (default), new (for a new subscription "
        "only) or never");
  value(app, "--random-filter", o.percent, "print so many percent of the messages (default 100)")
      ->check(CLI::Range(0.0, 100.0));
  flag(app, "--retained-only", o.retained_only, "print retained messages, end at the first other");
  flag(app, "--remove-retained", o.remove_retained, "clear the retained messages that come");
  flag(app, "-E", o.exit_after_subscribing, "end once the broker has accepted the subscriptions");
}

void declare_serve(CLI::App& app, ServeOptions& o) {
  value(app, "-c,--config-file", o.config_file, "configuration in mosquitto.conf's grammar");
  value(app, "-p,--port", o.ports,
        o.program.mosquitto
            ? "port for MQTT instead of 1883, for this machine only; may be repeated"
            : "port for MQTT instead of 1883")
      ->check(CLI::Range(1, 65'535));
  if (!o.program.mosquitto) {
    value(app, "--coap-port", o.coap_port, "port for CoAP instead of 5683")
        ->check(CLI::Range(1, 65'535));
    flag(app, "--ephemeral", o.ephemeral,
         "keep nothing on the disk, whatever the configuration says");
  }
  flag(app, "-d,--daemon", o.background, "go to the background once the ports are open");
  flag(app, "-v,--verbose", o.verbose, "log everything, whatever the configuration says");
  flag(app, "-q,--quiet", o.quiet, "log nothing, whatever the configuration says");
  flag(app, "--test-config", o.test_config, "only say whether the configuration is right");
}

void declare_passwd(CLI::App& app, PasswdOptions& o) {
  app.add_option("file", o.file, "password file of the broker");
  app.add_option("user", o.user, "user name");
  app.add_option("password", o.password, "password, with -b only");
  flag(app, "-c,--create", o.create, "make a new file, in place of an old one");
  flag(app, "-b,--batch", o.batch, "the password stands on the command line");
  flag(app, "-D,--delete", o.remove, "remove the user");
  flag(app, "-U,--upgrade", o.upgrade, "hash all passwords of the file that are not hashed");
  value(app, "-H,--hash", o.hash,
        "sha512-pbkdf2 (default), scram-sha-256, or sha512, as mosquitto 1.6 has it");
  value(app, "-I,--iterations", o.iterations,
        "cost of sha512-pbkdf2 (default 1000) or scram-sha-256 (default 4096)")
      ->check(CLI::Range(1u, identity::kIterationsMax));
}

void declare_store(CLI::App& app, StoreOptions& o) {
  app.add_option("action", o.action, "check, dump, export or import");
  app.add_option("directory", o.folder, "of the store (default: where hermod serve keeps it)");
  value(app, "-c,--config-file", o.config_file, "the configuration that says where it is");
  flag(app, "--metadata", o.metadata, "dump: only sessions, subscriptions and declared topics");
  flag(app, "--log", o.log, "dump: only the records of the log");
  flag(app, "--payload", o.payload, "dump: payloads too");
}

void declare_coap_request(CLI::App& app, CoapCommandOptions& o) {
  app.add_option("url", o.url, "coap://host[:port][/path][?query]");
  app.add_option("filter", o.filters,
                 o.verb == CoapVerb::kDiscover
                     ? "what the links must have, such as rt=core.ps.data or href=/ps*"
                     : "nothing");
  if (has_payload(o.verb)) {
    value(app, "-e", o.payload, "the payload");
    value(app, "-f", o.file, "a file is the payload; -: standard input");
    value(
        app, "-t", o.format,
        "content format of the payload: a media type, a number, or plain, link, xml, binary, exi, "
        "json, cbor");
  } else {
    value(app, "-e", o.payload, "")->group("");
    value(app, "-f", o.file, "")->group("");
    value(app, "-t", o.format, "")->group("");
  }
  if (o.verb == CoapVerb::kDiscover) {
    value(app, "--interface", o.interface,
          "by which a multicast group is asked, such as eth0 for coap://224.0.1.187");
  }
  value(app, "-A", o.accept, "the content format wanted, as with -t");
  flag(app, "-N", o.non_confirmable, "Non-confirmable: the request may be lost");
  value(app, "-O", o.raw_options, "NUMBER,VALUE: any option; the value may be 0x and hexadecimal");
  value(app, "-b", o.block,
        "[FIRST,]SIZE: size of blocks both ways, and the block of the response to begin with");
  value(app, "-T", o.token, "token of the first message, text or 0x and hexadecimal");
  value(app, "-H", o.hop_limit, "Hop-Limit: so many proxies at most")->check(CLI::Range(1, 255));
  value(app, "--if-match", o.if_match,
        "do it only if this is the ETag (text, or 0x and hexadecimal); may be repeated");
  flag(app, "--if-none-match", o.if_none_match, "do it only if there is nothing yet");
  value(app, "--etag", o.etags, "the value with this ETag is here already; may be repeated");
  value(app, "--no-response", o.no_response,
        "answers not to send: all, or the sum of 2 (2.xx), 8 (4.xx) and 16 (5.xx)");
  value(app, "-P", o.proxy, "coap://host[:port] of a proxy that makes the request");
  flag(app, "-U", o.no_uri_host, "do not tell the server which host the URL names");
  value(app, "-p", o.local_port, "the own port (default: any)")->check(CLI::Range(1, 65'535));
  value(app, "-B", o.wait_s, "seconds to wait for the answer (default: 93 at most)")
      ->check(CLI::PositiveNumber);
}

void declare_coap_output(CLI::App& app, CoapCommandOptions& o) {
  if (o.verb == CoapVerb::kObserve) {
    value(app, "-s", o.observe_s, "seconds to observe (default: until Ctrl-C)")
        ->check(CLI::PositiveNumber);
    value(app, "-C", o.count, "end after so many values")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
    value(app, "-K", o.ping_s, "ask whether the server is there after so many seconds of silence")
        ->check(CLI::PositiveNumber);
  }
  value(app, "-o", o.output, "write the payload to this file");
  flag(app, "-w", o.newline, "an end of line after each payload");
  flag(app, "--pretty", o.pretty, "lay JSON and links out for people, as on a terminal");
  flag(app, "--json", o.json,
       "print one JSON object for each answer: code, options, payload, time");
  flag(app, "-v,--verbose", o.verbose,
       "say on stderr what is asked and answered, with all options");
  flag(app, "--quiet", o.client.quiet, "no errors on stderr, the exit status tells");
}

/// Where a command's option ends: "--foo=bar" is "--foo".
std::string_view option_name(std::string_view text) {
  return text.substr(0, text.find('='));
}

std::string unknown_option(const CLI::App& app, const std::string& given, Task task) {
  const std::string_view name = option_name(given);
  const std::span<const Missing> known =
      task == Task::kCoap ? std::span<const Missing>(kMissingCoap) : kMissing;
  const auto missing = std::ranges::find(known, name, &Missing::name);
  if (missing != known.end()) return fmt::format("{} is not supported: {}.", name, missing->why);
  if (!name.starts_with('-')) {
    return fmt::format("\"{}\" is one argument too many. Put quotes around what holds blanks.",
                       given);
  }
  std::vector<std::string> long_names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& one : option->get_lnames()) long_names.push_back("--" + one);
  }
  const std::vector<std::string_view> views(long_names.begin(), long_names.end());
  return fmt::format("there is no option {}.{}", name, did_you_mean(name, views));
}

int usage(const Program& program, std::string_view text) {
  fmt::print(stderr, "{}\n{}\n", program.error_line(text), program.advice());
  return program.wrong;
}

void print_version(const Program& program) {
  if (program.mosquitto) {
    fmt::print("{} version {} running on hermod {}.\n", program.name, kMosquittoVersion, kVersion);
  } else {
    fmt::print("hermod {}\n", kVersion);
  }
}

/// The parser of one command. `-h` is the host, so help is --help and -?.
class Command {
 public:
  Command(const Program& program, std::string_view purpose)
      : program_(program), app_(std::string(purpose), std::string(program.name)) {
    app_.set_help_flag(program.task == Task::kServe ? "-?,-h,--help" : "-?,--help", "this text");
    if (program.mosquitto) app_.add_flag("--version", version_, "print the version");
    app_.allow_extras();
    app_.get_formatter()->column_width(34);
  }

  [[nodiscard]] CLI::App& app() { return app_; }

  /// True when the command is to run; `status` otherwise. `client`: with an options file and -D.
  bool parse(int argc, char** argv, int& status, ClientOptions* client = nullptr) {
    std::vector<char*> words(argv, argv + argc);
    std::vector<std::string> all;
    const auto refuse = [&](std::string_view text) {
      status = usage(program_, text);
      return false;
    };
    if (client != nullptr) {
      auto read = with_options_file(words, program_);
      if (!read) return refuse(read.error());
      all = std::move(*read);
      words.clear();
      for (std::string& word : all) words.push_back(word.data());
      if (const std::string error = take_properties(words, *client); !error.empty()) {
        return refuse(error);
      }
    }
    try {
      app_.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::CallForHelp&) {
      fmt::print("{}", app_.help());
      status = program_.helped;
      return false;
    } catch (const CLI::ParseError& error) {
      return refuse(std::string(error.what()) + ".");
    }
    if (version_) {
      print_version(program_);
      status = program_.helped;
      return false;
    }
    const auto extras = app_.remaining();
    return extras.empty() || refuse(unknown_option(app_, extras.front(), program_.task));
  }

 private:
  /// Takes each -D out of the words, with the three or four behind it: their number depends on what
  /// they say, and they may begin with a dash. What is wrong with them, in words.
  std::string take_properties(std::vector<char*>& words, ClientOptions& client) {
    for (std::size_t i = 1; i < words.size();) {
      const std::string_view word = words[i];
      if (word != "-D" && word != "--property") {
        const CLI::Option* option =
            word.starts_with('-') ? app_.get_option_no_throw(std::string(word)) : nullptr;
        i += option != nullptr && option->get_expected_min() > 0 ? 2 : 1;
        continue;
      }
      const auto count = read_property(std::span(words).subspan(i + 1), client.properties);
      if (!count) return count.error();
      client.has_properties = true;
      const auto at = words.begin() + static_cast<std::ptrdiff_t>(i);
      words.erase(at, at + 1 + static_cast<std::ptrdiff_t>(*count));
    }
    return {};
  }

  Program program_;
  CLI::App app_;
  bool version_ = false;
};

/// What stands before the URL: as mosquitto's program the last word counts.
void take_order(const CLI::App& app, ClientOptions& client) {
  bool url = false;
  for (const CLI::Option* option : app.parse_order()) {
    const std::string name = option->get_name();
    url |= name == "--url";
    if (name == "--host") client.host_before_url = !url;
    if (name == "--port") client.port_before_url = !url;
    if (name == "--topic") client.topic_before_url = !url;
  }
}

int run_pub_command(const Program& program, int argc, char** argv) {
  PubOptions options;
  options.client.program = program;
  Command command(program,
                  "Publishes messages.\n\n"
                  "  hermod pub mqtt://localhost/Temperature/Kitchen -m 34.5\n"
                  "  hermod pub -h localhost -t Temperature/Kitchen -m 34.5 -q 1 -r\n"
                  "  hermod pub coap://localhost/Temperature/Kitchen -m 34.5\n");
  declare_pub(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status, &options.client)) return status;
  take_order(command.app(), options.client);
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_pub(options);
}

int run_sub_command(const Program& program, int argc, char** argv) {
  SubOptions options;
  options.client.program = program;
  Command command(program,
                  "Subscribes and prints what comes.\n\n"
                  "  hermod sub 'mqtt://localhost/Temperature/+' -v\n"
                  "  hermod sub -t 'Temperature/#' -C 1 -W 10 -F '%I %t %p'\n"
                  "  hermod sub coap://localhost/Temperature/Kitchen\n");
  declare_sub(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status, &options.client)) return status;
  take_order(command.app(), options.client);
  options.print.has_format = command.app().count("--format") > 0;
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_sub(options);
}

int run_rr_command(const Program& program, int argc, char** argv) {
  RrOptions options;
  options.request.client.program = program;
  Command command(program,
                  "Publishes a request, waits for one response and prints it.\n\n"
                  "  hermod rr mqtt://localhost/Lamp/ask -e Lamp/answer -m state\n"
                  "  hermod rr -t Lamp/ask -e Lamp/answer -m state -W 5 -D publish "
                  "correlation-data 7\n");
  declare_rr(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status, &options.request.client)) return status;
  take_order(command.app(), options.request.client);
  options.print.has_format = command.app().count("--format") > 0;
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_rr(options);
}

int run_serve_command(const Program& program, int argc, char** argv) {
  ServeOptions options;
  options.program = program;
  Command command(program,
                  program.mosquitto
                      ? "Runs the broker until SIGTERM or Ctrl-C. Without a configuration "
                        "it speaks MQTT on 1883,\nto this machine only.\n\n"
                        "  mosquitto -c /etc/mosquitto/mosquitto.conf -d\n"
                      : "Runs the broker until SIGTERM or Ctrl-C. Without a configuration it "
                        "speaks MQTT on 1883 and CoAP\non 5683, to this machine only.\n\n"
                        "  hermod serve\n"
                        "  hermod serve -c /etc/hermod.conf\n");
  declare_serve(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status)) return status;
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_serve(options);
}

int run_passwd_command(const Program& program, int argc, char** argv) {
  PasswdOptions options;
  options.program = program;
  Command command(program,
                  "Keeps a password file: adds a user or changes his password, which is asked for "
                  "twice.\n\n"
                  "  hermod passwd -c /etc/hermod/passwd alice\n"
                  "  hermod passwd -D /etc/hermod/passwd alice\n"
                  "  hermod passwd -U /etc/hermod/passwd\n");
  declare_passwd(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status)) return status;
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_passwd(options);
}

int run_store_command(const Program& program, int argc, char** argv) {
  StoreOptions options;
  options.program = program;
  Command command(program,
                  "Looks through a store that no broker runs on, shows it, writes it as text to "
                  "the standard output,\nor makes a new one of such a text. Only import writes to "
                  "the store.\n\n"
                  "  hermod store check\n"
                  "  hermod store dump /var/lib/hermod --log --payload\n"
                  "  hermod store export /var/lib/hermod >store.jsonl\n"
                  "  hermod store import /var/lib/hermod-new <store.jsonl\n");
  declare_store(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status)) return status;
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_store(options);
}

std::string coap_purpose(CoapVerb verb) {
  using enum CoapVerb;
  switch (verb) {
    case kObserve:
      return "Prints a resource's value, and each new one (with a payload: the answer to "
             "FETCH).\n\n"
             "  hermod observe coap://localhost/ps/data/Temperature/Kitchen\n"
             "  hermod observe coap://localhost/ps/data/Temperature/Kitchen -s 60 --json\n";
    case kDiscover:
      return "Lists the resources of a server, one a line (RFC 6690).\n\n"
             "  hermod discover coap://localhost\n"
             "  hermod discover coap://localhost rt=core.ps.data\n";
    case kGet:
      return "Gets a resource.\n\n"
             "  hermod get coap://localhost/ps/data/Temperature/Kitchen\n"
             "  hermod get coap://localhost/.well-known/core -b 64 -v\n"
             "  hermod get coap://localhost/status -A json --pretty\n";
    case kDelete:
      return "Deletes a resource.\n\n"
             "  hermod delete coap://localhost/ps/data/Temperature/Kitchen\n";
    default:
      return "Sends a payload to a resource.\n\n"
             "  hermod put coap://localhost/ps/data/Temperature/Kitchen -e 21\n"
             "  hermod post coap://localhost/ps -f topic.cbor -t cbor\n"
             "  sensor | hermod put coap://localhost/ps/data/log -f - -t json\n";
  }
}

int run_coap_command(const Program& program, int argc, char** argv) {
  CoapCommandOptions options;
  options.client.program = program;
  options.verb = coap_verb(program.name.substr(program.name.find(' ') + 1)).value();
  Command command(program, coap_purpose(options.verb));
  declare_coap_request(command.app(), options);
  declare_coap_output(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status)) return status;
  if (auto checked = complete(options); !checked) return usage(program, checked.error());
  return run_coap(options);
}

int run_task(const Program& program, int argc, char** argv) {
  switch (program.task) {
    case Task::kServe:
      return run_serve_command(program, argc, argv);
    case Task::kPub:
      return run_pub_command(program, argc, argv);
    case Task::kSub:
      return run_sub_command(program, argc, argv);
    case Task::kRr:
      return run_rr_command(program, argc, argv);
    case Task::kPasswd:
      return run_passwd_command(program, argc, argv);
    case Task::kStore:
      return run_store_command(program, argc, argv);
    case Task::kCoap:
      return run_coap_command(program, argc, argv);
  }
  return kExitUsage;
}

int run_help(int argc, char** argv) {
  const std::string_view about = argc > 1 ? argv[1] : "";
  if (about.empty() || about == "help") {
    fmt::print("{}", kHelp);
    return kExitOk;
  }
  if (about == "config") {
    fmt::print("{}", config_help());
    return kExitOk;
  }
  if (std::ranges::find(kCommands, about) == kCommands.end()) {
    fmt::print(stderr, "hermod help: there is no command \"{}\".{} Commands are {}.\n", about,
               did_you_mean(about, kCommands), join(kCommands));
    return kExitUsage;
  }
  std::string name(about);
  std::string flag = "--help";
  std::array<char*, 4> line{argv[0], name.data(), flag.data(), nullptr};
  return run_cli(3, line.data());
}

}  // namespace

int run_cli(int argc, char** argv) {
  if (const auto program = mosquitto_program(argc > 0 ? argv[0] : "")) {
    return run_task(*program, argc, argv);
  }
  const std::string_view command = argc > 1 ? argv[1] : "";
  for (const Program& program :
       {kHermodServe, kHermodPub, kHermodSub, kHermodRr, kHermodPasswd, kHermodStore}) {
    if (program.name.substr(program.name.find(' ') + 1) == command) {
      return run_task(program, argc - 1, argv + 1);
    }
  }
  for (const Program& program : kHermodCoap) {
    if (program.name.substr(program.name.find(' ') + 1) == command) {
      return run_task(program, argc - 1, argv + 1);
    }
  }
  if (command == "bench") return load::main_bench(argc - 1, argv + 1);
  if (command == "help") return run_help(argc - 1, argv + 1);
  if (command == "--version") {
    fmt::print("hermod {}\n", kVersion);
    return kExitOk;
  }
  if (command == "--help" || command == "-h" || command == "-?") {
    fmt::print("{}", kHelp);
    return kExitOk;
  }
  if (command.empty()) {
    fmt::print(stderr, "{}", kHelp);
    return kExitUsage;
  }
  fmt::print(stderr, "hermod: there is no command \"{}\".{} Commands are {}.\n", command,
             did_you_mean(command, kCommands), join(kCommands));
  return kExitUsage;
}

}  // namespace hermod::app
