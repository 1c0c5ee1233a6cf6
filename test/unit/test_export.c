// SPDX-License-Identifier: Apache-2.0
/* Records of the export as lines: what one end writes is what the other reads, and nothing else is.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/codec/export.h"

static struct fl_addr addr(const char *text)
{
	struct fl_addr a;

	cr_assert_eq(fl_addr_parse(text, &a), 0);
	return a;
}

static void there_and_back(const struct fl_export_record *in, struct fl_export_record *out)
{
	char line[FL_EXPORT_LINE_MAX];
	uint64_t seq;
	int len = fl_export_encode(in, 77, line, sizeof(line));

	cr_assert_gt(len, 0);
	cr_assert_eq(line[len - 1], '\n');
	cr_assert_null(memchr(line, '\n', (size_t)len - 1), "one line");
	cr_assert_eq(fl_export_decode(line, (size_t)len - 1, out, &seq), 0, "%s", line);
	cr_expect_eq(seq, 77);
	cr_expect_eq(out->type, in->type);
	cr_expect_eq(fl_export_encode(in, 77, line, (size_t)len), -ENOSPC, "no room for the NUL");
}

Test(export, path_minute)
{
	struct fl_export_record in = { .type = FL_EXPORT_PATH_MINUTE }, out;

	in.path_minute = (struct fl_export_path_minute){ .minute = 28670400,
							 .path = "r2/wan\"1\\",
							 .source = "bfd",
							 .active = true,
							 .rtt_ms = 12.345,
							 .jitter_ms = NAN,
							 .loss_pct = 0,
							 .tx_mbps = 1e5,
							 .rx_mbps = 0.000123,
							 .tx_capacity_mbps = NAN,
							 .rx_capacity_mbps = 100,
							 .zoom_bytes = 12345678901234.0,
							 .clients = 7 };
	there_and_back(&in, &out);
	cr_expect_eq(out.path_minute.minute, 28670400);
	cr_expect_str_eq(out.path_minute.path, "r2/wan\"1\\");
	cr_expect_str_eq(out.path_minute.source, "bfd");
	cr_expect(out.path_minute.active);
	cr_expect_eq(out.path_minute.rtt_ms, 12.345);
	cr_expect(isnan(out.path_minute.jitter_ms), "not measured is not zero");
	cr_expect_eq(out.path_minute.loss_pct, 0);
	cr_expect_eq(out.path_minute.tx_mbps, 1e5);
	cr_expect_eq(out.path_minute.rx_mbps, 0.000123);
	cr_expect(isnan(out.path_minute.tx_capacity_mbps));
	cr_expect_eq(out.path_minute.zoom_bytes, 12345678901234.0);
	cr_expect_eq(out.path_minute.clients, 7);
}

Test(export, session)
{
	struct fl_export_record in = { .type = FL_EXPORT_SESSION }, out;
	struct fl_export_session *s = &in.session;

	*s = (struct fl_export_session){ .uuid = { 1, 2, 0xfe },
					 .client = addr("10.1.0.2"),
					 .remote = addr("203.0.113.7"),
					 .nat = addr("198.51.100.1"),
					 .client_port = 40000,
					 .remote_port = 8801,
					 .nat_port = 1025,
					 .protocol = 17,
					 .app = "zoom",
					 .mac = { 2, 0, 0, 0, 0xab, 1 },
					 .start_s = 1700000000,
					 .until_s = 1700000600,
					 .ended = true,
					 .bytes = 1ULL << 40,
					 .step_count = FL_EXPORT_STEPS };
	for (unsigned int i = 0; i < FL_EXPORT_STEPS; i++) {
		s->steps[i].since_s = 1700000000 + i;
		memset(s->steps[i].path, 'p', FL_EXPORT_NAME_LEN - 1);
	}
	there_and_back(&in, &out);
	cr_expect_eq(memcmp(&in.session, &out.session, sizeof(in.session)), 0);

	/* Still there, no NAT, nothing known of the client. */
	*s = (struct fl_export_session){ .client = addr("2001:db8:1::2"),
					 .remote = addr("2001:db8:2::2"),
					 .protocol = 58 };
	there_and_back(&in, &out);
	cr_expect_eq(memcmp(&in.session, &out.session, sizeof(in.session)), 0);
}

Test(export, neighbour_and_event)
{
	struct fl_export_record in = { .type = FL_EXPORT_NEIGHBOUR }, out;

	in.neighbour =
		(struct fl_export_neighbour){ addr("10.1.0.2"), { 2, 3, 4, 5, 6, 7 }, 5, 9, "" };
	there_and_back(&in, &out);
	cr_expect_eq(memcmp(&in.neighbour, &out.neighbour, sizeof(in.neighbour)), 0);
	memset(in.neighbour.name, 'n', sizeof(in.neighbour.name) - 1);
	there_and_back(&in, &out);
	cr_expect_eq(memcmp(&in.neighbour, &out.neighbour, sizeof(in.neighbour)), 0);
	in = (struct fl_export_record){ .type = FL_EXPORT_EVENT };
	in.event = (struct fl_export_event){ 1700000000, "bad", "PATH_DOWN", "r2/wan1",
					     "no \"route\"" };
	there_and_back(&in, &out);
	cr_expect_eq(memcmp(&in.event, &out.event, sizeof(in.event)), 0);
}

