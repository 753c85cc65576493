// SPDX-License-Identifier: Apache-2.0
// The configuration reader: what lines mean, and the exact words for every kind of wrong line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include <array>
#include <filesystem>
#include <fstream>

#include "config/directives.hpp"
#include "config/reader.hpp"

namespace hermod::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array<std::string_view, 2> kProtocols{"mqtt", "coap"};

ConfigReading read(std::string_view text) {
  return read_config_text(text, "h.conf", kProtocols);
}

std::vector<std::string> findings(const ConfigReading& reading) {
  std::vector<std::string> texts;
  texts.reserve(reading.findings.size());
  for (const Finding& finding : reading.findings) texts.push_back(finding.to_text());
  return texts;
}

/// The one thing that the reader has to say about `text`.
std::string finding(std::string_view text) {
  const auto texts = findings(read(text));
  return texts.size() == 1 ? texts.front() : testing::PrintToString(texts);
}

/// A configuration without errors and warnings.
Config accepted(std::string_view text) {
  ConfigReading reading = read(text);
  EXPECT_THAT(findings(reading), IsEmpty()) << text;
  return reading.config;
}

TEST(ConfigReader, NothingConfiguredServesThisMachineAnonymously) {
  const Config config = accepted("");
  EXPECT_TRUE(config.local_only);
  EXPECT_TRUE(config.lets_anonymous_in(config.listeners[0]));
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.listeners[0].protocol, "mqtt");
  EXPECT_EQ(config.listeners[0].port, 1883);
  EXPECT_EQ(config.listeners[0].address, "localhost");
  EXPECT_EQ(config.listeners[1].protocol, "coap");
  EXPECT_EQ(config.listeners[1].port, 5683);
  EXPECT_EQ(config.limits.inflight_max, 512);
  EXPECT_EQ(config.keep.queue_messages_max, 10'000u);
}

TEST(ConfigReader, CommentsBlankLinesAndBlanksAroundDoNotCount) {
  const Config config =
      accepted("# a comment\n\n   \t\n  # indented\n  threads \t 2  \r\nmax_keepalive 60");
  EXPECT_EQ(config.threads, 2u);
  EXPECT_EQ(config.limits.keep_alive_s_max, 60);
}

TEST(ConfigReader, ListenersTakeTheLinesBelowThem) {
  const Config config = accepted(
      "listener 1883\nmax_qos 1\nlistener 5683 127.0.0.1\nprotocol coap\nmax_connections 7\n"
      "socket_domain ipv4\nthreads 3\n");
  EXPECT_FALSE(config.local_only);
  EXPECT_FALSE(config.lets_anonymous_in(config.listeners[0]));  // mosquitto 2: not with a listener
  EXPECT_EQ(config.threads, 3u);
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.listeners[0].address, "");
  EXPECT_EQ(config.listeners[0].guarantee_max, model::Guarantee::kAtLeastOnce);
  EXPECT_EQ(config.listeners[0].connections_max, ListenerConfig::kUnlimited);
  EXPECT_EQ(config.listeners[1].protocol, "coap");
  EXPECT_EQ(config.listeners[1].address, "127.0.0.1");
  EXPECT_EQ(config.listeners[1].connections_max, 7u);
  EXPECT_EQ(config.listeners[1].domain, SocketDomain::kV4);
  EXPECT_EQ(config.listeners[1].place.line, 3u);
}

std::vector<bool> anonymous(std::string_view text) {
  const Config config = accepted(text);
  std::vector<bool> all;
  for (const ListenerConfig& listener : config.listeners) {
    all.push_back(config.lets_anonymous_in(listener));
  }
  return all;
}

TEST(ConfigReader, AllowAnonymousCanBeSaidBeforeOrAfterListeners) {
  EXPECT_THAT(anonymous("allow_anonymous true\nlistener 1\nlistener 2\n"), ElementsAre(true, true));
  EXPECT_THAT(anonymous("listener 1\nlistener 2\nallow_anonymous TRUE\n"), ElementsAre(true, true));
  EXPECT_THAT(anonymous("allow_anonymous 0\n"), ElementsAre(false, false));
}

