// SPDX-License-Identifier: Apache-2.0
/* Records of participants and their minutes: part of parse.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/json_pull.h"
#include "agent/zoom/parse.h"
#include "agent/zoom/value.h"
#include "agent/zoom/when.h"

/* --- who, where, with what ----------------------------------------------------------------------
 */

/* Texts that are kept as they are. harddisk_id is not among them, on purpose (zoom-api.md 9). */
static bool text_member(struct fl_zoom_join *j, const char *key, struct fl_pull *p)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} members[] = {
		{ "participant_uuid", j->key, sizeof(j->key) },
		{ "user_id", j->user_id, sizeof(j->user_id) },
		{ "user_name", j->user_name, sizeof(j->user_name) },
		{ "email", j->email, sizeof(j->email) },
		{ "pc_name", j->pc_name, sizeof(j->pc_name) },
		{ "domain", j->domain, sizeof(j->domain) },
		{ "location", j->location, sizeof(j->location) },
		{ "data_center", j->data_center, sizeof(j->data_center) },
		{ "version", j->version, sizeof(j->version) },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (!strcmp(key, members[i].key)) {
			fl_pull_text(p, members[i].to, members[i].size);
			return true;
		}
	}
	return false;
}

/* What says which client it is. A masked address ("31.44.*.*") is none. */
static bool is_address_of_client(const struct fl_addr *addr)
{
	if (addr->family == 4)
		return addr->b[0] && addr->b[0] != 127 && !(addr->b[0] == 169 && addr->b[1] == 254);
	/* fe80::/10, ::, ::1 */
	if (addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80)
		return false;
	for (int i = 0; i < 15; i++) {
		if (addr->b[i])
			return true;
	}
	return addr->b[15] > 1;
}

static void addresses(struct fl_zoom_join *j, struct fl_pull *p)
{
	char text[64];

	if (!fl_pull_array(p))
		return;
	while (fl_pull_item(p)) {
		struct fl_addr addr;

		fl_pull_text(p, text, sizeof(text));
		if (j->internal_count < FL_ZOOM_ADDRS && !fl_addr_parse(text, &addr) &&
		    is_address_of_client(&addr))
			j->internal[j->internal_count++] = addr;
	}
}

/* Texts that stand for something else. */
static bool coded_member(struct fl_zoom_join *j, const char *key, const char *text)
{
	if (!strcmp(key, "ip_address")) {
		if (fl_addr_parse(text, &j->public_addr))
			j->public_addr = (struct fl_addr){ 0 };
	} else if (!strcmp(key, "mac_addr")) {
		fl_zoom_value_mac(text, j->mac);
	} else if (!strcmp(key, "device")) {
		j->devices = fl_zoom_value_device(text);
	} else if (!strcmp(key, "network_type")) {
		j->network = fl_zoom_value_network(text);
	} else if (!strcmp(key, "connection_type")) {
		j->conn = fl_zoom_value_conn(text);
	} else if (!strcmp(key, "video_connection_type")) {
		j->video_conn = fl_zoom_value_conn(text);
	} else if (!strcmp(key, "as_connection_type")) {
		j->screen_conn = fl_zoom_value_conn(text);
	} else if (!strcmp(key, "role")) {
		j->role = fl_zoom_value_role(text);
	} else if (!strcmp(key, "status")) {
		j->waiting = !strcmp(text, "in_waiting_room");
	} else {
		return false;
	}
	return true;
}

static bool timed_member(struct fl_zoom_join *j, const char *key, const char *text)
{
	if (!strcmp(key, "join_time"))
		j->join_s = fl_zoom_when_s(text);
	else if (!strcmp(key, "leave_time"))
		j->leave_s = fl_zoom_when_s(text);
	else if (!strcmp(key, "leave_reason"))
		j->leave = fl_zoom_value_leave(text, &j->disconnected);
	else if (!strcmp(key, "audio_quality"))
		j->audio = fl_zoom_value_quality(text);
	else if (!strcmp(key, "video_quality"))
		j->video = fl_zoom_value_quality(text);
	else if (!strcmp(key, "screen_share_quality"))
		j->screen = fl_zoom_value_quality(text);
	else
		return false;
	return true;
}

