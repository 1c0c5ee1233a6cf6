// SPDX-License-Identifier: Apache-2.0
/* Zoom's texts for figures and times: the vectors of zoom-api.md 13, and traps of its section 5. */
#include <math.h>
#include <string.h>

#include "agent/zoom/uuid.h"
#include "agent/zoom/value.h"
#include "agent/zoom/when.h"
#include "test/unit/zoom_file.h"

/* --- vectors/parse.json -------------------------------------------------------------------------
 */

static double (*const figures[])(const char *) = { fl_zoom_value_ms,      fl_zoom_value_percent,
						   fl_zoom_value_kbps,    fl_zoom_value_fps,
						   fl_zoom_value_percent, fl_zoom_value_dbm };
static const char *const figure_kinds[] = { "latency",    "loss", "bitrate",
					    "frame_rate", "cpu",  "rssi" };

static void check_figure(double got, const struct fl_json *value, const char *what)
{
	double want;

	if (fl_json_get_double(value, &want))
		cr_assert(isnan(got), "%s: %g, not null", what, got);
	else
		cr_assert_eq(got, want, "%s: %.17g, not %.17g", what, got, want);
}

static const char *quality_name(enum fl_zoom_quality q)
{
	static const char *const names[] = { NULL, "bad", "poor", "fair", "good" };

	return names[q];
}

static void check_text(const char *got, const struct fl_json *value, const char *what)
{
	const char *want = fl_json_get_string(value);

	if (!want || !got)
		cr_assert(!want && !got, "%s: %s, not %s", what, got ? got : "null",
			  want ? want : "null");
	else
		cr_assert_str_eq(got, want, "%s", what);
}

static void check_resolution(const char *text, const struct fl_json *value, const char *what)
{
	uint16_t width = 0, height = 0;
	bool got = fl_zoom_value_resolution(text, &width, &height);
	double want;

	cr_assert_eq(got, fl_json_count(value) == 2, "%s", what);
	if (!got)
		return;
	fl_json_get_double(fl_json_at(value, 0), &want);
	cr_assert_eq(width, want, "%s", what);
	fl_json_get_double(fl_json_at(value, 1), &want);
	cr_assert_eq(height, want, "%s", what);
}

static void check_mac(const char *text, const struct fl_json *value, const char *what)
{
	uint8_t m[6];
	char got[18];
	bool known = fl_zoom_value_mac(text, m);

	snprintf(got, sizeof(got), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	check_text(known ? got : NULL, value, what);
}

static void check_device(const char *text, const struct fl_json *value, const char *what)
{
	static const struct {
		const char *name;
		unsigned int device;
	} names[] = { { "unknown", FL_ZOOM_DEVICE_UNKNOWN }, { "windows", FL_ZOOM_DEVICE_WINDOWS },
		      { "phone", FL_ZOOM_DEVICE_PHONE },     { "web", FL_ZOOM_DEVICE_WEB },
		      { "ios", FL_ZOOM_DEVICE_IOS },         { "sip", FL_ZOOM_DEVICE_SIP } };
	unsigned int want = 0;

	for (size_t i = 0; i < fl_json_count(value); i++) {
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++) {
			if (!strcmp(fl_json_get_string(fl_json_at(value, i)), names[j].name))
				want |= names[j].device;
		}
	}
	cr_assert_eq(fl_zoom_value_device(text), want, "%s", what);
}

static void check_leave(const char *text, const struct fl_json *value, const char *what)
{
	static const char *const names[] = { "unknown", "left", "host_ended", "removed",
					     "network_error" };
	bool disconnected;
	enum fl_zoom_leave leave = fl_zoom_value_leave(text, &disconnected);

	check_text(disconnected ? "disconnected" : "left", fl_json_at(value, 0), what);
	check_text(names[leave], fl_json_at(value, 1), what);
}

static void check_timestamp(const char *text, const struct fl_json *value, const char *what)
{
	int64_t ms;

	check_figure(text && fl_zoom_when_parse(text, &ms) ? (double)ms / 1000 : NAN, value, what);
}

static void check_duration(const char *text, const struct fl_json *value, const char *what)
{
	int64_t s = fl_zoom_value_duration(text);

	check_figure(s < 0 ? NAN : (double)s, value, what);
}

static void check(const char *kind, const char *text, const struct fl_json *value)
{
	char what[256];

	snprintf(what, sizeof(what), "%s of \"%s\"", kind, text ? text : "(null)");
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		if (!strcmp(kind, figure_kinds[i])) {
			check_figure(figures[i](text), value, what);
			return;
		}
	}
	if (!strcmp(kind, "resolution"))
		check_resolution(text, value, what);
	else if (!strcmp(kind, "duration"))
		check_duration(text, value, what);
	else if (!strcmp(kind, "mac"))
		check_mac(text, value, what);
	else if (!strcmp(kind, "timestamp"))
		check_timestamp(text, value, what);
	else if (!strcmp(kind, "device"))
		check_device(text, value, what);
	else if (!strcmp(kind, "quality"))
		check_text(quality_name(fl_zoom_value_quality(text)), value, what);
	else if (!strcmp(kind, "leave_reason"))
		check_leave(text, value, what);
	else
		cr_assert_fail("no test for %s", kind);
}

Test(zoom_value, vectors)
{
	struct fl_json *rows = zoom_json("vectors/parse.json");

	cr_assert_eq(fl_json_count(rows), 88);
	for (size_t i = 0; i < fl_json_count(rows); i++) {
		const struct fl_json *row = fl_json_at(rows, i),
				     *input = fl_json_member(row, "input");
		char *number = NULL;
		const char *text = fl_json_get_string(input);

		/* A number reaches the functions as its text: so reads json_pull.h. */
		if (!text && fl_json_type(input) != FL_JSON_NULL)
			text = number = fl_json_print(input, FL_JSON_COMPACT);
		check(fl_json_get_string(fl_json_member(row, "kind")), text,
		      fl_json_member(row, "value"));
		free(number);
	}
	fl_json_free(rows);
}

