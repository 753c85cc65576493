// SPDX-License-Identifier: Apache-2.0
// The face of a connection.
#include "hermod/client/mqtt_client.hpp"

#include <utility>

#include "mqtt_connection.hpp"

namespace hermod::client {

MqttClient::MqttClient(executor_type executor, MqttOptions options)
    : connection_(std::make_shared<MqttConnection>(std::move(executor), std::move(options))) {}

MqttClient::~MqttClient() {
  close();
}
MqttClient::MqttClient(MqttClient&&) noexcept = default;
MqttClient& MqttClient::operator=(MqttClient&& other) noexcept {
  if (this != &other) {
    close();
    connection_ = std::move(other.connection_);
  }
  return *this;
}

MqttClient::executor_type MqttClient::get_executor() const {
  return connection_->executor();
}

const mqtt::ServerTerms& MqttClient::server() const {
  return connection_->session().terms();
}
const mqtt::Refusal& MqttClient::refusal() const {
  return connection_->session().refusal();
}

const std::string& MqttClient::authentication_fault() const {
  return connection_->session().authentication_fault();
}

void MqttClient::close() {
  if (connection_ != nullptr) connection_->close();
}

void MqttClient::connect(Handler<void(error_code, bool)> handler) {
  connection_->connect(std::move(handler));
}
void MqttClient::publish(Handler<void(error_code)> handler, MqttPublication publication) {
  connection_->publish(std::move(handler), std::move(publication));
}
void MqttClient::subscribe(Handler<void(error_code, MqttGrants)> handler,
                           std::vector<MqttSubscription> subscriptions,
                           MqttRequestProperties properties) {
  connection_->subscribe(std::move(handler), subscriptions, properties);
}
void MqttClient::unsubscribe(Handler<void(error_code)> handler, std::vector<std::string> filters,
                             MqttRequestProperties properties) {
  connection_->unsubscribe(std::move(handler), filters, properties);
}
void MqttClient::reauthenticate(Handler<void(error_code)> handler) {
  connection_->reauthenticate(std::move(handler));
}
void MqttClient::receive(Handler<void(error_code, MqttMessage)> handler) {
  connection_->receive(std::move(handler));
}
void MqttClient::disconnect(Handler<void(error_code)> handler, MqttFarewell farewell) {
  connection_->disconnect(std::move(handler), farewell);
}

}  // namespace hermod::client