Test(export, hello_and_acknowledgement)
{
	struct fl_export_hello in = { FL_EXPORT_VERSION, "Zürich", "r1", 3 }, out;
	char line[FL_EXPORT_LINE_MAX];
	uint64_t seq = 0;
	int len = fl_export_hello_encode(&in, line, sizeof(line));

	cr_assert_gt(len, 0);
	cr_assert_eq(fl_export_hello_decode(line, (size_t)len - 1, &out), 0);
	cr_expect_eq(memcmp(&in, &out, sizeof(in)), 0);
	len = fl_export_ack_encode(UINT64_MAX, line, sizeof(line));
	cr_assert_gt(len, 0);
	cr_assert_eq(fl_export_ack_decode(line, (size_t)len - 1, &seq), 0);
	cr_expect_eq(seq, UINT64_MAX);
	cr_expect_eq(fl_export_ack_decode("{}", 2, &seq), -EBADMSG);
	cr_expect_eq(fl_export_hello_decode("{\"error\":\"busy\"}", 16, &out), -EBADMSG);
}

struct bad_row {
	const char *what;
	const char *line;
	uint64_t seq;
};

#define SESSION                                                                                    \
	"\"type\":\"session\",\"id\":\"00000000000000000000000000000000\",\"client-port\":1,"      \
	"\"remote\":\"10.0.0.1\",\"remote-port\":1,\"start\":1,\"until\":2,\"paths\":[],"

static const struct bad_row bad_rows[] = {
	{ "no JSON", "x", 0 },
	{ "cut", "{\"seq\":5,\"type\":\"event\"", 0 },
	{ "no number", "{\"type\":\"event\"}", 0 },
	{ "number zero", "{\"seq\":0,\"type\":\"event\"}", 0 },
	{ "no type", "{\"seq\":5}", 5 },
	{ "a type of later", "{\"seq\":5,\"type\":\"weather\"}", 5 },
	{ "event without a time",
	  "{\"seq\":5,\"type\":\"event\",\"severity\":\"bad\",\"kind\":\"K\",\"subject\":\"s\","
	  "\"detail\":\"\"}",
	  5 },
	{ "severity too long",
	  "{\"seq\":5,\"type\":\"event\",\"at\":1,\"severity\":\"disaster\",\"kind\":\"K\","
	  "\"subject\":\"s\",\"detail\":\"\"}",
	  5 },
	{ "neighbour that ends before it begins",
	  "{\"seq\":5,\"type\":\"neighbour\",\"address\":\"10.0.0.1\",\"mac\":\"020000000001\","
	  "\"from\":9,\"to\":8}",
	  5 },
	{ "MAC with colons",
	  "{\"seq\":5,\"type\":\"neighbour\",\"address\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00:01\","
	  "\"from\":8,\"to\":8}",
	  5 },
	{ "client is no address",
	  "{\"seq\":5," SESSION "\"client\":\"10.0.0\",\"protocol\":17,\"bytes\":1}", 5 },
	{ "protocol out of range",
	  "{\"seq\":5," SESSION "\"client\":\"10.0.0.2\",\"protocol\":256,\"bytes\":1}", 5 },
	{ "more bytes than a store can hold",
	  "{\"seq\":5," SESSION
	  "\"client\":\"10.0.0.2\",\"protocol\":17,\"bytes\":9223372036854775808}",
	  5 },
	{ "bytes below zero",
	  "{\"seq\":5," SESSION "\"client\":\"10.0.0.2\",\"protocol\":17,\"bytes\":-1}", 5 },
	{ "path minute without a path",
	  "{\"seq\":5,\"type\":\"path-minute\",\"minute\":1,\"active\":true,\"source\":\"none\"}",
	  5 },
};

/* A line that is not understood says at least its number, if it has one: it can be passed over. */
Test(export, bad_lines)
{
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct fl_export_record record;
		uint64_t seq = 99;

		cr_expect_eq(fl_export_decode(row->line, strlen(row->line), &record, &seq),
			     -EBADMSG, "%s", row->what);
		cr_expect_eq(seq, row->seq, "%s", row->what);
	}
	/* The base of the session rows is good. */
	{
		const char *line = "{\"seq\":5," SESSION "\"client\":\"10.0.0.2\",\"protocol\":17,"
				   "\"bytes\":1,\"later\":{\"x\":1}}";
		struct fl_export_record record;
		uint64_t seq;

		cr_expect_eq(fl_export_decode(line, strlen(line), &record, &seq), 0);
	}
}

/* Figures that cannot be are as if they were not there. */
Test(export, impossible_figures)
{
	const char *line = "{\"seq\":5,\"type\":\"path-minute\",\"minute\":1,\"path\":\"p\","
			   "\"source\":\"none\",\"rtt-ms\":-1,\"jitter-ms\":null,"
			   "\"loss-percent\":\"2\",\"clients\":3}";
	struct fl_export_record record;
	uint64_t seq;

	cr_assert_eq(fl_export_decode(line, strlen(line), &record, &seq), 0);
	cr_expect(isnan(record.path_minute.rtt_ms));
	cr_expect(isnan(record.path_minute.jitter_ms));
	cr_expect(isnan(record.path_minute.loss_pct));
	cr_expect_eq(record.path_minute.clients, 3);
}
