// SPDX-License-Identifier: Apache-2.0
/* Zoom's participants as those of the store: two sets of words for the same things. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insightd/sink.h"

_Static_assert((int)FL_ZOOM_STREAMS == (int)FL_STREAM_MAX, "the same streams in the same order");
_Static_assert((int)FL_ZOOM_SCREEN_OUT == (int)FL_STREAM_SCREEN_OUT, "the same order");

static enum fl_network_type network_of(enum fl_zoom_network network)
{
	switch (network) {
	case FL_ZOOM_NETWORK_WIRED:
		return FL_NETWORK_WIRED;
	case FL_ZOOM_NETWORK_WIFI:
		return FL_NETWORK_WIFI;
	case FL_ZOOM_NETWORK_CELLULAR:
		return FL_NETWORK_CELLULAR;
	case FL_ZOOM_NETWORK_UNKNOWN:
	case FL_ZOOM_NETWORK_OTHER:
		break;
	}
	return FL_NETWORK_UNKNOWN;
}

static enum fl_conn_type conn_of(enum fl_zoom_conn conn)
{
	switch (conn) {
	case FL_ZOOM_CONN_UDP:
		return FL_CONN_UDP;
	case FL_ZOOM_CONN_TCP:
		return FL_CONN_TCP;
	case FL_ZOOM_CONN_PROXY:
		return FL_CONN_PROXY;
	case FL_ZOOM_CONN_UNKNOWN:
		break;
	}
	return FL_CONN_UNKNOWN;
}

static enum fl_leave_code leave_of(const struct fl_zoom_join *join)
{
	switch (join->leave) {
	case FL_ZOOM_LEAVE_LEFT:
		return join->disconnected ? FL_LEAVE_DISCONNECTED : FL_LEAVE_LEFT;
	case FL_ZOOM_LEAVE_HOST_ENDED:
		return FL_LEAVE_HOST_ENDED;
	case FL_ZOOM_LEAVE_REMOVED:
		return FL_LEAVE_REMOVED;
	case FL_ZOOM_LEAVE_NETWORK_ERROR:
		return FL_LEAVE_NETWORK_ERROR;
	case FL_ZOOM_LEAVE_UNKNOWN:
		break;
	}
	return join->disconnected ? FL_LEAVE_DISCONNECTED : FL_LEAVE_UNKNOWN;
}

static bool ran(const struct fl_zoom_join *join, enum fl_zoom_stream in)
{
	for (size_t i = 0; i < join->minute_count; i++) {
		for (int way = 0; way < 2; way++) {
			const struct fl_zoom_figures *f = &join->minutes[i].streams[(int)in + way];

			if (!isnan(f->latency_ms) || !isnan(f->bitrate_kbps) || f->width)
				return true;
		}
	}
	return false;
}

/* Without a label: did the stream run, as far as minutes tell? (zoom-api.md 8) */
static enum fl_grade grade_of(enum fl_zoom_quality quality, const struct fl_zoom_join *join,
			      enum fl_zoom_stream in)
{
	switch (quality) {
	case FL_ZOOM_QUALITY_BAD:
		return FL_GRADE_BAD;
	case FL_ZOOM_QUALITY_POOR:
		return FL_GRADE_POOR;
	case FL_ZOOM_QUALITY_FAIR:
		return FL_GRADE_FAIR;
	case FL_ZOOM_QUALITY_GOOD:
		return FL_GRADE_GOOD;
	case FL_ZOOM_QUALITY_NONE:
		break;
	}
	return !join->minute_count || ran(join, in) ? FL_GRADE_UNKNOWN : FL_GRADE_NOT_APPLICABLE;
}