/* --- beyond the vectors -------------------------------------------------------------------------
 */

Test(zoom_value, figures_that_are_none)
{
	static const char *const none[] = { "ms",
					    "--5 ms",
					    "5 ms ms",
					    "5 parsecs",
					    "1e5 ms",

					    "99999999999999999999 ms",
					    "0x10 ms",
					    "inf",
					    "nan",
					    "5 m" };

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		cr_assert(isnan(fl_zoom_value_ms(none[i])), "%s", none[i]);
	cr_assert_eq(fl_zoom_value_ms("+5 MS"), 5);
	cr_assert_eq(fl_zoom_value_ms("0.1 ms"), 0.1);
	cr_assert_eq(fl_zoom_value_ms("1.00000000000000000001ms"), 1);
	cr_assert_eq(fl_zoom_value_kbps("1,234,567.5 bps"), 1234.5675);
}

Test(zoom_value, enumerations_never_fail)
{
	bool disconnected;

	cr_assert_eq(fl_zoom_value_network("Token Ring"), FL_ZOOM_NETWORK_OTHER);
	cr_assert_eq(fl_zoom_value_network(""), FL_ZOOM_NETWORK_UNKNOWN);
	cr_assert_eq(fl_zoom_value_conn("Reliable UDP"), FL_ZOOM_CONN_UDP);
	cr_assert_eq(fl_zoom_value_conn("SSL+Proxy"), FL_ZOOM_CONN_PROXY);
	cr_assert_eq(fl_zoom_value_conn("SSL"), FL_ZOOM_CONN_TCP);
	cr_assert_eq(fl_zoom_value_conn("carrier pigeon"), FL_ZOOM_CONN_UNKNOWN);
	cr_assert_eq(fl_zoom_value_device("Darwin + Fridge"),
		     (unsigned int)(FL_ZOOM_DEVICE_MAC | FL_ZOOM_DEVICE_UNKNOWN));
	/* A name may say what it likes. */
	cr_assert_eq(
		fl_zoom_value_leave(
			"Host ended the meeting. left the meeting.<br>Reason: Removed by host.",
			&disconnected),
		FL_ZOOM_LEAVE_REMOVED);
	cr_assert_eq(fl_zoom_value_pressure("serious"), 80);
	cr_assert(isnan(fl_zoom_value_pressure("")));
}

Test(zoom_value, phone_numbers)
{
	cr_assert(fl_zoom_value_is_phone_number("15550100123"));
	cr_assert(fl_zoom_value_is_phone_number("+1 (555) 010-0123"));
	cr_assert(fl_zoom_value_is_phone_number("1555***0123"));
	cr_assert(!fl_zoom_value_is_phone_number("Agent 47"));
	cr_assert(!fl_zoom_value_is_phone_number(""));
}

/* Trap 11: Retry-After is ISO 8601, and its year is no number of seconds. */
Test(zoom_value, times_of_headers)
{
	cr_assert_eq(fl_zoom_when_header("2024-07-12T00:00:00Z", 5), 1720742400);
	cr_assert_eq(fl_zoom_when_header("2027-05-31T00:00:00Z", 5), 1811721600);
	cr_assert_eq(fl_zoom_when_header("2027-05-31", 5), 0);
	cr_assert_eq(fl_zoom_when_header("120", 1000), 1120);
	cr_assert_eq(fl_zoom_when_header(" 0", 1000), 1000);
	cr_assert_eq(fl_zoom_when_header("Sun, 06 Nov 1994 08:49:37 GMT", 5), 784111777);
	cr_assert_eq(fl_zoom_when_header("Sun, 06 Foo 1994 08:49:37 GMT", 5), 0);
	cr_assert_eq(fl_zoom_when_header("-5", 5), 0);
	cr_assert_eq(fl_zoom_when_header("", 5), 0);
	cr_assert_eq(fl_zoom_when_header(NULL, 5), 0);
}

Test(zoom_value, times_there_and_back)
{
	char text[FL_ZOOM_WHEN_LEN], zulu[FL_ZOOM_WHEN_LEN + 1];

	for (int64_t s = 0; s < 4102444800; s += 86400 * 9 + 12345) {
		fl_zoom_when_format(s, text);
		snprintf(zulu, sizeof(zulu), "%sZ", text);
		cr_assert_eq(fl_zoom_when_s(zulu), s, "%s", zulu);
	}
	fl_zoom_when_format(1709208000, text);
	cr_assert_str_eq(text, "2024-02-29 12:00:00");
	cr_assert_eq(fl_zoom_when_next_day(1720742399), 1720742400);
	cr_assert_eq(fl_zoom_when_next_day(1720742400), 1720742400 + 86400);
}

Test(zoom_value, uuid_vectors)
{
	struct fl_json *rows = zoom_json("vectors/uuid_encoding.json");
	char buf[128];

	cr_assert_eq(fl_json_count(rows), 5);
	for (size_t i = 0; i < fl_json_count(rows); i++) {
		const struct fl_json *row = fl_json_at(rows, i);

		cr_assert_geq(fl_zoom_uuid_escape(fl_json_get_string(fl_json_member(row, "id")),
						  buf, sizeof(buf)),
			      0);
		cr_assert_str_eq(buf, fl_json_get_string(fl_json_member(row, "encoded")));
	}
	cr_assert_lt(fl_zoom_uuid_escape("0123456789", buf, 10), 0);
	fl_json_free(rows);
}
