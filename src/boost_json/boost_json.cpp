// SPDX-License-Identifier: Apache-2.0
// Boost.JSON's own code, compiled once for whoever needs it: Debian has no ready library of this
// version.
#include <boost/json/src.hpp>