TEST(ConfigReader, AccessIsOfAllListenersUnlessTheyHaveSettingsOfTheirOwn) {
  const Config all = accepted("listener 1\nlistener 2\npassword_file p w\nacl_file a\n");
  for (const ListenerConfig& listener : all.listeners) {
    EXPECT_EQ(all.access_of(listener).password_file, "p w");
    EXPECT_EQ(all.access_of(listener).acl_file, "a");
    EXPECT_EQ(all.access_of(listener).acl_place.line, 4u);
  }
  const Config own = accepted(
      "per_listener_settings true\nlistener 1\nallow_anonymous true\nacl_file a\nlistener 2\n"
      "password_file p\nallow_anonymous false\nlistener 3\n");
  ASSERT_EQ(own.listeners.size(), 3u);
  EXPECT_TRUE(own.lets_anonymous_in(own.listeners[0]));
  EXPECT_EQ(own.access_of(own.listeners[0]).password_file, "");
  EXPECT_EQ(own.access_of(own.listeners[0]).acl_file, "a");
  EXPECT_FALSE(own.lets_anonymous_in(own.listeners[1]));
  EXPECT_EQ(own.access_of(own.listeners[1]).password_file, "p");
  EXPECT_FALSE(own.lets_anonymous_in(own.listeners[2]));
  EXPECT_EQ(own.access_of(own.listeners[2]).password_file, "");
}

// Before any listener line they are the default listener's, and open none.
TEST(ConfigReader, AccessBeforeAnyListenerOpensNoPort) {
  const Config config = accepted("per_listener_settings true\npassword_file p\n");
  EXPECT_TRUE(config.local_only);
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.access_of(config.listeners[1]).password_file, "p");
  EXPECT_EQ(accepted("password_file p\nlistener 7\n").listeners.size(), 1u);
}

TEST(ConfigReader, PerListenerSettingsStandAboveWhatTheyDecideAbout) {
  EXPECT_THAT(finding("acl_file a\nper_listener_settings true\n"), HasSubstr("Put it above"));
  EXPECT_TRUE(read("acl_file a\nper_listener_settings true\n").refused());
  EXPECT_THAT(finding("acl_file a\nacl_file b\n"), HasSubstr("The later line counts"));
}

TEST(ConfigReader, LoginsAreBounded) {
  EXPECT_EQ(accepted("").login_threads, 1);
  EXPECT_EQ(accepted("").pending_logins_max, 1'000u);
  const Config config = accepted("login_threads 3\nmax_pending_logins 20\n");
  EXPECT_EQ(config.login_threads, 3);
  EXPECT_EQ(config.pending_logins_max, 20u);
  EXPECT_TRUE(read("login_threads 0\n").refused());
}

TEST(ConfigReader, OldFormsConfigureTheDefaultListener) {
  const Config config = accepted("port 1900\nbind_address 127.0.0.1\nlistener 1901\n");
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.listeners[0].port, 1900);
  EXPECT_EQ(config.listeners[0].address, "127.0.0.1");
  EXPECT_EQ(config.listeners[1].port, 1901);
  EXPECT_FALSE(config.lets_anonymous_in(config.listeners[0]));
}

TEST(ConfigReader, ListenerDirectivesBeforeAnyListenerMeanTheDefaultOne) {
  const Config config = accepted("max_qos 0\n");
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].port, 1883);
  EXPECT_EQ(config.listeners[0].guarantee_max, model::Guarantee::kAtMostOnce);
  EXPECT_FALSE(config.local_only);
}

