// SPDX-License-Identifier: Apache-2.0
// Directives of mosquitto.conf(5) that do nothing here, or not yet. Those that only add something
// are ignored with a warning; those that restrict something are refused, because a broker that
// ignores them is open where its owner believes it closed.
#include <array>

#include "config/directives.hpp"

namespace hermod::app {
namespace {

constexpr Directive ignored(std::string_view name, std::string_view why) {
  return {.name = name, .repeats = true, .help = why, .standing = Standing::kNoEffect};
}
constexpr Directive refused(std::string_view name, std::string_view why) {
  return {.name = name, .repeats = true, .help = why, .standing = Standing::kRefused};
}

constexpr std::string_view kNoTls =
    "there is no TLS yet, and the port would be open without encryption. Remove the line, and keep "
    "the listener on 127.0.0.1 behind a program that ends TLS.";
constexpr std::string_view kNoPlugin =
    "Hermod loads no plug-ins, and what the plug-in forbids would be allowed. Remove the line if "
    "that is acceptable.";
constexpr std::string_view kNoPrefixes =
    "client ids are not looked at, and clients with other ids could come in. Remove the line if "
    "that is acceptable.";
constexpr std::string_view kAlwaysSaved =
    "everything is saved before it is acknowledged; see durability.";
constexpr std::string_view kNoBridge = "there are no bridges yet.";
constexpr std::string_view kNoWebSocket = "there are no WebSockets yet.";

constexpr std::array kForeign{
    refused("clientid_prefixes", kNoPrefixes),
    refused("plugin", kNoPlugin),
    refused("global_plugin", kNoPlugin),
    refused("plugin_load", kNoPlugin),
    refused("plugin_use", kNoPlugin),
    refused("auth_plugin", kNoPlugin),
    refused("accept_protocol_versions",
            "every listener takes MQTT 3.1, 3.1.1 and 5, and clients of the other versions could "
            "come in. Remove the line if that is acceptable."),
    refused("enable_proxy_protocol",
            "the PROXY protocol is not spoken, and all clients would seem to come from the proxy. "
            "Remove the line, and let the proxy send plain MQTT."),
    refused("proxy_protocol_v2_require_tls",
            "the PROXY protocol is not spoken. Remove the line, and enable_proxy_protocol too."),
    refused("listener_allow_anonymous",
            "it is written otherwise: put \"per_listener_settings true\" at the top, and "
            "\"allow_anonymous\" below the listener."),
    refused("global_max_clients",
            "it is written otherwise: max_sessions limits the clients that are connected or "
            "remembered."),
    refused("global_max_connections",
            "it is written otherwise: max_connections, below each listener, limits who is "
            "connected."),
    refused("websockets_origin", "there are no WebSockets yet. Remove the line."),
    ignored("listener_auto_id_prefix",
            "the ids that Hermod assigns have no prefix of the user's choice."),
    ignored("disable_client_cert_date_checks", "there is no TLS yet."),
    ignored("enable_control_api", "there are no $CONTROL topics."),
    ignored("http_api", "there is no web interface yet."),
    ignored("max_topic_alias_broker", "max_topic_alias counts for both directions."),
    ignored("packet_buffer_size", "buffers grow with what is sent."),
    ignored("retain_expiry_interval",
            "retained messages stay until they are cleared, or until the message-expiry-interval "
            "that their publisher gave."),
    ignored("retained_persistence", "retained messages are kept with everything else."),
    ignored("auth_plugin_deny_special_chars", "Hermod loads no plug-ins."),
    ignored("plugin_opt_*", "Hermod loads no plug-ins."),
    ignored("auth_opt_*", "Hermod loads no plug-ins."),
    refused("allow_zero_length_clientid",
            "clients without an id are always given one. Remove the line."),
    ignored("auto_id_prefix", "the ids that Hermod assigns have no prefix of the user's choice."),
    refused("use_username_as_clientid",
            "a client's id is what it says itself, whatever its user name. Remove the line."),
    refused("mount_point",
            "topics of one listener cannot be kept apart from the others yet. "
            "Remove the line, and let the clients use the prefix themselves."),
    refused("bind_interface",
            "a listener is bound to an address, not to a device, and it would be "
            "open on all of them. Give the address: listener PORT ADDRESS"),
    refused("cafile", kNoTls),
    refused("capath", kNoTls),
    refused("certfile", kNoTls),
    refused("keyfile", kNoTls),
    refused("crlfile", kNoTls),
    refused("psk_file", kNoTls),
    refused("psk_hint", kNoTls),
    refused("require_certificate", kNoTls),
    refused("use_identity_as_username", kNoTls),
    refused("use_subject_as_username", kNoTls),
    ignored("ciphers", "there is no TLS yet."),
    ignored("ciphers_tls1.3", "there is no TLS yet."),
    ignored("dhparamfile", "there is no TLS yet."),
    ignored("tls_version", "there is no TLS yet."),
    ignored("tls_engine", "there is no TLS yet."),
    ignored("tls_keyform", "there is no TLS yet."),
    ignored("tls_engine_kpass_sha1", "there is no TLS yet."),
    ignored("persistence_file", "the store has files of its own; persistence_location says where."),
    ignored("autosave_interval", kAlwaysSaved),
    ignored("autosave_on_changes", kAlwaysSaved),
    ignored("max_inflight_bytes", "max_inflight_messages limits what is under way to a client."),
    ignored("memory_limit",
            "the limits of queues, sessions and retained messages bound the memory."),
    ignored("message_size_limit", "max_packet_size limits what a client may send."),
    ignored("allow_duplicate_messages",
            "a client with overlapping subscriptions receives one copy of each message."),
    ignored("check_retain_source",
            "a retained message stays when its publisher may no longer write its topic."),
    ignored("upgrade_outgoing_qos",
            "the quality of service is the lower of what was published and "
            "what was subscribed, as the MQTT specification says."),
    ignored("set_tcp_nodelay", "it is always on: Hermod gathers small packets itself."),
    ignored("http_dir", kNoWebSocket),
    ignored("websockets_log_level", kNoWebSocket),
    ignored("websockets_headers_size", kNoWebSocket),
    ignored("connection", kNoBridge),
    ignored("address", kNoBridge),
    ignored("addresses", kNoBridge),
    ignored("topic", kNoBridge),
    ignored("bridge_*", kNoBridge),
    ignored("cleansession", kNoBridge),
    ignored("local_cleansession", kNoBridge),
    ignored("clientid", kNoBridge),
    ignored("keepalive_interval", kNoBridge),
    ignored("idle_timeout", kNoBridge),
    ignored("local_clientid", kNoBridge),
    ignored("local_password", kNoBridge),
    ignored("local_username", kNoBridge),
    ignored("notifications", kNoBridge),
    ignored("notifications_local_only", kNoBridge),
    ignored("notification_topic", kNoBridge),
    ignored("remote_clientid", kNoBridge),
    ignored("remote_password", kNoBridge),
    ignored("remote_username", kNoBridge),
    ignored("username", kNoBridge),
    ignored("password", kNoBridge),
    ignored("restart_timeout", kNoBridge),
    ignored("round_robin", kNoBridge),
    ignored("start_type", kNoBridge),
    ignored("threshold", kNoBridge),
    ignored("try_private", kNoBridge),
};

}  // namespace

std::span<const Directive> foreign_directives() {
  return kForeign;
}

}  // namespace hermod::app