static void device_of(unsigned int devices, char *text, size_t size)
{
	static const struct {
		enum fl_zoom_device bit;
		const char *name;
	} names[] = {
		{ FL_ZOOM_DEVICE_WINDOWS, "Windows" }, { FL_ZOOM_DEVICE_MAC, "Mac" },
		{ FL_ZOOM_DEVICE_LINUX, "Linux" },     { FL_ZOOM_DEVICE_IOS, "iOS" },
		{ FL_ZOOM_DEVICE_ANDROID, "Android" }, { FL_ZOOM_DEVICE_CHROMEOS, "ChromeOS" },
		{ FL_ZOOM_DEVICE_WEB, "Web" },         { FL_ZOOM_DEVICE_PHONE, "Phone" },
		{ FL_ZOOM_DEVICE_SIP, "SIP" },         { FL_ZOOM_DEVICE_ROOMS, "Rooms" },
	};
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t room = strlen(names[i].name) + 4;

		if (devices & names[i].bit && len + room < size)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? " + " : "",
						names[i].name);
	}
}

static void ends_of(const struct fl_zoom_join *join, int64_t ended_s, struct fl_join_ends *ends)
{
	ends->public_addr = join->public_addr;
	for (size_t i = 0; i < join->internal_count && i < FL_JOIN_ADDRESSES; i++)
		ends->internal[ends->internal_count++] = join->internal[i];
	memcpy(ends->mac.b, join->mac, sizeof(ends->mac.b));
	snprintf(ends->pc_name, sizeof(ends->pc_name), "%s", join->pc_name);
	ends->join_s = join->join_s;
	/* Zoom leaves it out now and then; a call must not stay open for that. */
	ends->leave_s = join->leave_s ? join->leave_s : ended_s ? ended_s : FL_SESSION_OPEN_END;
	if (ends->leave_s < ends->join_s)
		ends->leave_s = ends->join_s;
}

static void figures_of(const struct fl_zoom_figures *from, struct fl_stream_minute *to)
{
	*to = (struct fl_stream_minute){ .latency_ms = from->latency_ms,
					 .jitter_ms = from->jitter_ms,
					 .loss_pct = from->loss_pct,
					 .max_loss_pct = from->max_loss_pct,
					 .bitrate_kbps = from->bitrate_kbps,
					 .frame_rate = from->frame_rate,
					 .width = from->width,
					 .height = from->height };
}

static int minutes_of(const struct fl_zoom_join *join, struct fl_participant *p)
{
	struct fl_call_minute *minutes = calloc(join->minute_count + 1, sizeof(*minutes));

	if (!minutes)
		return -ENOMEM;
	for (size_t i = 0; i < join->minute_count; i++) {
		const struct fl_zoom_minute *from = &join->minutes[i];
		struct fl_call_minute *to = &minutes[i];

		to->minute = from->minute;
		for (int s = 0; s < FL_STREAM_MAX; s++)
			figures_of(&from->streams[s], &to->streams[s]);
		to->cpu_system_pct = from->cpu_system_pct;
		to->cpu_zoom_pct = from->cpu_zoom_pct;
		to->rssi_dbm = from->rssi_dbm;
	}
	p->minutes = minutes;
	p->minute_count = join->minute_count;
	return 0;
}

int fl_sink_participant(const struct fl_zoom_join *join, int64_t ended_s,
			struct fl_participant *ret_participant)
{
	struct fl_participant p = { .guest = join->blank };
	struct fl_call *c = &p.call;
	int err = minutes_of(join, &p);

	if (err)
		return err;
	snprintf(c->key, sizeof(c->key), "%s", join->key);
	snprintf(c->user_name, sizeof(c->user_name), "%s", join->user_name);
	snprintf(c->email, sizeof(c->email), "%s", join->email);
	snprintf(c->person, sizeof(c->person), "%s", join->user);
	device_of(join->devices, c->device, sizeof(c->device));
	c->conn = conn_of(join->conn);
	c->network = network_of(join->network);
	c->leave_code = leave_of(join);
	c->audio = grade_of(join->audio, join, FL_ZOOM_AUDIO_IN);
	c->video = grade_of(join->video, join, FL_ZOOM_VIDEO_IN);
	c->screen = grade_of(join->screen, join, FL_ZOOM_SCREEN_IN);
	for (int i = 0; i < FL_MEDIA_MAX; i++)
		c->mos[i] = join->mos[i];
	ends_of(join, ended_s, &p.ends);
	*ret_participant = p;
	return 0;
}

void fl_sink_participant_done(struct fl_participant *participant)
{
	free((void *)(uintptr_t)participant->minutes);
	participant->minutes = NULL;
}
