/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a router tells the insight service, as lines of JSON: encoded by fairleadd (agent/export/),
 * decoded by fairlead-insightd (agent/insight/receive.c). agent/export/README.md describes the
 * lines. Pure. Times are wall clock, seconds since 1970 UTC where a name ends in _s; a figure that
 * nobody measured is NAN here and is left out of the line.
 */
#ifndef FL_AGENT_CODEC_EXPORT_H
#define FL_AGENT_CODEC_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/addr.h"

#define FL_EXPORT_VERSION  1
#define FL_EXPORT_LINE_MAX 4096 /* bytes, newline included */
#define FL_EXPORT_NAME_LEN 64   /* NUL included, of paths */
#define FL_EXPORT_SITE_LEN 256  /* of sites and routers */
#define FL_EXPORT_STEPS    16   /* moves from path to path in one session record */

enum fl_export_type {
	FL_EXPORT_PATH_MINUTE,
	FL_EXPORT_SESSION,
	FL_EXPORT_NEIGHBOUR,
	FL_EXPORT_EVENT,
	FL_EXPORT_TYPES,
};

/* One minute of one path, or of one interface by which sessions leave for the Internet. */
struct fl_export_path_minute {
	int64_t minute; /* since 1970 */
	char path[FL_EXPORT_NAME_LEN];
	char source[8]; /* of round trip, jitter and loss: "bfd", "fpm", "bfd+fpm", "none" */
	bool active;    /* it could carry packets in some part of the minute */
	double rtt_ms;
	double jitter_ms;
	double loss_pct;
	double tx_mbps; /* of the device that the path leaves by */
	double rx_mbps;
	double tx_capacity_mbps;
	double rx_capacity_mbps;
	double zoom_bytes; /* carried for sessions of Zoom services */
	double clients;    /* hosts with a session, at the site */
};

/* From @since_s on, the session travelled on @path. */
struct fl_export_step {
	int64_t since_s;
	char path[FL_EXPORT_NAME_LEN];
};

struct fl_export_session {
	uint8_t uuid[16];
	struct fl_addr client; /* as it sent its first packet */
	struct fl_addr remote;
	struct fl_addr nat;   /* source address toward the Internet; family 0: the client's own */
	uint16_t client_port; /* host order */
	uint16_t remote_port;
	uint16_t nat_port;
	uint8_t protocol;
	char app[8];    /* "zoom", "vpn" by the router's service; "": unknown */
	uint8_t mac[6]; /* all zero: unknown */
	int64_t start_s;
	int64_t until_s; /* its end, or when it was last looked at: what follows may never be told
			  */
	bool ended;
	uint64_t bytes; /* both directions, so far */
	/* Those since the last record of this session: a receiver adds them to what it has. */
	unsigned int step_count;
	struct fl_export_step steps[FL_EXPORT_STEPS];
};

/* From the kernel's neighbour table. */
struct fl_export_neighbour {
	struct fl_addr addr;
	uint8_t mac[6];
	int64_t from_s;
	int64_t to_s;
	char name[64]; /* by DHCP; "": not known */
};

struct fl_export_event {
	int64_t at_s;
	char severity[8]; /* "good", "neutral", "bad" */
	char kind[32];    /* PATH_DOWN, PATH_UP, VECTOR_MOVED, SLA_VIOLATED, SLA_MET */
	char subject[FL_EXPORT_NAME_LEN];
	char detail[192];
};

struct fl_export_record {
	enum fl_export_type type;
	union {
		struct fl_export_path_minute path_minute;
		struct fl_export_session session;
		struct fl_export_neighbour neighbour;
		struct fl_export_event event;
	};
};

/* The line that a connection begins with. */
struct fl_export_hello {
	uint64_t version;
	char site[FL_EXPORT_SITE_LEN];
	char router[FL_EXPORT_SITE_LEN];
	uint64_t dropped; /* records that the queue had no room for, so far */
};

/**
 * fl_export_encode() - one line, its newline included
 * @seq: number of the record in the router's queue, from 1
 *
 * Return: bytes, without the NUL that follows; -ENOSPC if @size is too small; -ENOMEM.
 */
int fl_export_encode(const struct fl_export_record *record, uint64_t seq, char *buf, size_t size);

/**
 * fl_export_decode() - the other way round
 * @line: @len bytes, no newline
 *
 * Members that are not known are ignored. Return: 0; -EBADMSG if it is no such record or a value of
 * it is out of range, @ret_seq is written even then if there is one (else 0); -ENOMEM.
 */
int fl_export_decode(const char *line, size_t len, struct fl_export_record *ret_record,
		     uint64_t *ret_seq);

int fl_export_hello_encode(const struct fl_export_hello *hello, char *buf, size_t size);
int fl_export_hello_decode(const char *line, size_t len, struct fl_export_hello *ret_hello);

/* "I have everything up to @seq safe." */
int fl_export_ack_encode(uint64_t seq, char *buf, size_t size);
int fl_export_ack_decode(const char *line, size_t len, uint64_t *ret_seq);

#endif
