// SPDX-License-Identifier: Apache-2.0
/* Records of the export as lines of JSON: see export.h. */
#include "agent/codec/export.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/json.h"

static const char *const type_names[FL_EXPORT_TYPES] = {
	[FL_EXPORT_PATH_MINUTE] = "path-minute",
	[FL_EXPORT_SESSION] = "session",
	[FL_EXPORT_NEIGHBOUR] = "neighbour",
	[FL_EXPORT_EVENT] = "event",
};

/* --- building ---------------------------------------------------------------------------------
 */

static int finish(struct fl_json *o, char *buf, size_t size)
{
	char *text = o ? fl_json_print(o, FL_JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	int ret = -ENOMEM;

	if (text && len + 2 > size) {
		ret = -ENOSPC;
	} else if (text) {
		memcpy(buf, text, len);
		memcpy(buf + len, "\n", 2);
		ret = (int)len + 1;
	}
	free(text);
	fl_json_free(o);
	return ret;
}

static void put_figure(struct fl_json *o, const char *key, double value)
{
	/* Six digits behind the point at most: more is noise, and takes room. */
	if (!isnan(value))
		fl_json_add_double(o, key, round(value * 1e6) / 1e6);
}

static void put_addr(struct fl_json *o, const char *key, const struct fl_addr *addr)
{
	char text[FL_ADDR_TEXT];

	if (addr->family)
		fl_json_add_string(o, key, fl_addr_format(addr, text));
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	while (len--)
		if (*bytes++)
			return false;
	return true;
}

static void put_hex(struct fl_json *o, const char *key, const uint8_t *bytes, size_t len)
{
	char text[33] = "";

	for (size_t i = 0; i < len && i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	fl_json_add_string(o, key, text);
}

static void put_path_minute(struct fl_json *o, const struct fl_export_path_minute *m)
{
	fl_json_add_i64(o, "minute", m->minute);
	fl_json_add_string(o, "path", m->path);
	fl_json_add_bool(o, "active", m->active);
	fl_json_add_string(o, "source", m->source);
	put_figure(o, "rtt-ms", m->rtt_ms);
	put_figure(o, "jitter-ms", m->jitter_ms);
	put_figure(o, "loss-percent", m->loss_pct);
	put_figure(o, "tx-mbps", m->tx_mbps);
	put_figure(o, "rx-mbps", m->rx_mbps);
	put_figure(o, "tx-capacity-mbps", m->tx_capacity_mbps);
	put_figure(o, "rx-capacity-mbps", m->rx_capacity_mbps);
	put_figure(o, "zoom-bytes", m->zoom_bytes);
	put_figure(o, "clients", m->clients);
}

static void put_session(struct fl_json *o, const struct fl_export_session *s)
{
	struct fl_json *steps;

	put_hex(o, "id", s->uuid, sizeof(s->uuid));
	put_addr(o, "client", &s->client);
	fl_json_add_u64(o, "client-port", s->client_port);
	put_addr(o, "remote", &s->remote);
	fl_json_add_u64(o, "remote-port", s->remote_port);
	if (s->nat.family) {
		put_addr(o, "nat", &s->nat);
		fl_json_add_u64(o, "nat-port", s->nat_port);
	}
	fl_json_add_u64(o, "protocol", s->protocol);
	if (s->app[0])
		fl_json_add_string(o, "app", s->app);
	if (!is_zero(s->mac, sizeof(s->mac)))
		put_hex(o, "mac", s->mac, sizeof(s->mac));
	fl_json_add_i64(o, "start", s->start_s);
	fl_json_add_i64(o, "until", s->until_s);
	fl_json_add_bool(o, "ended", s->ended);
	fl_json_add_u64(o, "bytes", s->bytes);
	steps = fl_json_add_array(o, "paths");
	for (unsigned int i = 0; i < s->step_count && i < FL_EXPORT_STEPS; i++) {
		struct fl_json *step = fl_json_add_object(steps, NULL);

		fl_json_add_i64(step, "since", s->steps[i].since_s);
		fl_json_add_string(step, "path", s->steps[i].path);
	}
}

static void put_neighbour(struct fl_json *o, const struct fl_export_neighbour *n)
{
	put_addr(o, "address", &n->addr);
	put_hex(o, "mac", n->mac, sizeof(n->mac));
	fl_json_add_i64(o, "from", n->from_s);
	fl_json_add_i64(o, "to", n->to_s);
	if (n->name[0])
		fl_json_add_string(o, "name", n->name);
}

static void put_event(struct fl_json *o, const struct fl_export_event *e)
{
	fl_json_add_i64(o, "at", e->at_s);
	fl_json_add_string(o, "severity", e->severity);
	fl_json_add_string(o, "kind", e->kind);
	fl_json_add_string(o, "subject", e->subject);
	fl_json_add_string(o, "detail", e->detail);
}

int fl_export_encode(const struct fl_export_record *record, uint64_t seq, char *buf, size_t size)
{
	struct fl_json *o = fl_json_new_object();

	fl_json_add_u64(o, "seq", seq);
	fl_json_add_string(o, "type", type_names[record->type]);
	switch (record->type) {
	case FL_EXPORT_PATH_MINUTE:
		put_path_minute(o, &record->path_minute);
		break;
	case FL_EXPORT_SESSION:
		put_session(o, &record->session);
		break;
	case FL_EXPORT_NEIGHBOUR:
		put_neighbour(o, &record->neighbour);
		break;
	case FL_EXPORT_EVENT:
		put_event(o, &record->event);
		break;
	case FL_EXPORT_TYPES:
		break;
	}
	return finish(o, buf, size);
}

int fl_export_hello_encode(const struct fl_export_hello *hello, char *buf, size_t size)
{
	struct fl_json *o = fl_json_new_object();

	fl_json_add_u64(o, "fairlead-export", hello->version);
	fl_json_add_string(o, "site", hello->site);
	fl_json_add_string(o, "router", hello->router);
	fl_json_add_u64(o, "dropped", hello->dropped);
	return finish(o, buf, size);
}

int fl_export_ack_encode(uint64_t seq, char *buf, size_t size)
{
	struct fl_json *o = fl_json_new_object();

	fl_json_add_u64(o, "ack", seq);
	return finish(o, buf, size);
}

/* --- reading: each returns false if a value that must be there is not, or is out of range ------
 */

static bool get_text(const struct fl_json *o, const char *key, char *buf, size_t size)
{
	const char *text = fl_json_get_string(fl_json_member(o, key));

	if (!text || strlen(text) >= size)
		return false;
	memcpy(buf, text, strlen(text) + 1);
	return true;
}

static bool get_i64(const struct fl_json *o, const char *key, int64_t *ret)
{
	return !fl_json_get_i64(fl_json_member(o, key), ret) && *ret >= 0;
}

static double get_figure(const struct fl_json *o, const char *key)
{
	double value;

	if (fl_json_get_double(fl_json_member(o, key), &value) || !isfinite(value) || value < 0)
		return NAN;
	return value;
}

static bool get_u16(const struct fl_json *o, const char *key, uint16_t *ret)
{
	uint64_t value;

	if (fl_json_get_u64(fl_json_member(o, key), &value) || value > UINT16_MAX)
		return false;
	*ret = (uint16_t)value;
	return true;
}

static bool get_addr(const struct fl_json *o, const char *key, struct fl_addr *ret)
{
	const char *text = fl_json_get_string(fl_json_member(o, key));

	return text && !fl_addr_parse(text, ret);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool get_hex(const struct fl_json *o, const char *key, uint8_t *bytes, size_t len)
{
	const char *text = fl_json_get_string(fl_json_member(o, key));

	if (!text || strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool get_path_minute(const struct fl_json *o, struct fl_export_path_minute *m)
{
	m->active = fl_json_get_bool(fl_json_member(o, "active"));
	m->rtt_ms = get_figure(o, "rtt-ms");
	m->jitter_ms = get_figure(o, "jitter-ms");
	m->loss_pct = get_figure(o, "loss-percent");
	m->tx_mbps = get_figure(o, "tx-mbps");
	m->rx_mbps = get_figure(o, "rx-mbps");
	m->tx_capacity_mbps = get_figure(o, "tx-capacity-mbps");
	m->rx_capacity_mbps = get_figure(o, "rx-capacity-mbps");
	m->zoom_bytes = get_figure(o, "zoom-bytes");
	m->clients = get_figure(o, "clients");
	return get_i64(o, "minute", &m->minute) && get_text(o, "path", m->path, sizeof(m->path)) &&
	       get_text(o, "source", m->source, sizeof(m->source));
}

static bool get_steps(const struct fl_json *list, struct fl_export_session *s)
{
	if (fl_json_count(list) > FL_EXPORT_STEPS)
		return false;
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *step = fl_json_at(list, i);
		struct fl_export_step *to = &s->steps[s->step_count++];

		if (!get_i64(step, "since", &to->since_s) ||
		    !get_text(step, "path", to->path, sizeof(to->path)))
			return false;
	}
	return true;
}

static bool get_session(const struct fl_json *o, struct fl_export_session *s)
{
	uint64_t protocol;

	if (fl_json_member(o, "nat") &&
	    (!get_addr(o, "nat", &s->nat) || !get_u16(o, "nat-port", &s->nat_port)))
		return false;
	if (fl_json_member(o, "app") && !get_text(o, "app", s->app, sizeof(s->app)))
		return false;
	if (fl_json_member(o, "mac") && !get_hex(o, "mac", s->mac, sizeof(s->mac)))
		return false;
	if (fl_json_get_u64(fl_json_member(o, "protocol"), &protocol) || protocol > UINT8_MAX ||
	    fl_json_get_u64(fl_json_member(o, "bytes"), &s->bytes) || s->bytes > INT64_MAX)
		return false;
	s->protocol = (uint8_t)protocol;
	s->ended = fl_json_get_bool(fl_json_member(o, "ended"));
	return get_hex(o, "id", s->uuid, sizeof(s->uuid)) && get_addr(o, "client", &s->client) &&
	       get_u16(o, "client-port", &s->client_port) && get_addr(o, "remote", &s->remote) &&
	       get_u16(o, "remote-port", &s->remote_port) && get_i64(o, "start", &s->start_s) &&
	       get_i64(o, "until", &s->until_s) && get_steps(fl_json_member(o, "paths"), s);
}

static bool get_neighbour(const struct fl_json *o, struct fl_export_neighbour *n)
{
	if (fl_json_member(o, "name") && !get_text(o, "name", n->name, sizeof(n->name)))
		return false;
	return get_addr(o, "address", &n->addr) && get_hex(o, "mac", n->mac, sizeof(n->mac)) &&
	       get_i64(o, "from", &n->from_s) && get_i64(o, "to", &n->to_s) && n->from_s <= n->to_s;
}

static bool get_event(const struct fl_json *o, struct fl_export_event *e)
{
	return get_i64(o, "at", &e->at_s) &&
	       get_text(o, "severity", e->severity, sizeof(e->severity)) &&
	       get_text(o, "kind", e->kind, sizeof(e->kind)) &&
	       get_text(o, "subject", e->subject, sizeof(e->subject)) &&
	       get_text(o, "detail", e->detail, sizeof(e->detail));
}

static bool get_record(const struct fl_json *o, struct fl_export_record *record)
{
	const char *type = fl_json_get_string(fl_json_member(o, "type"));

	memset(record, 0, sizeof(*record));
	while (record->type < FL_EXPORT_TYPES && (!type || strcmp(type, type_names[record->type])))
		record->type++;
	switch (record->type) {
	case FL_EXPORT_PATH_MINUTE:
		return get_path_minute(o, &record->path_minute);
	case FL_EXPORT_SESSION:
		return get_session(o, &record->session);
	case FL_EXPORT_NEIGHBOUR:
		return get_neighbour(o, &record->neighbour);
	case FL_EXPORT_EVENT:
		return get_event(o, &record->event);
	case FL_EXPORT_TYPES:
		break;
	}
	return false;
}

int fl_export_decode(const char *line, size_t len, struct fl_export_record *ret_record,
		     uint64_t *ret_seq)
{
	struct fl_json_error why;
	struct fl_json *o = NULL;
	int err;

	*ret_seq = 0;
	err = fl_json_parse(line, len, &o, &why);
	if (err)
		return err;
	fl_json_get_u64(fl_json_member(o, "seq"), ret_seq);
	if (!*ret_seq || !get_record(o, ret_record))
		err = -EBADMSG;
	fl_json_free(o);
	return err;
}

int fl_export_hello_decode(const char *line, size_t len, struct fl_export_hello *ret_hello)
{
	struct fl_export_hello hello = { 0 };
	struct fl_json_error why;
	struct fl_json *o = NULL;
	int err = fl_json_parse(line, len, &o, &why);

	if (err)
		return err;
	if (fl_json_get_u64(fl_json_member(o, "fairlead-export"), &hello.version) ||
	    !get_text(o, "site", hello.site, sizeof(hello.site)) ||
	    !get_text(o, "router", hello.router, sizeof(hello.router)) ||
	    fl_json_get_u64(fl_json_member(o, "dropped"), &hello.dropped))
		err = -EBADMSG;
	else
		*ret_hello = hello;
	fl_json_free(o);
	return err;
}

int fl_export_ack_decode(const char *line, size_t len, uint64_t *ret_seq)
{
	struct fl_json_error why;
	struct fl_json *o = NULL;
	int err = fl_json_parse(line, len, &o, &why);

	if (!err && fl_json_get_u64(fl_json_member(o, "ack"), ret_seq))
		err = -EBADMSG;
	fl_json_free(o);
	return err;
}
