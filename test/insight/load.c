// SPDX-License-Identifier: Apache-2.0
/* Reference data into structs: see load.h. Only as tolerant as that data needs. */
#include "test/insight/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DATA "test/insight/data/"

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

struct fl_json *load_json(const char *name)
{
	static char text[1 << 20];
	struct fl_json_error why;
	struct fl_json *json;
	char path[256];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), DATA "%s", name);
	f = fopen(path, "r");
	if (!f)
		fail(path, "cannot open it: run from the top of the tree");
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	if (fl_json_parse(text, len, &json, &why) < 0)
		fail(path, why.problem);
	return json;
}

double load_number(const struct fl_json *json)
{
	int64_t whole;
	double value;

	if (fl_json_get_i64(json, &whole) == 0)
		return (double)whole;
	return fl_json_get_double(json, &value) == 0 ? value : NAN;
}

int64_t load_time(const char *text)
{
	struct tm tm = { 0 };

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		fail(text ? text : "(null)", "no time");
	return timegm(&tm);
}

static const char *string(const struct fl_json *json, const char *key)
{
	const char *s = fl_json_get_string(fl_json_member(json, key));

	return s ? s : "";
}

/* "325 ms"; no digits: not measured. */
static double figure(const struct fl_json *json, const char *key)
{
	const char *s = string(json, key);
	char *end;
	double value = strtod(s, &end);

	return end == s ? NAN : value;
}

static struct fl_mac mac(const char *text)
{
	static const char hex[] = "0123456789abcdef";
	struct fl_mac mac = { 0 };
	unsigned int digits = 0;

	for (; *text && digits < 12; text++) {
		const char *digit = strchr(hex, *text);

		if (!digit)
			continue;
		mac.b[digits / 2] = (uint8_t)(mac.b[digits / 2] << 4 | (digit - hex));
		digits++;
	}
	return digits == 12 ? mac : (struct fl_mac){ 0 };
}

static struct fl_addr addr(const char *text)
{
	struct fl_addr addr = { 0 };

	(void)fl_addr_parse(text, &addr);
	return addr;
}

static struct fl_stream_minute stream(const struct fl_json *json)
{
	struct fl_stream_minute s = fl_stream_minute_none();
	unsigned int width, height;

	s.latency_ms = figure(json, "latency");
	s.jitter_ms = figure(json, "jitter");
	s.loss_pct = figure(json, "avg_loss");
	s.max_loss_pct = figure(json, "max_loss");
	s.bitrate_kbps = figure(json, "bitrate");
	s.frame_rate = figure(json, "frame_rate");
	if (sscanf(string(json, "resolution"), "%u*%u", &width, &height) == 2) {
		s.width = (uint16_t)width;
		s.height = (uint16_t)height;
	}
	return s;
}

static struct fl_call_minute call_minute(const struct fl_json *json)
{
	static const char *const names[] = { "audio_input",  "audio_output", "video_input",
					     "video_output", "as_input",     "as_output" };
	const struct fl_json *cpu = fl_json_member(json, "cpu_usage");
	struct fl_call_minute m = fl_call_minute_none(load_time(string(json, "date_time")) / 60);

	for (int i = 0; i < FL_STREAM_MAX; i++)
		m.streams[i] = stream(fl_json_member(json, names[i]));
	m.cpu_system_pct = figure(cpu, "system_max_cpu_usage");
	m.cpu_zoom_pct = figure(cpu, "zoom_avg_cpu_usage");
	m.rssi_dbm = load_number(fl_json_member(fl_json_member(json, "wifi_rssi"), "avg_rssi"));
	return m;
}

static void load_joins(struct load *l)
{
	struct fl_json *root = load_json("correlation/qos_full.json");
	const struct fl_json *list = fl_json_member(root, "participants");

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *p = fl_json_at(list, i), *qos = fl_json_member(p, "user_qos");
		const struct fl_json *internal = fl_json_member(p, "internal_ip_addresses");
		struct load_join *j = &l->joins[l->join_count++];
		const char *network = string(p, "network_type");

		snprintf(j->uuid, sizeof(j->uuid), "%s", string(p, "participant_uuid"));
		snprintf(j->name, sizeof(j->name), "%s", string(p, "user_name"));
		j->ends.public_addr = addr(string(p, "ip_address"));
		for (size_t n = 0; n < fl_json_count(internal); n++)
			j->ends.internal[j->ends.internal_count++] =
				addr(fl_json_get_string(fl_json_at(internal, n)));
		j->ends.mac = mac(string(p, "mac_addr"));
		snprintf(j->ends.pc_name, FL_HOSTNAME_LEN, "%s", string(p, "pc_name"));
		j->ends.join_s = load_time(string(p, "join_time"));
		j->ends.leave_s = load_time(string(p, "leave_time"));
		j->network_type = !strcmp(network, "Wifi")       ? FL_NETWORK_WIFI
				  : !strcmp(network, "Wired")    ? FL_NETWORK_WIRED
				  : !strcmp(network, "Cellular") ? FL_NETWORK_CELLULAR
								 : FL_NETWORK_UNKNOWN;
		j->conn_type =
			strstr(string(p, "connection_type"), "Proxy") ? FL_CONN_PROXY : FL_CONN_UDP;
		for (size_t n = 0; n < fl_json_count(qos); n++)
			j->minutes[j->minute_count++] = call_minute(fl_json_at(qos, n));
	}
	fl_json_free(root);
}

