// SPDX-License-Identifier: Apache-2.0
#include "peer.hpp"

#include <algorithm>

namespace plugtest {
namespace {

namespace coap = hermod::coap;
namespace code = hermod::coap::code;
using hermod::Instant;
using hermod::session::Effects;

}  // namespace

Peer::Peer(Shared& shared, Send send, Instant now)
    : shared_(shared),
      outlet_(std::move(send)),
      endpoint_(shared.settings, kBodyMax, shared.rng, &shared.bodies, *this) {
  endpoint_.on_open(now);
}

void Peer::on_datagram(hermod::Bytes datagram, Instant now) {
  Effects effects({}, outlet_, none_);
  endpoint_.on_datagram({.bytes = datagram}, now, effects);
}

void Peer::on_deadline(Instant now) {
  Effects effects({}, outlet_, none_);
  endpoint_.on_deadline(now, effects);
  while (!late_.empty() && now >= late_.front().due) {
    const Late late = std::move(late_.front());
    late_.erase(late_.begin());
    coap::Exchange* exchange = endpoint_.exchanges().find(late.exchange, late.generation);
    if (exchange != nullptr) answer(*exchange, late.answer, 0, now, effects);
  }
}

Instant Peer::next_deadline() const {
  const Instant due = endpoint_.next_deadline();
  return late_.empty() ? due : std::min(due, late_.front().due);
}

void Peer::on_request(const coap::Request& request, Instant now, Effects& effects) {
  if (request.exchange.method == code::kPost) {  // its answer may have to go in blocks
    endpoint_.will_keep(request.exchange, request.message);
  }
  Answer said = shared_.tree.ask(
      {request.exchange.method, request.options, hermod::as_text(request.payload)});
  const Resource* resource = shared_.tree.find(path_of(request.options));
  if (resource == nullptr || !said.code.is_success()) {
    return answer(request.exchange, said, 0, now, effects);
  }
  if (resource->slow) {
    endpoint_.acknowledge(request.exchange, effects);
    late_.push_back({request.exchange.index, request.exchange.generation, std::move(said),
                     now + shared_.separate_after});
    return;
  }
  answer(request.exchange, said, observe(request, *resource, now), now, effects);
}

// The observer that a registration makes of its sender; 0 when it is no registration.
coap::ObserverId Peer::observe(const coap::Request& request, const Resource& resource,
                               Instant now) {
  if (request.exchange.method != code::kGet || resource.notify == Notify::kNever) return 0;
  const coap::RequestOptions& options = request.options;
  if (options.observe == coap::kObserveDeregister) {  // RFC 7641 §3.6
    const coap::ObserverId known = endpoint_.find_observer(request.exchange.token);
    if (known != 0) endpoint_.remove_observer(known);
    observed_.erase(known);
    return 0;
  }
  // Further blocks are fetched without observing (RFC 7959 §2.6).
  const bool is_first = !options.block2 || options.block2->number == 0;
  if (options.observe != coap::kObserveRegister || !is_first) return 0;
  const coap::ObserverId id = endpoint_.observe(request.exchange, now);
  if (id != 0) observed_[id] = {path_of(options), resource.format};
  return id;
}

void Peer::on_observer_gone(coap::ObserverId observer, Instant, Effects&) {
  observed_.erase(observer);
}

void Peer::answer(coap::Exchange& exchange, const Answer& answer, coap::ObserverId observer,
                  Instant now, Effects& effects) {
  const std::vector<std::string_view> path(answer.location_path.begin(),
                                           answer.location_path.end());
  const std::vector<std::string_view> query(answer.location_query.begin(),
                                            answer.location_query.end());
  coap::Response response{.code = answer.code,
                          .content = {.etag = answer.etag,
                                      .format = answer.format,
                                      .payload = hermod::as_bytes(answer.payload)},
                          .location_path = path,
                          .location_query = query,
                          .keep = exchange.method == code::kPost,
                          .observer = observer};
  if (observer != 0) {
    response.version = shared_.tree.find(observed_[observer].path)->version;
    response.content.max_age_s = shared_.settings.observe_max_age_s;
  }
  endpoint_.respond(exchange, response, now, effects);
}

void Peer::on_change(const std::string& path, Instant now) {
  Effects effects({}, outlet_, none_);
  const Resource* resource = shared_.tree.find(path);
  for (auto at = observed_.begin(); at != observed_.end();) {
    const auto& [id, observed] = *at;
    if (observed.path != path) {
      ++at;
    } else if (resource == nullptr) {
      endpoint_.end_observer(id, code::kNotFound, now, effects);
      at = observed_.erase(at);
    } else if (resource->format != observed.format) {  // RFC 7641 §4.2
      endpoint_.end_observer(id, code::kNotAcceptable, now, effects);
      at = observed_.erase(at);
    } else {
      endpoint_.offer(id,
                      {.payload = hermod::as_bytes(resource->payload),
                       .etag = tag_of(*resource),
                       .format = resource->format,
                       .version = resource->version,
                       .confirm = resource->notify == Notify::kConfirmable},
                      {}, now, effects);
      ++at;
    }
  }
}

void Peer::say_goodbye(Instant now) {
  Effects effects({}, outlet_, none_);
  endpoint_.say_goodbye(now, effects);
}

}  // namespace plugtest
