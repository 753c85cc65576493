// SPDX-License-Identifier: Apache-2.0
// The server under test as the shares see it, and the names of one run.
#pragma once

#include <string>

#include "hermod/load/options.hpp"
#include "hermod/transport/address.hpp"

namespace hermod::load {

struct Target {
  Options options;  ///< resolved
  transport::Address address;
  std::string run_name;  ///< short and different for every run: part of ids and topics
};

}  // namespace hermod::load