static void load_sessions(struct load *l)
{
	struct fl_json *root = load_json("correlation/router_sessions.json");

	for (size_t i = 0; i < fl_json_count(root); i++) {
		const struct fl_json *from = fl_json_at(root, i);
		struct fl_session_record *s = &l->sessions[l->session_count++];
		const char *app = string(from, "app"), *end = string(from, "end");

		s->uuid[0] = (uint8_t)(i + 1);
		s->site = strcmp(string(from, "site"), "hq") != 0;
		s->client = addr(string(from, "client_ip"));
		s->nat = addr(string(from, "nat_public_ip"));
		s->app = !strcmp(app, "zoom")  ? FL_SESSION_ZOOM
			 : !strcmp(app, "vpn") ? FL_SESSION_VPN
					       : FL_SESSION_OTHER;
		s->mac = mac(string(from, "client_mac"));
		snprintf(s->hostname, sizeof(s->hostname), "%s", string(from, "hostname"));
		s->start_s = load_time(string(from, "start"));
		s->end_s = *end ? load_time(end) : FL_SESSION_OPEN_END;
		s->bytes = (uint64_t)load_number(fl_json_member(from, "bytes"));
		s->steps[0] = (struct fl_path_step){ s->start_s,
						     s->site ? LOAD_BRANCH_PATH : LOAD_HQ_PATH };
		s->step_count = 1;
	}
	fl_json_free(root);
	fl_sessions_sort(l->sessions, l->session_count);
}

static void load_wan(struct load *l)
{
	struct fl_json *root = load_json("correlation/wan_path_minutes.json");

	for (size_t i = 0; i < fl_json_count(root); i++) {
		const struct fl_json *from = fl_json_at(root, i);
		struct fl_path_minute *m = &l->wan[l->wan_count++];

		*m = fl_path_minute_none(LOAD_HQ_PATH, load_time(string(from, "ts")) / 60);
		m->active = fl_json_get_bool(fl_json_member(from, "active"));
		m->rtt_ms = load_number(fl_json_member(from, "rtt_ms"));
		m->jitter_ms = load_number(fl_json_member(from, "jitter_ms"));
		m->loss_pct = load_number(fl_json_member(from, "loss_pct"));
		m->tx_mbps = load_number(fl_json_member(from, "tx_mbps"));
		m->rx_mbps = load_number(fl_json_member(from, "rx_mbps"));
		m->tx_capacity_mbps = load_number(fl_json_member(from, "tx_capacity_mbps"));
		m->rx_capacity_mbps = load_number(fl_json_member(from, "rx_capacity_mbps"));
		m->zoom_bytes = load_number(fl_json_member(from, "zoom_bytes"));
	}
	fl_json_free(root);
}

const struct load *load_correlation(void)
{
	static struct fl_prefix lans[2], pool;
	static struct fl_addr wans[2];
	static struct fl_site sites[2] = {
		{ "hq", &lans[0], 1, &wans[0], 1, &pool, 1 },
		{ "branch1", &lans[1], 1, &wans[1], 1, NULL, 0 },
	};
	static struct load load;

	if (load.join_count)
		return &load;
	if (fl_prefix_parse("10.20.0.0/16", &lans[0]) ||
	    fl_prefix_parse("10.31.0.0/16", &lans[1]) || fl_prefix_parse("172.28.0.0/16", &pool))
		fail("sites", "no prefix");
	wans[0] = addr("198.51.100.17");
	wans[1] = addr("192.0.2.44");
	load_joins(&load);
	load_sessions(&load);
	load_wan(&load);
	load.net = (struct fl_network){ sites, 2, load.sessions, load.session_count, NULL, 0 };
	return &load;
}