TEST(ConfigReader, ZeroIsNoLimitWhereMosquittoSaysSo) {
  const Config config = accepted(
      "max_inflight_messages 0\nmax_queued_messages 0\nmax_queued_bytes 0\nlistener 1883\n"
      "max_connections -1\n");
  EXPECT_EQ(config.limits.inflight_max, 65'535);
  EXPECT_EQ(config.keep.queue_messages_max, std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(config.keep.queue_bytes_max, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(config.listeners[0].connections_max, ListenerConfig::kUnlimited);
}

TEST(ConfigReader, EveryLimitIsSet) {
  const Config config = accepted(
      "max_packet_size 1000\nmax_inflight_messages 5\nmax_queued_messages 6\nmax_queued_bytes 7\n"
      "queue_qos0_messages true\nmax_topic_levels 8\nconnect_timeout 9\nmax_subscriptions 10\n"
      "max_sessions 11\nmax_retained_messages 12\n"
      "max_retained_bytes 13\nmax_declared_topics 14\nmax_declared_bytes 15\n"
      "max_queued_messages_per_user 16\nmax_queued_bytes_per_user 17\nqueue_overflow drop-head\n"
      "queue_message_ttl 2h\npersistent_client_expiration 2m\npersistence false\n");
  EXPECT_EQ(config.limits.packet_bytes_max, 1000u);
  EXPECT_EQ(config.limits.inflight_max, 5);
  EXPECT_EQ(config.keep.queue_messages_max, 6u);
  EXPECT_EQ(config.keep.queue_bytes_max, 7u);
  EXPECT_TRUE(config.keep.queue_at_most_once_offline);
  EXPECT_EQ(config.limits.topic_levels_max, 8);
  EXPECT_EQ(config.limits.connect_timeout_s, 9u);
  EXPECT_EQ(config.keep.subscriptions_max, 10u);
  EXPECT_EQ(config.keep.subscribers_max, 11u);
  EXPECT_EQ(config.keep.retained_messages_max, 12u);
  EXPECT_EQ(config.keep.retained_bytes_max, 13u);
  EXPECT_EQ(config.keep.declared_topics_max, 14u);
  EXPECT_EQ(config.keep.declared_bytes_max, 15u);
  EXPECT_EQ(config.keep.user_messages_max, 16u);
  EXPECT_EQ(config.keep.user_bytes_max, 17u);
  EXPECT_EQ(config.keep.queue_overflow, core::Overflow::kDropHead);
  EXPECT_EQ(config.keep.queue_ttl, std::chrono::hours{2});
  EXPECT_EQ(config.keep.expiry_s_max, 60u * 24 * 3600);
}

TEST(ConfigReader, QueuePoliciesAreWordsAndTimes) {
  EXPECT_EQ(accepted("queue_overflow reject\n").keep.queue_overflow, core::Overflow::kReject);
  EXPECT_EQ(accepted("queue_overflow drop-tail\n").keep.queue_overflow, core::Overflow::kDropTail);
  EXPECT_EQ(accepted("queue_message_ttl 90\n").keep.queue_ttl, std::chrono::seconds{90});
  EXPECT_EQ(accepted("queue_message_ttl 0\n").keep.queue_ttl, Duration::zero());
  EXPECT_EQ(finding("queue_overflow drop-hed"),
            "h.conf:1: \"queue_overflow\" is \"drop-hed\", but must be one of drop-tail, "
            "drop-head, reject. Did you mean \"drop-head\"?");
  for (const char* wrong : {"-1", "4294967296", "5 minutes", "1s", "1000y"}) {
    EXPECT_EQ(finding(fmt::format("queue_message_ttl {}", wrong)),
              fmt::format("h.conf:1: \"queue_message_ttl\" is \"{}\", but must be a whole number "
                          "of seconds up to 4294967295, or a number followed by h, d, w, m or y; "
                          "0: no limit.",
                          wrong));
  }
}

TEST(ConfigReader, LogLinesReplaceTheDefaultsAndAddUp) {
  const LogConfig log =
      accepted(
          "log_dest file /var/log/my broker.log\nlog_dest stdout\nlog_type error\nlog_type debug\n"
          "log_timestamp false\nlog_timestamp_format %H:%M, %s\nconnection_messages false\n")
          .log;
  EXPECT_FALSE(log.to_stderr);
  EXPECT_TRUE(log.to_stdout);
  EXPECT_EQ(log.file, "/var/log/my broker.log");
  EXPECT_TRUE(log.shows(LogLevel::kError));
  EXPECT_TRUE(log.shows(LogLevel::kDebug));
  EXPECT_FALSE(log.shows(LogLevel::kInfo));
  EXPECT_FALSE(log.shows(LogLevel::kNotice));
  EXPECT_FALSE(log.shows(LogLevel::kWarning));
  EXPECT_FALSE(log.timestamp);
  EXPECT_EQ(log.timestamp_format, "%H:%M, %s");
  EXPECT_FALSE(log.connection_messages);
  const LogConfig syslog = accepted("log_dest syslog\nlog_facility 3\n").log;
  EXPECT_TRUE(syslog.to_syslog);
  EXPECT_FALSE(syslog.to_stderr);
  EXPECT_EQ(syslog.local_facility, 3);
  EXPECT_TRUE(LogConfig().to_default);
  EXPECT_FALSE(syslog.to_default);
  const LogConfig none = accepted("log_dest none\nlog_type none\n").log;
  EXPECT_FALSE(none.to_stderr);
  EXPECT_FALSE(none.shows(LogLevel::kError));
  EXPECT_TRUE(accepted("log_type all\n").log.shows(LogLevel::kDebug));
}

TEST(ConfigReader, UnknownDirectivesAreRefusedWithTheNearestWord) {
  EXPECT_EQ(finding("threads 1\nlistner 1883\n"),
            "h.conf:2: unknown directive \"listner\". Did you mean \"listener\"? All of them: "
            "hermod help config");
  EXPECT_EQ(finding("zzzzzz 1\n"),
            "h.conf:1: unknown directive \"zzzzzz\". All of them: hermod help config");
  EXPECT_TRUE(read("listner 1883\n").refused());
}

TEST(ConfigReader, WrongValuesSayWhatIsAllowed) {
  EXPECT_EQ(finding("threads many"),
            "h.conf:1: \"threads\" is \"many\", but must be a whole number from 0 to 64.");
  EXPECT_EQ(finding("max_qos 3"),
            "h.conf:1: \"max_qos\" is \"3\", but must be a whole number from 0 to 2.");
  EXPECT_EQ(finding("threads 2 # two"),
            "h.conf:1: \"threads\" is \"2 # two\", but must be a whole number from 0 to 64.");
  EXPECT_EQ(finding("max_packet_size 99999999999999999999"),
            "h.conf:1: \"max_packet_size\" is \"99999999999999999999\", but must be a whole number "
            "from 20 to 268435455.");
  EXPECT_EQ(finding("allow_anonymous yes"),
            "h.conf:1: \"allow_anonymous\" is \"yes\", but must be true or false.");
  EXPECT_EQ(finding("persistent_client_expiration 14"),
            "h.conf:1: \"persistent_client_expiration\" is \"14\", but must be a whole number "
            "followed by h, d, w, m or y (hours, days, weeks, months, years), such as 14d, and at "
            "most 136y.");
  EXPECT_THAT(finding("persistent_client_expiration 0d"), HasSubstr("is \"0d\", but must be"));
  EXPECT_THAT(finding("persistent_client_expiration 137y"), HasSubstr("is \"137y\", but must be"));
}

TEST(ConfigReader, MissingValuesAreRefused) {
  EXPECT_EQ(finding("threads"),
            "h.conf:1: \"threads\" needs a value: a whole number from 0 to 64. Default: 0.");
  EXPECT_EQ(
      finding("listener  "),
      "h.conf:1: \"listener\" needs a value: PORT [ADDRESS]: opens a port, on every interface "
      "or on one address; 0 PATH: a Unix socket. Default: MQTT on 1883 and CoAP on 5683, for this "
      "machine only.");
}

TEST(ConfigReader, ListenerLinesAreChecked) {
  EXPECT_EQ(finding("listener mqtt"),
            "h.conf:1: \"listener\" has the port \"mqtt\", but must have a whole number from 1 to "
            "65535.");
  EXPECT_THAT(finding("listener 65536"), HasSubstr("has the port \"65536\""));
  EXPECT_EQ(finding("listener 1883 localhost x y"),
            "h.conf:1: \"listener\" has \"x y\" after the address. The form is: listener PORT "
            "[ADDRESS]");
  EXPECT_EQ(
      finding("listener 1883 /run/x"),
      "h.conf:1: \"listener\" has the path \"/run/x\" beside the port 1883. A Unix socket has "
      "port 0: listener 0 /run/x");
  EXPECT_EQ(
      finding("listener 1883\nlistener 1883\n"),
      "h.conf:2: port 1883 is already opened for mqtt by the listener at h.conf:1. Remove one "
      "of them, or choose another port.");
  accepted("listener 1883\nlistener 1883\nprotocol coap\n");
}

TEST(ConfigReader, ListenersMayBeUnixSockets) {
  const Config config = accepted("listener 0 /run/a b.sock\nmax_connections 5\nlistener 0 /c\n");
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.listeners[0].path, "/run/a b.sock");
  EXPECT_EQ(config.listeners[0].connections_max, 5u);
  EXPECT_EQ(config.listeners[1].path, "/c");
  EXPECT_FALSE(config.local_only);
  EXPECT_EQ(
      finding("listener 0"),
      "h.conf:1: \"listener 0\" opens a Unix socket, but \"\" cannot be its path: it is empty. "
      "The form is: listener 0 /run/hermod.sock");
  EXPECT_EQ(
      finding("listener 0 /a\nlistener 0 /a\n"),
      "h.conf:2: the Unix socket \"/a\" is already opened by the listener at h.conf:1. Remove "
      "one of them, or choose another path.");
  EXPECT_EQ(
      finding("listener 0 /a\nprotocol coap\n"),
      "h.conf:1: the Unix socket \"/a\" is for mqtt, but its protocol is coap. Open a port for "
      "it: listener PORT");
}

TEST(ConfigReader, ProtocolsAreThoseOfTheProgram) {
  EXPECT_EQ(finding("listener 1\nprotocol mqt"),
            "h.conf:2: \"protocol\" is \"mqt\", but must be one of mqtt, coap. Did you mean "
            "\"mqtt\"?");
  EXPECT_EQ(finding("listener 1\nprotocol websockets"),
            "h.conf:2: \"protocol\" is \"websockets\", but must be one of mqtt, coap.");
  EXPECT_EQ(finding("listener 1\nsocket_domain ip"),
            "h.conf:2: \"socket_domain\" is \"ip\", but must be ipv4 or ipv6.");
}

TEST(ConfigReader, LogLinesAreChecked) {
  EXPECT_EQ(
      finding("log_dest stder"),
      "h.conf:1: \"log_dest\" is \"stder\", but must be stderr, stdout, file PATH, syslog or none. "
      "Did you mean \"stderr\"?");
  EXPECT_EQ(finding("log_dest file"),
            "h.conf:1: \"log_dest file\" needs the path of the file, such as: log_dest file "
            "/var/log/hermod.log");
  EXPECT_EQ(finding("log_dest stderr x"),
            "h.conf:1: \"log_dest stderr\" stands alone, but \"x\" follows.");
  EXPECT_EQ(finding("log_dest topic"),
            "h.conf:1: warning: \"log_dest topic\" has no effect: Hermod does not log there. Use "
            "stderr, stdout, file or syslog.");
  EXPECT_EQ(finding("log_type warn"),
            "h.conf:1: \"log_type\" is \"warn\", but must be one of error, warning, notice, "
            "information, debug, all, none.");
  EXPECT_EQ(finding("log_type subscribe"),
            "h.conf:1: warning: \"log_type subscribe\" has no effect: Hermod has no such lines of "
            "its own. \"debug\" shows them.");
}

TEST(ConfigReader, WhatDoesNothingYetIsWarnedOf) {
  EXPECT_EQ(finding("autosave_interval 60"),
            "h.conf:1: warning: \"autosave_interval\" has no effect: everything is saved before it "
            "is acknowledged; see durability.");
  EXPECT_EQ(finding("bridge_cafile x"),
            "h.conf:1: warning: \"bridge_cafile\" has no effect: there are no bridges yet.");
  EXPECT_FALSE(read("persistence true\nautosave_interval 60\n").refused());
}

TEST(ConfigReader, Store) {
  const Config config =
      read("persistence true\npersistence_location /var/lib/x\ndurability interval 250\n").config;
  EXPECT_EQ(config.store.wanted, true);
  EXPECT_EQ(config.store.folder, "/var/lib/x");
  EXPECT_EQ(config.store.durability, store::Durability::kInterval);
  EXPECT_EQ(config.store.interval, std::chrono::milliseconds{250});
  EXPECT_EQ(read("persistence false\n").config.store.wanted, false);
  EXPECT_EQ(read("durability none\n").config.store.durability, store::Durability::kNone);
  EXPECT_EQ(read("").config.store.wanted, std::nullopt);
  EXPECT_EQ(finding("durability snyc"),
            "h.conf:1: \"durability\" is \"snyc\", but must be sync, interval MS, or none. Did you "
            "mean \"sync\"?");
  EXPECT_THAT(finding("durability interval 0"), HasSubstr("must be by milliseconds, 1 to 3600000"));
}

TEST(ConfigReader, WhatClosesSomethingIsNotIgnored) {
  EXPECT_THAT(finding("clientid_prefixes a"), HasSubstr("client ids are not looked at"));
  EXPECT_THAT(finding("listener 8883\ncertfile /c.pem"), HasSubstr("there is no TLS yet"));
  EXPECT_TRUE(read("clientid_prefixes a").refused());
}

TEST(ConfigReader, TheServerReferenceIsAText) {
  const ConfigReading reading = read("server_reference a.example b.example:1884\n");
  EXPECT_FALSE(reading.refused());
  EXPECT_EQ(reading.config.limits.server_reference, "a.example b.example:1884");
  const std::string why =
      "h.conf:1: \"server_reference\" is not UTF-8 of up to 1024 octets. Name a host, or a host "
      "and a port: \"server_reference broker2.example:1883\".";
  EXPECT_EQ(finding("server_reference " + std::string(1025, 'x')), why);
  EXPECT_EQ(finding("server_reference \xff"), why);
}

// mosquitto.conf(5) of version 2.0.11, and what its program reads besides.
constexpr std::string_view kMosquittosDirectives =
    "acl_file address addresses allow_anonymous allow_duplicate_messages "
    "allow_zero_length_clientid auth_opt_x auth_plugin auth_plugin_deny_special_chars "
    "auto_id_prefix autosave_interval autosave_on_changes bind_address bind_interface "
    "bridge_alpn bridge_attempt_unsubscribe bridge_bind_address bridge_cafile "
    "bridge_capath bridge_certfile bridge_identity bridge_insecure bridge_keyfile "
    "bridge_max_packet_size bridge_outgoing_retain bridge_protocol_version bridge_psk "
    "bridge_require_ocsp bridge_tls_version cafile capath certfile check_retain_source "
    "ciphers ciphers_tls1.3 cleansession clientid clientid_prefixes connection "
    "connection_messages crlfile dhparamfile http_dir idle_timeout include_dir "
    "keepalive_interval keyfile listener local_cleansession local_clientid "
    "local_password local_username log_dest log_facility log_timestamp "
    "log_timestamp_format log_type max_connections max_inflight_bytes "
    "max_inflight_messages max_keepalive max_packet_size max_qos max_queued_bytes "
    "max_queued_messages max_topic_alias memory_limit message_size_limit mount_point "
    "notification_topic notifications notifications_local_only password password_file "
    "per_listener_settings persistence persistence_file persistence_location "
    "persistent_client_expiration pid_file plugin plugin_opt_x port protocol psk_file "
    "psk_hint queue_qos0_messages remote_clientid remote_password remote_username "
    "require_certificate restart_timeout retain_available retry_interval round_robin "
    "set_tcp_nodelay socket_domain start_type sys_interval threshold tls_engine "
    "tls_engine_kpass_sha1 tls_keyform tls_version topic try_private "
    "upgrade_outgoing_qos use_identity_as_username use_subject_as_username "
    "use_username_as_clientid user username websockets_headers_size websockets_log_level";

TEST(ConfigReader, EveryDirectiveOfMosquittoIsKnown) {
  std::istringstream names{std::string(kMosquittosDirectives)};
  for (std::string name; names >> name;) {
    const Directive* row = find_directive(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_GT(row->help.size(), 10u) << name;
  }
}

TEST(ConfigReader, RepetitionsAreWarnedOf) {
  const ConfigReading reading = read("threads 1\n\nthreads 2\n");
  EXPECT_THAT(findings(reading),
              ElementsAre("h.conf:3: warning: \"threads\" was given before, at h.conf:1. The later "
                          "line counts."));
  EXPECT_EQ(reading.config.threads, 2u);
}

TEST(ConfigReader, EveryWrongLineIsFound) {
  EXPECT_THAT(findings(read("a_b 1\nthreads x\nlistener 0\n")),
              ElementsAre(HasSubstr("h.conf:1: unknown"), HasSubstr("h.conf:2: \"threads\""),
                          HasSubstr("h.conf:3: \"listener 0\"")));
}

TEST(ConfigReader, BinaryFilesAreRefused) {
  EXPECT_EQ(finding(std::string_view("thr\0ads 1", 9)),
            "h.conf:1: the line holds a zero octet: this is not a text file.");
}

/// A directory of its own, removed with everything in it.
class ConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "hermod_config_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string write(const std::string& name, std::string_view text) {
    std::ofstream(root_ / name) << text;
    return (root_ / name).string();
  }
  std::filesystem::path root_;
};

TEST_F(ConfigFiles, MissingFilesAreNamed) {
  const auto reading = read_config_file((root_ / "none.conf").string(), kProtocols);
  EXPECT_THAT(findings(reading), ElementsAre((root_ / "none.conf").string() +
                                             ": cannot be read: No such file or directory."));
  EXPECT_THAT(findings(read_config_file(root_.string(), kProtocols)),
              ElementsAre(root_.string() + ": cannot be read: it is a directory."));
}

TEST_F(ConfigFiles, IncludedFilesAreReadInMosquittosOrder) {
  std::filesystem::create_directory(root_ / "d");
  write("d/b.conf", "listener 4\n");
  write("d/A.conf", "listener 1\n");
  write("d/a.conf", "listener 2\n");
  write("d/B.conf", "listener 3\n");
  write("d/00.conf", "threads 1\n");
  write("d/ignored.txt", "nonsense\n");
  const auto reading = read_config_file(
      write("main.conf", "include_dir " + (root_ / "d").string() + "\nmax_qos 1\n"), kProtocols);
  EXPECT_THAT(findings(reading), IsEmpty());
  std::vector<int> ports;
  ports.reserve(reading.config.listeners.size());
  for (const auto& listener : reading.config.listeners) ports.push_back(listener.port);
  EXPECT_THAT(ports, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(reading.config.listeners[3].guarantee_max, model::Guarantee::kAtLeastOnce);
}

TEST_F(ConfigFiles, IncludedFilesIncludeNoMore) {
  std::filesystem::create_directory(root_ / "d");
  const std::string inner = write("d/x.conf", "include_dir /tmp\n");
  const auto reading = read_config_file(
      write("main.conf", "include_dir " + (root_ / "d").string() + "\n"), kProtocols);
  EXPECT_THAT(findings(reading),
              ElementsAre(inner + ":1: \"include_dir\" stands in a file that was itself included: "
                                  "it is only allowed in the main file."));
  EXPECT_THAT(finding("include_dir /nonexistent/x"),
              "h.conf:1: \"include_dir\" names \"/nonexistent/x\", which cannot be read: No such "
              "file or directory.");
}

TEST(Directives, EveryRowIsCompleteAndUnique) {
  std::vector<std::string_view> names = directive_names();
  const std::size_t count = names.size();
  std::ranges::sort(names);
  EXPECT_EQ(std::unique(names.begin(), names.end()) - names.begin(),
            static_cast<std::ptrdiff_t>(count));
  for (const Directive& row : directives()) {
    EXPECT_NE(row.apply, nullptr) << row.name;
    EXPECT_FALSE(row.help.empty() || row.standard.empty()) << row.name;
  }
  for (const Directive& row : foreign_directives()) {
    EXPECT_TRUE(row.help.ends_with('.') || row.help.ends_with("ADDRESS")) << row.name;
  }
}

TEST(Directives, DefaultsOfTheTableAreThoseOfTheCode) {
  // A file that says every number's default changes nothing.
  std::string text;
  for (const Directive& row : directives()) {
    const bool global_number = row.kind == ValueKind::kInteger && row.scope == Scope::kGlobal;
    if (global_number && row.name != "port") {
      text += std::string(row.name) + " " + std::string(row.standard) + "\n";
    }
  }
  const Config said = accepted(text);
  const Config silent = accepted("");
  EXPECT_EQ(said.threads, silent.threads);
  EXPECT_EQ(said.limits.packet_bytes_max, silent.limits.packet_bytes_max);
  EXPECT_EQ(said.limits.inflight_max, silent.limits.inflight_max);
  EXPECT_EQ(said.limits.keep_alive_s_max, silent.limits.keep_alive_s_max);
  EXPECT_EQ(said.limits.topic_levels_max, silent.limits.topic_levels_max);
  EXPECT_EQ(said.limits.connect_timeout_s, silent.limits.connect_timeout_s);
  EXPECT_EQ(said.keep.queue_messages_max, silent.keep.queue_messages_max);
  EXPECT_EQ(said.keep.queue_bytes_max, silent.keep.queue_bytes_max);
  EXPECT_EQ(said.keep.subscriptions_max, silent.keep.subscriptions_max);
  EXPECT_EQ(said.keep.subscribers_max, silent.keep.subscribers_max);
  EXPECT_EQ(said.keep.retained_messages_max, silent.keep.retained_messages_max);
  EXPECT_EQ(said.keep.retained_bytes_max, silent.keep.retained_bytes_max);
  EXPECT_EQ(said.keep.declared_topics_max, silent.keep.declared_topics_max);
  EXPECT_EQ(said.keep.declared_bytes_max, silent.keep.declared_bytes_max);
}

TEST(ConfigHelp, NamesEveryDirective) {
  const std::string help = config_help();
  for (const std::string_view name : directive_names()) {
    EXPECT_THAT(help, HasSubstr("  " + std::string(name) + " "));
  }
}

TEST(ConfigReader, CoapListenersHaveSettingsOfTheirOwn) {
  const Config config = accepted(
      "listener 5683\nprotocol coap\ncoap_ack_timeout 500\ncoap_ack_random_factor 2.5\n"
      "coap_max_retransmit 2\ncoap_nstart 4\ncoap_block_size 256\ncoap_duplicates "
      "1000\ncoap_max_actions 7\n"
      "coap_amplification 0\ncoap_observe_max_age 60\ncoap_alias emqx\ncoap_multicast all\n"
      "coap_multicast 224.0.0.99 eth0\ncoap_leisure 250\nlistener 5685\nprotocol coap\n");
  const coap::Settings& first = config.listeners.at(0).coap;
  EXPECT_EQ(first.transmission.ack_timeout, std::chrono::milliseconds{500});
  EXPECT_EQ(first.transmission.ack_random_factor, 2.5);
  EXPECT_EQ(first.transmission.max_retransmit, 2u);
  EXPECT_EQ(first.transmission.nstart, 4u);
  EXPECT_EQ(first.block_bytes_max, 256u);
  EXPECT_EQ(first.seen_max, 1024u);  // a power of two
  EXPECT_EQ(first.actions_per_s_max, 7u);
  EXPECT_EQ(first.amplification_max, 0u);
  EXPECT_EQ(first.observe_max_age_s, 60u);
  EXPECT_TRUE(first.aliases.emqx);
  EXPECT_FALSE(first.aliases.ponte);
  EXPECT_EQ(first.leisure, std::chrono::milliseconds{250});
  const std::vector<CoapGroup>& groups = config.listeners.at(0).coap_groups;
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].group, "");
  EXPECT_EQ(groups[0].interface, "");
  EXPECT_EQ(groups[1].group, "224.0.0.99");
  EXPECT_EQ(groups[1].interface, "eth0");
  EXPECT_TRUE(config.listeners.at(1).coap_groups.empty());
  EXPECT_EQ(config.listeners.at(1).coap.block_bytes_max, 1024u);
}

TEST(ConfigReader, CoapSettingsThatCannotBeAreRefused) {
  for (const std::string_view line :
       {"coap_block_size 100", "coap_ack_random_factor 0.9", "coap_ack_random_factor 1.5x",
        "coap_duplicates 7", "coap_alias mosquitto", "coap_multicast 10.0.0.1",
        "coap_multicast coap.me", "coap_leisure -1"}) {
    SCOPED_TRACE(line);
    EXPECT_THAT(finding("listener 5683\nprotocol coap\n" + std::string(line) + "\n"),
                HasSubstr("but must be"));
  }
}

}  // namespace
}  // namespace hermod::app
