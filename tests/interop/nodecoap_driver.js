// SPDX-License-Identifier: Apache-2.0
// node-coap (npm's coap) as a driver: reads requests and writes events, a line each, as written in
// tests/support/peers.py. A client is a UDP socket of its own, so that the server sees one peer.
//
//   N CLIENT open port=P                                      ->  N done
//   N CLIENT METHOD path=/ps con=0|1 payload=... token=HEX query=a=b&c
//       block1=SZX block2=SZX oNUMBER=HEX,HEX... observe=0    ->  N done code=205 kind=ack
//                                                 payload=... oNUMBER=HEX,HEX...
//   N CLIENT cancel of=N              ->  N done;  CLIENT ended of=N
//   every notification of request N   ->  CLIENT notified of=N code=205 payload=... o6=HEX
//
// Options are octets in hexadecimal, whatever node-coap makes of them: its texts lose some.
'use strict'
const coap = require('coap')
const dgram = require('dgram')
const readline = require('readline')
const { octets } = require('./driver_words.js')

const NAMES = { // of the options that node-coap writes and reads by name
  1: 'If-Match', 4: 'ETag', 5: 'If-None-Match', 6: 'Observe', 8: 'Location-Path',
  12: 'Content-Format',
  14: 'Max-Age', 17: 'Accept', 23: 'Block2', 27: 'Block1', 28: 'Size2', 60: 'Size1'
}
const NUMBERS = Object.fromEntries(Object.entries(NAMES).map(([key, name]) => [name, key]))

// Its own conversions, but for Observe, which it has to understand, are replaced by none.
for (const name of Object.values(NAMES)) {
  if (name !== 'Observe' && !name.startsWith('Block')) {
    coap.registerOption(name, octets => octets, octets => octets)
  }
}

const clients = {}

function say (who, event, fields = {}) {
  const words = Object.entries(fields).map(([key, value]) =>
    ` ${key}=${Buffer.isBuffer(value)
      ? [...value].map(octet => '%' + octet.toString(16).padStart(2, '0')).join('')
      : encodeURIComponent(value)}`)
  process.stdout.write(`${who} ${event}${words.join('')}\n`)
}

function fieldsOf (message, payload) {
  const fields = { code: Number(message.code.replace('.', '')), payload }
  if (message._packet !== undefined) {
    const { confirmable, ack } = message._packet
    fields.kind = ack ? 'ack' : confirmable ? 'con' : 'non'
  }
  for (const { name, value } of message.options) {
    const key = `o${NUMBERS[name] || name}`
    const text = Buffer.isBuffer(value) ? value.toString('hex') : Number(value).toString(16)
    fields[key] = key in fields ? `${fields[key]},${text}` : text
  }
  return fields
}

function open (who, ticket, options) {
  const socket = dgram.createSocket('udp4')
  clients[who] = {
    socket, agent: new coap.Agent({ socket }), port: Number(options.port), streams: {}
  }
  say(ticket, 'done')
}

function optionsOf (options) {
  const out = {}
  for (const [key, value] of Object.entries(options)) {
    if (!/^o[0-9]+$/.test(key)) continue
    const number = key.slice(1)
    out[NAMES[number] || number] =
      value.toString().split(',').map(one => Buffer.from(one, 'hex'))
  }
  if (options.block1 !== undefined) out.Block1 = Buffer.of(Number(options.block1))
  if (options.block2 !== undefined) out.Block2 = Buffer.of(Number(options.block2))
  return out
}

function request (who, ticket, method, client, options) {
  const text = key => options[key] === undefined ? undefined : options[key].toString()
  const outgoing = coap.request({
    host: '127.0.0.1',
    port: client.port,
    agent: client.agent,
    method,
    pathname: text('path'),
    query: text('query'),
    confirmable: text('con') !== '0',
    observe: options.observe !== undefined,
    token: options.token === undefined ? undefined : Buffer.from(text('token'), 'hex'),
    options: optionsOf(options)
  })
  let over = false
  const finish = fields => {
    if (!over) say(ticket, 'done', fields)
    over = true
  }
  outgoing.on('response', response => {
    if (response.close === undefined || response._lastTime === undefined) {
      finish(fieldsOf(response, response.payload))
      return
    }
    client.streams[ticket] = response // an ObserveReadStream
    response.on('data', payload => {
      const fields = fieldsOf(response, payload)
      if (over) say(who, 'notified', { of: ticket, ...fields })
      else finish(fields)
    })
    response.on('close', () => say(who, 'ended', { of: ticket }))
  })
  outgoing.on('timeout', () => finish({ code: 0, reason: 'timeout' }))
  outgoing.on('error', error => finish({ code: 0, reason: error.message }))
  outgoing.end(options.payload)
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const [ticket, who, command, ...words] = line.split(' ')
  const options = Object.fromEntries(words.map(word => {
    const at = word.indexOf('=')
    return [word.slice(0, at), octets(word.slice(at + 1))]
  }))
  if (command === 'open') {
    open(who, ticket, options)
  } else if (command === 'cancel') {
    clients[who].streams[options.of.toString()].close(true) // true: GET with Observe 1
    say(ticket, 'done')
  } else if (command === 'close') {
    clients[who].socket.close()
    say(ticket, 'done')
  } else {
    request(who, ticket, command, clients[who], options)
  }
}).on('close', () => process.exit(0))
