// SPDX-License-Identifier: Apache-2.0
// The face of a reconnector.
#include "hermod/client/mqtt_session.hpp"

#include <utility>

#include "mqtt_reconnector.hpp"

namespace hermod::client {

MqttSession::MqttSession(executor_type executor, MqttSessionOptions options)
    : reconnector_(std::make_shared<MqttReconnector>(std::move(executor), std::move(options))) {}

MqttSession::~MqttSession() {
  close();
}
MqttSession::MqttSession(MqttSession&&) noexcept = default;
MqttSession& MqttSession::operator=(MqttSession&& other) noexcept {
  if (this != &other) {
    close();
    reconnector_ = std::move(other.reconnector_);
  }
  return *this;
}

MqttSession::executor_type MqttSession::get_executor() const {
  return reconnector_->executor();
}
bool MqttSession::connected() const {
  return reconnector_->connected();
}
const mqtt::ServerTerms& MqttSession::server() const {
  return reconnector_->terms();
}
const mqtt::Refusal& MqttSession::refusal() const {
  return reconnector_->refusal();
}
const std::string& MqttSession::authentication_fault() const {
  return reconnector_->authentication_fault();
}

void MqttSession::close() {
  if (reconnector_ != nullptr) reconnector_->close();
}

void MqttSession::connect(Handler<void(error_code, bool)> handler) {
  reconnector_->connect(std::move(handler));
}
void MqttSession::publish(Handler<void(error_code)> handler, MqttPublication publication) {
  reconnector_->publish(std::move(handler), std::move(publication));
}
void MqttSession::subscribe(Handler<void(error_code, MqttGrants)> handler,
                            std::vector<MqttSubscription> subscriptions,
                            MqttRequestProperties properties) {
  reconnector_->subscribe(std::move(handler), std::move(subscriptions), std::move(properties));
}
void MqttSession::unsubscribe(Handler<void(error_code)> handler, std::vector<std::string> filters,
                              MqttRequestProperties properties) {
  reconnector_->unsubscribe(std::move(handler), std::move(filters), std::move(properties));
}
void MqttSession::reauthenticate(Handler<void(error_code)> handler) {
  reconnector_->reauthenticate(std::move(handler));
}
void MqttSession::receive(Handler<void(error_code, MqttMessage)> handler) {
  reconnector_->receive(std::move(handler));
}
void MqttSession::disconnect(Handler<void(error_code)> handler, MqttFarewell farewell) {
  reconnector_->disconnect(std::move(handler), farewell);
}

}  // namespace hermod::client