bool fl_zoom_join_member(struct fl_zoom_join *join, const char *key, struct fl_pull *p)
{
	char text[256];

	if (text_member(join, key, p))
		return true;
	if (!strcmp(key, "internal_ip_addresses")) {
		addresses(join, p);
		return true;
	}
	if (!strcmp(key, "id") || !strcmp(key, "participant_user_id")) {
		/* Two names for one thing, and either may be empty. */
		if (fl_pull_text(p, text, sizeof(text)) && *text)
			snprintf(join->user, sizeof(join->user), "%.*s", FL_ZOOM_KEY_LEN - 1, text);
		return true;
	}
	if (fl_pull_peek(p) == FL_PULL_OBJECT || fl_pull_peek(p) == FL_PULL_ARRAY)
		return false;
	fl_pull_text(p, text, sizeof(text));
	if (!coded_member(join, key, text))
		timed_member(join, key, text);
	return true;
}

void fl_zoom_join_finish(struct fl_zoom_join *join)
{
	if (!*join->key && *join->user_id && join->join_s)
		snprintf(join->key, sizeof(join->key), "%s@%lld", join->user_id,
			 (long long)join->join_s);
	/* Until the list of users says better: people from outside come without e-mail (4.2). */
	join->guest = !*join->user || !*join->email;
}

void fl_zoom_join_done(struct fl_zoom_join *join)
{
	free(join->minutes);
	join->minutes = NULL;
	join->minute_count = 0;
}

/* --- minutes ------------------------------------------------------------------------------------
 */

static const struct fl_zoom_figures no_figures = { NAN, NAN, NAN, NAN, NAN, NAN, 0, 0 };

struct fl_zoom_minute fl_zoom_minute_none(int64_t minute)
{
	struct fl_zoom_minute m = { .minute = minute,
				    .cpu_system_pct = NAN,
				    .cpu_zoom_pct = NAN,
				    .rssi_dbm = NAN,
				    .rssi_min_dbm = NAN,
				    .rssi_max_dbm = NAN };

	for (int i = 0; i < FL_ZOOM_STREAMS; i++)
		m.streams[i] = no_figures;
	return m;
}

static bool has_figures(const struct fl_zoom_figures *f)
{
	return !isnan(f->latency_ms) || !isnan(f->jitter_ms) || !isnan(f->loss_pct) ||
	       !isnan(f->max_loss_pct) || !isnan(f->bitrate_kbps) || !isnan(f->frame_rate) ||
	       f->width;
}

/* Stream by stream, and the processor and the radio as one each. */
static void minute_merge(struct fl_zoom_minute *to, const struct fl_zoom_minute *from)
{
	for (int i = 0; i < FL_ZOOM_STREAMS; i++) {
		if (has_figures(&from->streams[i]))
			to->streams[i] = from->streams[i];
	}
	if (!isnan(from->cpu_system_pct))
		to->cpu_system_pct = from->cpu_system_pct;
	if (!isnan(from->cpu_zoom_pct))
		to->cpu_zoom_pct = from->cpu_zoom_pct;
	if (!isnan(from->rssi_dbm) || !isnan(from->rssi_min_dbm) || !isnan(from->rssi_max_dbm)) {
		to->rssi_dbm = from->rssi_dbm;
		to->rssi_min_dbm = from->rssi_min_dbm;
		to->rssi_max_dbm = from->rssi_max_dbm;
	}
}

