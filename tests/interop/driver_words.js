// SPDX-License-Identifier: Apache-2.0
// What the drivers in JavaScript read alike: words of the lines that tests/support/peers.py writes.
'use strict'

function octets (word) { // percent-encoded
  const parts = []
  for (let at = 0; at < word.length; at++) {
    if (word[at] === '%') {
      parts.push(parseInt(word.slice(at + 1, at + 3), 16))
      at += 2
    } else {
      parts.push(word.charCodeAt(at))
    }
  }
  return Buffer.from(parts)
}

module.exports = { octets }
