/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counters that are not drops: the one list, like drop_reason.h. The names follow the counters that
 * svr-protocol.md 8.2 asks for.
 */
#ifndef FL_COMMON_STATS_H
#define FL_COMMON_STATS_H

/* X(NAME, "stable-name", "meaning") */
#define FL_STATS(X)                                                                                \
	X(PUNT_NEW, "punt-new-session", "first packets handed to the agent")                       \
	X(PUNT_META, "punt-metadata", "packets with metadata handed to the agent")                 \
	X(PUNT_SIGNAL, "punt-needs-metadata", "packets handed to the agent to get metadata")       \
	X(PUNT_OTHER, "punt-other", "fragments, ICMP errors, expired TTLs handed to the agent")    \
	X(DENIED_CACHED, "denied-cached", "packets dropped by a remembered denial")                \
	X(HANDSHAKE_DONE, "handshake-done", "sessions whose peer stopped sending metadata")        \
	X(SESSIONS_OPENED, "sessions-opened", "sessions installed")                                \
	X(SESSIONS_CLOSED, "sessions-closed", "sessions removed")                                  \
	X(META_ADDED, "metadata-added", "packets sent with metadata")                              \
	X(META_REMOVED, "metadata-removed", "packets whose metadata was taken off")                \
	X(META_DUPLICATE, "metadata-duplicate", "forward metadata repeated for a known session")   \
	X(META_UNKNOWN_TLV, "metadata-unknown-tlv", "TLVs of unknown type that were skipped")      \
	X(META_NOT_PRESENT, "metadata-not-present", "peer packets without metadata and session")   \
	X(FALSE_POSITIVE_ADDED, "false-positive-added",                                            \
	  "payloads that look like metadata, fenced")                                              \
	X(FALSE_POSITIVE_REMOVED, "false-positive-removed", "fences taken off")                    \
	X(HMAC_ADDED, "hmac-added", "packets signed")                                              \
	X(HMAC_VERIFIED, "hmac-verified", "packets whose HMAC held")                               \
	X(HMAC_WINDOW_EARLY, "hmac-window-early", "HMAC held for the previous time window")        \
	X(HMAC_WINDOW_LATE, "hmac-window-late", "HMAC held for the next time window")              \
	X(GENERATED_ACK, "generated-acks", "generated packets that acknowledge metadata")          \
	X(CONTROL_KEEPALIVE_TX, "control-keep-alive-sent", "NAT keep-alives sent")                 \
	X(CONTROL_KEEPALIVE_RX, "control-keep-alive-received", "NAT keep-alives received")         \
	X(CONTROL_ENABLE_TX, "control-enable-metadata-sent", "asked a peer to signal again")       \
	X(CONTROL_ENABLE_RX, "control-enable-metadata-received",                                   \
	  "asked by a peer to signal again")                                                       \
	X(CONTROL_DISABLE_TX, "control-disable-metadata-sent", "told a peer to stop metadata")     \
	X(CONTROL_DISABLE_RX, "control-disable-metadata-received", "told by a peer to stop")       \
	X(CONTROL_DELETE_TX, "control-delete-sent", "told a peer that a session ended")            \
	X(CONTROL_DELETE_RX, "control-delete-received", "told by a peer that a session ended")     \
	X(HEALTH_TX, "health-check-sent", "asked whether a session still exists")                  \
	X(HEALTH_RX, "health-check-received", "was asked whether a session still exists")          \
	X(RESIGNALLED, "re-signalled", "sessions that sent their metadata again")                  \
	X(FRAG_IN, "fragments-received", "fragments taken in, from hosts and peers")               \
	X(FRAG_OUT, "fragments-sent", "fragments sent, to hosts and peers")                        \
	X(REASSEMBLED, "reassembled", "packets made whole from fragments")                         \
	X(ICMP_SENT, "icmp-errors-sent", "ICMP errors made here")                                  \
	X(ICMP_TRANSLATED, "icmp-errors-translated",                                               \
	  "ICMP errors carried back to a session's end")                                           \
	X(TCP_RESET_SENT, "tcp-resets-sent", "resets sent for TCP that may not start here")        \
	X(TX_PACKETS, "agent-packets-sent", "packets sent by the agent")                           \
	X(DUP_SENT, "copies-sent", "packets sent in copies, every copy counted")                   \
	X(DUP_PASSED, "duplicate-passed", "first copies that came, and were let by")               \
	X(SESSIONS_MOVED, "sessions-moved", "sessions that were moved to another path")            \
	X(MOVES_ANNOUNCED, "moves-announced", "peers told that sessions of a vector move")         \
	X(VECTORS_FOLLOWED, "moves-followed", "peer's sessions that moved, and we with them")      \
	X(PARTIAL_CHECKSUM, "partial-checksums",                                                   \
	  "XDP first packets with a checksum left to offload")                                     \
	X(METRICS_ADDED, "path-metrics-added", "packets marked to measure their path")             \
	X(METRICS_REMOVED, "path-metrics-removed", "marks of a peer read and taken off")           \
	X(METRICS_REPLY, "path-metrics-unidirectional-reply",                                      \
	  "marks sent alone, without user traffic to carry them")                                  \
	X(METRICS_DROPPED, "path-metrics-remove-dropped", "marks of a peer that came alone")       \
	X(ECHO_REFLECTED, "echo-reflected", "link tests of peers returned")

enum fl_stat {
	FL_STAT_NONE = 0,
#define X(name, id, text) FL_STAT_##name,
	FL_STATS(X)
#undef X
		FL_STAT_MAX,
};

#endif
