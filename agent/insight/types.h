/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What insight knows of calls and of the network, as plain data: filled by the Zoom codec and by
 * what the router exports, used by everything here. A value that nobody measured is NAN, never
 * zero.
 */
#ifndef FL_AGENT_INSIGHT_TYPES_H
#define FL_AGENT_INSIGHT_TYPES_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/addr.h"

#define FL_SITE_NAME_LEN 64 /* NUL included, as are all of these */
#define FL_HOSTNAME_LEN  64
#define FL_PERSON_LEN    128
#define FL_KEY_LEN       96 /* Zoom's ids of meetings, joins and accounts */

/* In: sent by the client, out: received by it (zoom-api.md 4.3). */
enum fl_stream {
	FL_STREAM_AUDIO_IN,
	FL_STREAM_AUDIO_OUT,
	FL_STREAM_VIDEO_IN,
	FL_STREAM_VIDEO_OUT,
	FL_STREAM_SCREEN_IN,
	FL_STREAM_SCREEN_OUT,
	FL_STREAM_MAX,
};

enum fl_media { FL_MEDIA_AUDIO, FL_MEDIA_VIDEO, FL_MEDIA_SCREEN, FL_MEDIA_MAX };

/* Streams before this one decide whether a minute is bad. */
#define FL_STREAM_JUDGED FL_STREAM_SCREEN_IN

/* Classes of the mean opinion score, and the two labels beside them (zoom-api.md 8). */
enum fl_grade {
	FL_GRADE_NOT_APPLICABLE, /* the stream never ran */
	FL_GRADE_UNKNOWN,        /* it ran, but nothing was collected */
	FL_GRADE_BAD,
	FL_GRADE_POOR,
	FL_GRADE_FAIR,
	FL_GRADE_GOOD,
};

struct fl_stream_minute {
	double latency_ms; /* a round trip */
	double jitter_ms;
	double loss_pct;
	double max_loss_pct;
	double bitrate_kbps;
	double frame_rate;
	uint16_t width; /* 0: off, or unknown */
	uint16_t height;
};

/* One minute of one participant. */
struct fl_call_minute {
	int64_t minute; /* since 1970, UTC */
	struct fl_stream_minute streams[FL_STREAM_MAX];
	double cpu_system_pct; /* highest of the minute */
	double cpu_zoom_pct;   /* average */
	double rssi_dbm;       /* average */
};

/* One minute of one path, as the router measured it. */
struct fl_path_minute {
	int64_t minute;
	uint32_t path;
	bool active;
	double rtt_ms;
	double jitter_ms;
	double loss_pct;
	double tx_mbps;
	double rx_mbps;
	double tx_capacity_mbps;
	double rx_capacity_mbps;
	double zoom_bytes;
	double clients; /* at the site */
};

enum fl_network_type {
	FL_NETWORK_UNKNOWN,
	FL_NETWORK_WIRED,
	FL_NETWORK_WIFI,
	FL_NETWORK_CELLULAR,
};

enum fl_conn_type {
	FL_CONN_UNKNOWN,
	FL_CONN_UDP,
	FL_CONN_TCP,   /* SSL and HTTP too */
	FL_CONN_PROXY, /* any of them through a proxy */
};

/* Bad minutes and their causes are counted by these. */
enum fl_category {
	FL_CATEGORY_NONE, /* nothing that is measured here explains it */
	FL_CATEGORY_WAN,
	FL_CATEGORY_CLIENT,
	FL_CATEGORY_WIRELESS,
	FL_CATEGORY_MAX,
};

struct fl_mac {
	uint8_t b[6]; /* all zero: unknown */
};

static inline bool fl_mac_is_known(struct fl_mac mac)
{
	return mac.b[0] | mac.b[1] | mac.b[2] | mac.b[3] | mac.b[4] | mac.b[5];
}

/* A stream of which nothing is known. */
static inline struct fl_stream_minute fl_stream_minute_none(void)
{
	return (struct fl_stream_minute){ NAN, NAN, NAN, NAN, NAN, NAN, 0, 0 };
}

static inline struct fl_call_minute fl_call_minute_none(int64_t minute)
{
	struct fl_call_minute m = {
		.minute = minute, .cpu_system_pct = NAN, .cpu_zoom_pct = NAN, .rssi_dbm = NAN
	};

	for (int i = 0; i < FL_STREAM_MAX; i++)
		m.streams[i] = fl_stream_minute_none();
	return m;
}

static inline struct fl_path_minute fl_path_minute_none(uint32_t path, int64_t minute)
{
	return (struct fl_path_minute){ minute, path, true, NAN, NAN, NAN,
					NAN,    NAN,  NAN,  NAN, NAN, NAN };
}

#endif
