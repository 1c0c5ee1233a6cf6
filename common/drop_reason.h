/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why a packet was not forwarded: the one list. The enum, the counters' names in `bpftool map
 * dump`, the CLI's words and the API's stable names all come from it. Data plane and agent count
 * into the same map (fl_drops). New reasons go before FL_DROP_MAX; the order is part of the ABI
 * version.
 */
#ifndef FL_COMMON_DROP_REASON_H
#define FL_COMMON_DROP_REASON_H

/* X(NAME, "stable-name", "what it means, for an operator") */
#define FL_DROP_REASONS(X)                                                                         \
	X(MALFORMED, "malformed", "header truncated, or lengths and fields contradict each other") \
	X(IP_OPTION, "ip-option", "IPv4 source route or IPv6 routing header: never forwarded")     \
	X(BAD_SOURCE, "bad-source", "multicast, broadcast, loopback or own address as source")     \
	X(TTL_EXPIRED, "ttl-expired", "TTL or hop limit ran out here")                             \
	X(MTU_EXCEEDED, "mtu-exceeded", "too big for the path and not to be fragmented")           \
	X(NO_TENANT, "no-tenant", "the source belongs to no tenant on this interface")             \
	X(NO_SERVICE, "no-service", "no service of this tenant covers the destination")            \
	X(ACCESS_DENIED, "access-denied", "the service's access policy denies this tenant")        \
	X(NO_ROUTE, "no-route", "the service has no service-route here, or none that leads on")    \
	X(NO_PATH, "no-path", "no usable path to the peer")                                        \
	X(NEXT_HOP, "next-hop-unresolved", "the next hop's MAC address is not known")              \
	X(INTERFACE_DOWN, "interface-down", "the egress interface is down or not managed")         \
	X(TABLE_FULL, "table-full",                                                                \
	  "session or next hop table full: new sessions refused, live ones kept")                  \
	X(WAYPOINTS, "waypoints-exhausted", "no free waypoint port pair toward the peer")          \
	X(NAT_PORTS, "nat-ports-exhausted", "no free source NAT port")                             \
	X(HALF_OPEN, "half-open-limit", "too many TCP sessions not yet established")               \
	X(RATE_SOURCE, "rate-source", "this source opens sessions faster than its bucket allows")  \
	X(RATE_PEER, "rate-peer", "this peer needs the agent more often than its buckets allow")   \
	X(PUNT_FULL, "punt-queue-full", "the queue to the agent is full")                          \
	X(PENDING_FULL, "pending-full", "too many packets of one flow wait for its set-up")        \
	X(TCP_NOT_SYN, "tcp-not-syn", "TCP session would start in the middle")                     \
	X(TCP_ILLEGAL, "tcp-illegal", "TCP flags that the session's state does not allow")         \
	X(TCP_WINDOW, "tcp-window", "TCP sequence number outside the window (strict)")             \
	X(ICMP_UNSOLICITED, "icmp-unsolicited", "ICMP that starts no session and answers none")    \
	X(ICMP_ERROR, "icmp-error-no-session", "ICMP error about a packet of no session")          \
	X(UNKNOWN_PEER, "unknown-peer", "metadata from an address that is no peer's")              \
	X(SYMMETRY, "path-symmetry", "arrived on another path or interface than its session uses") \
	X(NO_SESSION, "no-session", "from a peer, without metadata, for no session here")          \
	X(NOT_ACKED, "not-acknowledged", "answer without metadata before the handshake is done")   \
	X(META_MALFORMED, "metadata-malformed", "metadata block breaks the rules of its encoding") \
	X(META_INCOMPLETE, "metadata-incomplete", "metadata lacks what a session needs")           \
	X(META_UNEXPECTED, "metadata-unexpected", "valid metadata that fits no session or state")  \
	X(META_REPLAY, "metadata-replay", "metadata of a session that was deleted just now")       \
	X(HMAC_MISMATCH, "hmac-mismatch", "HMAC missing or wrong: not proven to be from the peer") \
	X(KEY_UNKNOWN, "key-unknown", "security id of no active key")                              \
	X(DECRYPT, "decrypt-failed", "metadata does not decrypt")                                  \
	X(CONTROL_UNKNOWN, "unknown-forced-drop-reason", "control message of unknown kind")        \
	X(FRAG_TIMEOUT, "fragment-timeout", "fragments that never became whole")                   \
	X(FRAG_OVERLAP, "fragment-overlap", "fragments overlap: all of them dropped")              \
	X(FRAG_LIMIT, "fragment-limit", "too many incomplete packets, or a packet above 64 KB")    \
	X(TX_ERROR, "tx-error", "the kernel refused the packet on its way out")                    \
	X(DUPLICATE, "duplicate", "another copy of the packet came first (packet duplication)")    \
	X(DUP_WINDOW, "duplicate-window", "number far behind or ahead (packet duplication)")       \
	X(SHUTDOWN, "closing", "session deleted while packets still arrive")                       \
	X(SERVICE_LEVEL, "service-level", "no path meets the service level, best-effort is off")   \
	X(CAPACITY, "capacity",                                                                    \
	  "all ways to the service are at their limits of sessions or utilisation")                \
	X(RATE_ECHO, "rate-echo", "link tests beyond 200 a second are not returned")               \
	X(INTERNAL, "internal", "should not happen: please report it with `fairlead show stats`")

enum fl_drop_reason {
	FL_DROP_NONE = 0,
#define X(name, id, text) FL_DROP_##name,
	FL_DROP_REASONS(X)
#undef X
		FL_DROP_MAX,
};

#endif