int fl_zoom_join_add_minute(struct fl_zoom_join *join, const struct fl_zoom_minute *minute)
{
	size_t n = join->minute_count, at = n;

	/* They come in order: the place is nearly always the last one. */
	while (at && join->minutes[at - 1].minute > minute->minute)
		at--;
	if (at && join->minutes[at - 1].minute == minute->minute) {
		minute_merge(&join->minutes[at - 1], minute);
		return 0;
	}
	if (n == FL_ZOOM_MINUTES_MAX)
		return 0;
	/* Doubles whenever the length is a power of two. */
	if (!(n & (n - 1))) {
		struct fl_zoom_minute *grown =
			realloc(join->minutes, (n ? n * 2 : 1) * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		join->minutes = grown;
	}
	memmove(&join->minutes[at + 1], &join->minutes[at], (n - at) * sizeof(*join->minutes));
	join->minutes[at] = *minute;
	join->minute_count++;
	return 0;
}

static void figures(struct fl_pull *p, struct fl_zoom_figures *f)
{
	char key[24], text[48];

	*f = no_figures;
	if (!fl_pull_object(p))
		return;
	while (fl_pull_key(p, key, sizeof(key))) {
		fl_pull_text(p, text, sizeof(text));
		if (!*text)
			continue;
		if (!strcmp(key, "latency"))
			f->latency_ms = fl_zoom_value_ms(text);
		else if (!strcmp(key, "bitrate"))
			f->bitrate_kbps = fl_zoom_value_kbps(text);
		else if (!strcmp(key, "jitter"))
			f->jitter_ms = fl_zoom_value_ms(text);
		else if (!strcmp(key, "avg_loss"))
			f->loss_pct = fl_zoom_value_percent(text);
		else if (!strcmp(key, "max_loss"))
			f->max_loss_pct = fl_zoom_value_percent(text);
		else if (!strcmp(key, "frame_rate"))
			f->frame_rate = fl_zoom_value_fps(text);
		else if (!strcmp(key, "resolution"))
			fl_zoom_value_resolution(text, &f->width, &f->height);
	}
}

/* Which stream a key names: 0 to 5, plus @ret_web for the ones of web clients; -1: another key. */
static int stream_of(const char *key, bool *ret_web)
{
	int base;

	if (!strncmp(key, "audio_", 6)) {
		base = FL_ZOOM_AUDIO_IN;
		key += 6;
	} else if (!strncmp(key, "video_", 6)) {
		base = FL_ZOOM_VIDEO_IN;
		key += 6;
	} else if (!strncmp(key, "as_", 3)) {
		base = FL_ZOOM_SCREEN_IN;
		key += 3;
	} else {
		return -1;
	}
	*ret_web = !strncmp(key, "device_", 7);
	if (!strcmp(key, "input") || !strcmp(key, "device_from_rwg"))
		return base;
	if (!strcmp(key, "output") || !strcmp(key, "device_to_rwg"))
		return base + 1;
	return -1;
}

static void cpu(struct fl_pull *p, struct fl_zoom_minute *m)
{
	char key[32], text[32];

	if (!fl_pull_object(p))
		return;
	while (fl_pull_key(p, key, sizeof(key))) {
		fl_pull_text(p, text, sizeof(text));
		if (!strcmp(key, "system_max_cpu_usage"))
			m->cpu_system_pct = fl_zoom_value_percent(text);
		else if (!strcmp(key, "zoom_avg_cpu_usage"))
			m->cpu_zoom_pct = fl_zoom_value_percent(text);
	}
}

static void rssi(struct fl_pull *p, struct fl_zoom_minute *m)
{
	char key[32], text[32];
	double a = NAN, b = NAN;

	if (!fl_pull_object(p))
		return;
	while (fl_pull_key(p, key, sizeof(key))) {
		fl_pull_text(p, text, sizeof(text));
		if (!strcmp(key, "min_rssi"))
			a = fl_zoom_value_dbm(text);
		else if (!strcmp(key, "max_rssi"))
			b = fl_zoom_value_dbm(text);
		else if (!strcmp(key, "avg_rssi"))
			m->rssi_dbm = fl_zoom_value_dbm(text);
	}
	/* Which of them is the stronger differs (5.7). */
	m->rssi_min_dbm = a > b ? b : a;
	m->rssi_max_dbm = a > b ? a : b;
}

/* One element of user_qos; false if it says no minute. */
static bool minute(struct fl_pull *p, struct fl_zoom_minute *m)
{
	struct fl_zoom_figures web[FL_ZOOM_STREAMS];
	char key[32], text[40];
	double pressure = NAN;
	int64_t at_s = 0;

	*m = fl_zoom_minute_none(0);
	for (int i = 0; i < FL_ZOOM_STREAMS; i++)
		web[i] = no_figures;
	if (!fl_pull_object(p))
		return false;
	while (fl_pull_key(p, key, sizeof(key))) {
		bool is_web;
		int stream = stream_of(key, &is_web);

		if (stream >= 0) {
			figures(p, is_web ? &web[stream] : &m->streams[stream]);
		} else if (!strcmp(key, "date_time")) {
			fl_pull_text(p, text, sizeof(text));
			at_s = fl_zoom_when_s(text);
		} else if (!strcmp(key, "cpu_usage")) {
			cpu(p, m);
		} else if (!strcmp(key, "wifi_rssi")) {
			rssi(p, m);
		} else if (!strcmp(key, "cpu_pressure_level")) {
			fl_pull_text(p, text, sizeof(text));
			pressure = fl_zoom_value_pressure(text);
		} else {
			fl_pull_skip(p);
		}
	}
	for (int i = 0; i < FL_ZOOM_STREAMS; i++) {
		if (!has_figures(&m->streams[i]))
			m->streams[i] = web[i];
	}
	if (isnan(m->cpu_system_pct))
		m->cpu_system_pct = pressure;
	m->minute = at_s / 60;
	return at_s > 0;
}

/* A minute of which nothing is known would only take room. */
static bool has_any(const struct fl_zoom_minute *m)
{
	for (int i = 0; i < FL_ZOOM_STREAMS; i++) {
		if (has_figures(&m->streams[i]))
			return true;
	}
	return !isnan(m->cpu_system_pct) || !isnan(m->cpu_zoom_pct) || !isnan(m->rssi_dbm);
}

int fl_zoom_join_minutes(struct fl_zoom_join *join, struct fl_pull *p)
{
	struct fl_zoom_minute m;
	int err = 0;

	if (!fl_pull_array(p))
		return 0;
	while (fl_pull_item(p)) {
		if (minute(p, &m) && !err && has_any(&m))
			err = fl_zoom_join_add_minute(join, &m);
	}
	return err;
}

/* --- two records of one join --------------------------------------------------------------------
 */

static void text_merge(char *to, const char *from, size_t size)
{
	if (*from)
		memcpy(to, from, size);
}

static void codes_merge(struct fl_zoom_join *to, const struct fl_zoom_join *from)
{
	static const uint8_t no_mac[6];

	if (from->public_addr.family)
		to->public_addr = from->public_addr;
	if (from->internal_count) {
		memcpy(to->internal, from->internal, sizeof(to->internal));
		to->internal_count = from->internal_count;
	}
	if (memcmp(from->mac, no_mac, 6) != 0)
		memcpy(to->mac, from->mac, 6);
	if (from->devices && from->devices != FL_ZOOM_DEVICE_UNKNOWN)
		to->devices = from->devices;
	if (from->network)
		to->network = from->network;
	if (from->conn)
		to->conn = from->conn;
	if (from->video_conn)
		to->video_conn = from->video_conn;
	if (from->screen_conn)
		to->screen_conn = from->screen_conn;
	if (from->audio)
		to->audio = from->audio;
	if (from->video)
		to->video = from->video;
	if (from->screen)
		to->screen = from->screen;
	if (from->role)
		to->role = from->role;
	for (int i = 0; i < FL_ZOOM_MEDIA; i++)
		if (from->mos[i] > 0)
			to->mos[i] = from->mos[i];
}

int fl_zoom_join_merge(struct fl_zoom_join *join, struct fl_zoom_join *later)
{
	int err = 0;

	text_merge(join->user_id, later->user_id, sizeof(join->user_id));
	text_merge(join->user, later->user, sizeof(join->user));
	text_merge(join->user_name, later->user_name, sizeof(join->user_name));
	text_merge(join->email, later->email, sizeof(join->email));
	text_merge(join->pc_name, later->pc_name, sizeof(join->pc_name));
	text_merge(join->domain, later->domain, sizeof(join->domain));
	text_merge(join->location, later->location, sizeof(join->location));
	text_merge(join->data_center, later->data_center, sizeof(join->data_center));
	text_merge(join->version, later->version, sizeof(join->version));
	codes_merge(join, later);
	if (later->join_s)
		join->join_s = later->join_s;
	if (later->leave_s)
		join->leave_s = later->leave_s;
	if (later->leave) {
		join->leave = later->leave;
		join->disconnected = later->disconnected;
	}
	fl_zoom_join_finish(join);
	if (!join->minute_count) {
		free(join->minutes);
		join->minutes = later->minutes;
		join->minute_count = later->minute_count;
		later->minutes = NULL;
	}
	for (size_t i = 0; later->minutes && i < later->minute_count && !err; i++)
		err = fl_zoom_join_add_minute(join, &later->minutes[i]);
	fl_zoom_join_done(later);
	return err;
}
