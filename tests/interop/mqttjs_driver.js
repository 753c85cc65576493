// SPDX-License-Identifier: Apache-2.0
// mqtt.js as a driver of the feature tests: see tests/support/peers.py for what it reads and writes.
'use strict'
const mqtt = require('mqtt')
const readline = require('readline')
const { octets } = require('./driver_words.js')

const VERSIONS = { 31: 3, 311: 4, 5: 5 }
const clients = {}

function encode (value) {
  if (Array.isArray(value)) return value.map(encode).join(',')
  if (typeof value === 'boolean') value = Number(value)
  return [...Buffer.from(Buffer.isBuffer(value) ? value : String(value))]
    .map(octet => '%' + octet.toString(16).padStart(2, '0')).join('')
}

function encodePlain (value) { // numbers stay readable
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : encode(value)
}

function say (who, event, fields = {}) {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => ` ${key}=${encodePlain(value)}`)
  process.stdout.write(`${who} ${event}${words.join('')}\n`)
}

function without (fields) { // what was not asked for
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

const text = value => value === undefined ? undefined : value.toString()
const number = value => value === undefined ? undefined : Number(value.toString())
const flag = value => value === undefined ? undefined : number(value) === 1

function userOf (words) { // one name may have several values, in their order
  if (words === undefined) return undefined
  const user = {}
  const texts = words.toString().split(',').map(word => octets(word).toString())
  for (let at = 0; at < texts.length; at += 2) {
    const [name, value] = texts.slice(at, at + 2)
    user[name] = name in user ? [].concat(user[name], value) : value
  }
  return user
}

function flatUser (user) {
  if (user === undefined) return undefined
  return Object.entries(user).flatMap(([name, values]) =>
    [].concat(values).flatMap(value => [name, value]))
}

function messageProperties (options, prefix = '') {
  const one = key => options[prefix + key]
  return without({
    contentType: text(one('content_type')),
    responseTopic: text(one('response_topic')),
    correlationData: one('correlation'),
    messageExpiryInterval: number(one('expiry')),
    payloadFormatIndicator: flag(one('text')),
    userProperties: userOf(one('user'))
  })
}

function will (options, v5) {
  if (options.will_topic === undefined) return undefined
  return without({
    topic: text(options.will_topic),
    payload: options.will_payload || Buffer.alloc(0),
    qos: number(options.will_qos) || 0,
    retain: flag(options.will_retain) || false,
    properties: v5
      ? without({
        willDelayInterval: number(options.will_delay), ...messageProperties(options, 'will_')
      })
      : undefined
  })
}

function connect (who, ticket, options) {
  const version = VERSIONS[text(options.version)]
  const v5 = version === 5
  const client = mqtt.connect(without({
    host: '127.0.0.1',
    port: number(options.port),
    protocolVersion: version,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    clientId: options.client_id === undefined ? '' : text(options.client_id),
    clean: options.clean === undefined ? true : flag(options.clean),
    keepalive: options.keep_alive === undefined ? 60 : number(options.keep_alive),
    username: text(options.user_name),
    password: options.password,
    will: will(options, v5),
    reconnectPeriod: 0,
    resubscribe: false,
    topicAliasMaximum: number(options.alias_max),
    autoAssignTopicAlias: options.own_alias_max !== undefined,
    properties: v5
      ? without({
        sessionExpiryInterval: number(options.session_expiry),
        receiveMaximum: number(options.receive_max),
        maximumPacketSize: number(options.packet_max),
        requestProblemInformation: flag(options.problem),
        userProperties: userOf(options.user)
      })
      : undefined
  }))
  const state = { client, acks: {}, terms: {}, connected: false, end: {} }
  clients[who] = state
  client.on('packetreceive', packet => onPacket(state, packet))
  client.on('message', (topic, payload, packet) => onMessage(who, topic, payload, packet))
  client.on('connect', () => {
    state.connected = true
    say(ticket, 'done', state.terms)
  })
  client.on('error', () => {}) // told by what follows
  client.on('close', () => {
    if (state.connected) say(who, 'ended', state.end)
    else say(ticket, 'done', state.terms)
  })
}

function onPacket (state, packet) {
  const properties = packet.properties || {}
  if (packet.cmd === 'connack') {
    state.terms = {
      code: packet.reasonCode === undefined ? packet.returnCode : packet.reasonCode,
      present: packet.sessionPresent,
      assigned: properties.assignedClientIdentifier,
      session_expiry: properties.sessionExpiryInterval,
      keep_alive: properties.serverKeepAlive,
      receive_max: properties.receiveMaximum,
      packet_max: properties.maximumPacketSize,
      alias_max: properties.topicAliasMaximum,
      qos_max: properties.maximumQoS,
      has_retain: properties.retainAvailable,
      has_wildcards: properties.wildcardSubscriptionAvailable,
      has_ids: properties.subscriptionIdentifiersAvailable,
      has_shared: properties.sharedSubscriptionAvailable,
      reason: properties.reasonString,
      reference: properties.serverReference
    }
  } else if (packet.cmd === 'disconnect') {
    state.end = {
      code: packet.reasonCode,
      reason: properties.reasonString,
      reference: properties.serverReference
    }
  } else if (packet.messageId !== undefined && packet.cmd !== 'publish') {
    if (packet.cmd === 'pubcomp') return // PUBREC has the code
    const codes = packet.cmd === 'unsuback' ? [].concat(packet.granted || []) : packet.granted
    state.acks[packet.messageId] = {
      code: packet.reasonCode || 0, codes, reason: properties.reasonString
    }
  }
}

function onMessage (who, topic, payload, packet) {
  const properties = packet.properties || {}
  say(who, 'message', {
    topic,
    payload,
    qos: packet.qos,
    retain: packet.retain,
    content_type: properties.contentType,
    response_topic: properties.responseTopic,
    correlation: properties.correlationData,
    expiry: properties.messageExpiryInterval,
    text: properties.payloadFormatIndicator,
    alias: properties.topicAlias,
    user: flatUser(properties.userProperties),
    ids: properties.subscriptionIdentifier === undefined
      ? undefined
      : [].concat(properties.subscriptionIdentifier)
  })
}

function tell (ticket, state, id) {
  const { code, codes, reason } = state.acks[id] || { code: 0 }
  delete state.acks[id]
  say(ticket, 'done', { code, codes, reason })
}

const commands = {
  subscribe (ticket, state, options) {
    const v5 = state.client.options.protocolVersion === 5
    state.client.subscribe(text(options.topic), without({
      qos: number(options.qos),
      nl: flag(options.no_local),
      rap: flag(options.as_published),
      rh: number(options.retain_handling),
      properties: v5 && options.id !== undefined
        ? { subscriptionIdentifier: number(options.id) }
        : undefined
    }), () => tell(ticket, state, id))
    const id = state.client.getLastMessageId() // this one's
  },
  unsubscribe (ticket, state, options) {
    state.client.unsubscribe(text(options.topic), () => tell(ticket, state, id))
    const id = state.client.getLastMessageId() // this one's
  },
  publish (ticket, state, options) {
    const v5 = state.client.options.protocolVersion === 5
    const qos = number(options.qos)
    let over = false // it may be told twice
    state.client.publish(text(options.topic), options.payload || Buffer.alloc(0), {
      qos,
      retain: flag(options.retain),
      properties: v5 ? messageProperties(options) : undefined
    }, () => {
      if (over) return
      over = true
      if (qos === 0) say(ticket, 'done', { code: 0 })
      else tell(ticket, state, id)
    })
    const id = state.client.getLastMessageId() // this one's, above QoS 0
  },
  disconnect (ticket, state, options) {
    const packet = without({
      reasonCode: number(options.code),
      properties: options.session_expiry === undefined
        ? undefined
        : { sessionExpiryInterval: number(options.session_expiry) }
    })
    state.client.end(false, packet, () => say(ticket, 'done'))
  },
  kill (ticket, state) {
    state.client.stream.destroy()
    say(ticket, 'done')
  }
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const [ticket, who, command, ...words] = line.split(' ')
  const options = Object.fromEntries(words.map(word => {
    const at = word.indexOf('=')
    const [key, value] = [word.slice(0, at), word.slice(at + 1)]
    return [key, key.endsWith('user') ? value : octets(value)]
  }))
  if (command === 'connect') connect(who, ticket, options)
  else commands[command](ticket, clients[who], options)
}).on('close', () => process.exit(0))
