// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/reason.hpp"

namespace hermod::model {

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return "ok";
    case Reason::kNoMatch:
      return "no matching subscribers";
    case Reason::kNotAuthorized:
      return "not authorized";
    case Reason::kBadCredentials:
      return "bad user name or password";
    case Reason::kBadName:
      return "name not acceptable";
    case Reason::kNotFound:
      return "not found";
    case Reason::kQuotaExceeded:
      return "quota exceeded";
    case Reason::kTooLarge:
      return "too large";
    case Reason::kNotSupported:
      return "not supported";
    case Reason::kUnavailable:
      return "unavailable";
    case Reason::kTakenOver:
      return "session taken over";
    case Reason::kProtocolError:
      return "protocol error";
    case Reason::kMalformed:
      return "malformed packet";
    case Reason::kTimeout:
      return "timed out";
    case Reason::kPeerClosed:
      return "closed by the peer";
    case Reason::kShutdown:
      return "shutting down";
    case Reason::kContinue:
      return "authentication goes on";
    case Reason::kBadMethod:
      return "authentication method not known";
    case Reason::kUnproven:
      return "the peer did not prove who it is";
    case Reason::kAlreadyExists:
      return "already exists";
    case Reason::kOutdated:
      return "changed meanwhile";
    case Reason::kNoRoom:
      return "the disk is full";
  }
  return "unknown";
}

}  // namespace hermod::model
