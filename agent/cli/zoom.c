// SPDX-License-Identifier: Apache-2.0
/* zoom ..., ask: lists of fairlead-insightd, and what is done there. */
#include "agent/cli/zoom.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- words --------------------------------------------------------------------------------------
 */

bool fl_zoom_parse_when(const char *text, int64_t *ret_s)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
					     "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	char *end;

	if (*text && !text[strspn(text, "0123456789")] && strlen(text) < 15) {
		*ret_s = strtoll(text, NULL, 10);
		return true;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { .tm_isdst = -1 };

		end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		*ret_s = mktime(&tm);
		return *ret_s != -1;
	}
	return false;
}

/* "90m", "24h", "7d", "2w" */
static bool parse_length(const char *text, int64_t *ret_s)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;
	long n = strtol(text, &end, 10);

	for (size_t i = 0; n > 0 && n < 100000 && i < sizeof(units) / sizeof(*units); i++) {
		if (end[0] == units[i].unit && !end[1]) {
			*ret_s = n * units[i].s;
			return true;
		}
	}
	return false;
}

static int bad_time(const char *text)
{
	fprintf(stderr,
		"fairlead: \"%s\" is no time: \"last 7d\" (m, h, d, w), or \"from 2026-11-30T10:00 "
		"to 2026-11-30T11:00\"\n",
		text);
	return -1;
}

/* The time that the words from argv[0] on name. Return: words taken, -1: they are wrong. */
static int take_time(struct fl_json *request, int argc, char **argv)
{
	int64_t s;

	if (argc < 2)
		return bad_time(argv[0]);
	if (!strcmp(argv[0], "last")) {
		if (!parse_length(argv[1], &s))
			return bad_time(argv[1]);
		fl_json_add_i64(request, "from", time(NULL) - s);
		fl_json_add_i64(request, "to", time(NULL));
		return 2;
	}
	if (!fl_zoom_parse_when(argv[1], &s))
		return bad_time(argv[1]);
	fl_json_add_i64(request, argv[0], s);
	return 2;
}

static bool add_page(struct fl_json *request, const char *text)
{
	char *end;
	unsigned long page = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || page > 100000000) {
		fprintf(stderr, "fairlead: \"%s\" is no page: they are numbered from 1\n", text);
		return false;
	}
	fl_json_add_u64(request, "offset", (page - 1) * FL_ZOOM_PAGE);
	return true;
}

static int take_word(struct fl_json *request, unsigned int words, int argc, char **argv)
{
	static const struct {
		const char *word;
		unsigned int bit;
	} valued[] = { { "org", FL_ZOOM_WORD_ORG },
		       { "site", FL_ZOOM_WORD_SITE },
		       { "client", FL_ZOOM_WORD_CLIENT },
		       { "search", FL_ZOOM_WORD_SEARCH },
		       { "stream", FL_ZOOM_WORD_STREAM } };
	static const struct {
		const char *word;
		unsigned int bit;
	} plain[] = { { "bad", FL_ZOOM_WORD_BAD }, { "data", FL_ZOOM_WORD_DATA } };

	if (words & FL_ZOOM_WORD_TIME &&
	    (!strcmp(argv[0], "last") || !strcmp(argv[0], "from") || !strcmp(argv[0], "to")))
		return take_time(request, argc, argv);
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (!(words & plain[i].bit) || strcmp(argv[0], plain[i].word) != 0)
			continue;
		fl_json_add_bool(request, plain[i].word, true);
		return 1;
	}
	if (argc < 2)
		return 0;
	for (size_t i = 0; i < sizeof(valued) / sizeof(*valued); i++) {
		if (!(words & valued[i].bit) || strcmp(argv[0], valued[i].word) != 0)
			continue;
		fl_json_add_string(request, valued[i].word, argv[1]);
		return 2;
	}
	if (words & FL_ZOOM_WORD_PAGE && !strcmp(argv[0], "page"))
		return add_page(request, argv[1]) ? 2 : -1;
	return 0;
}

struct fl_json *fl_zoom_request(const char *command, const char *name, unsigned int words, int argc,
				char **argv)
{
	struct fl_json *request = fl_cli_request(command);
	int taken = 0;

	if (name && argc) {
		fl_json_add_string(request, name, argv[0]);
		argc--;
		argv++;
	} else if (name) {
		fl_json_free(request);
		fl_cli_usage(command);
		return NULL;
	}
	for (; argc > 0; argc -= taken, argv += taken) {
		taken = take_word(request, words, argc, argv);
		if (taken > 0)
			continue;
		if (!taken)
			fl_cli_usage(command);
		fl_json_free(request);
		return NULL;
	}
	return request;
}

const char *fl_zoom_when(const struct fl_json *object, const char *key)
{
	static char bufs[8][24];
	static unsigned int next;
	char *buf = bufs[next++ % 8];
	int64_t s = 0;
	time_t t;
	struct tm tm;

	if (fl_json_get_i64(fl_json_member(object, key), &s) || !s)
		return "-";
	t = s;
	localtime_r(&t, &tm);
	strftime(buf, sizeof(bufs[0]), "%Y-%m-%d %H:%M", &tm);
	return buf;
}

int fl_zoom_show(const struct fl_cli *cli, struct fl_json *request,
		 void (*print)(const struct fl_json *data))
{
	const struct fl_json *data;
	struct fl_json *reply;
	int code;

	if (!request)
		return FL_CTL_USAGE;
	code = fl_cli_ask(cli, request, &reply, &data);
	if (data)
		print(data);
	fl_json_free(reply);
	return code;
}

/* --- accounts -----------------------------------------------------------------------------------
 */

/* Milliseconds, as the product has it. */
static const char *last_sync(const struct fl_json *account, char text[24])
{
	int64_t ms = 0;
	struct tm tm;
	time_t t;

	fl_json_get_i64(fl_json_member(account, "last_sync"), &ms);
	t = ms / 1000;
	if (!ms)
		return "never";
	localtime_r(&t, &tm);
	strftime(text, 24, "%Y-%m-%d %H:%M", &tm);
	return text;
}

static void print_none_linked(const struct fl_json *data)
{
	if (fl_json_get_bool(fl_json_member(data, "enabled")))
		printf("%s has linked no Zoom account: `fairlead zoom link consent PERSON`\n",
		       fl_cli_text(data, "organisation"));
	else
		printf("Zoom insights are off: set \"enabled\": true in insight.json\n");
}

static void print_accounts(const struct fl_json *data)
{
	static const char *const titles[] = { "Account", "Company",   "?Linked by",
					      "Status",  "Last sync", ">Today",
					      "?>Open",  "Reason",    NULL };
	const struct fl_json *list = fl_json_member(data, "accounts");
	struct fl_table *table = fl_table_new(titles);
	char text[24];

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *a = fl_json_at(list, i);

		fl_table_member(table, a, "account_id");
		fl_table_member(table, a, "company");
		fl_table_member(table, a, "linked_by");
		fl_table_member(table, a, "last_status");
		fl_table_text(table, last_sync(a, text));
		fl_table_printf(table, "%" PRIu64 "/%" PRIu64,
				fl_cli_number(a, "api_requests_today"),
				fl_cli_number(a, "max_daily_api_requests"));
		fl_table_member(table, a, "open_meetings");
		fl_table_member(table, a, "error");
	}
	if (fl_json_count(list))
		fl_table_print(table);
	else
		print_none_linked(data);
	fl_table_free(table);
}

int fl_cmd_zoom_accounts(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom accounts", NULL, FL_ZOOM_WORD_ORG, argc, argv),
			    print_accounts);
}

static void print_list(const struct fl_json *account, const char *key, const char *label)
{
	const struct fl_json *list = fl_json_member(account, key);
	char text[512];

	for (size_t i = 0; i < fl_json_count(list); i++) {
		snprintf(text, sizeof(text), "%s", fl_json_get_string(fl_json_at(list, i)));
		printf("  %-14s %s\n", i ? "" : label, fl_text_clean(text));
	}
}

static void print_account(const struct fl_json *a)
{
	double linked = 0;
	struct tm tm;
	char text[24];
	time_t t;

	fl_json_get_double(fl_json_member(a, "linked_timestamp"), &linked);
	t = (time_t)linked;
	localtime_r(&t, &tm);
	printf("account %s\n", fl_cli_text(a, "account_id"));
	printf("  %-14s %s\n  %-14s %s\n", "application", fl_cli_text(a, "application"), "company",
	       fl_cli_text(a, "company"));
	printf("  %-14s %s\n  %-14s %s\n", "last sync", last_sync(a, text), "last status",
	       fl_cli_text(a, "last_status"));
	print_list(a, "errors", "reason");
	print_list(a, "hints", "hint");
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	printf("  %-14s %s, %s\n", "linked by", fl_cli_text(a, "linked_by"), text);
	printf("  %-14s %s, %s\n", "opted in by", fl_cli_text(a, "consent_by"),
	       fl_zoom_when(a, "consent_timestamp"));
	printf("  %-14s %" PRIu64 " today, at most %" PRIu64 "\n", "requests",
	       fl_cli_number(a, "api_requests_today"), fl_cli_number(a, "max_daily_api_requests"));
	printf("  %-14s %s\n", "guests",
	       fl_json_get_bool(fl_json_member(a, "discard_guest_info"))
		       ? "names, e-mail, addresses are not kept"
		       : "kept as others");
	printf("  %-14s %" PRIu64 " meetings, %" PRIu64 " participants with %" PRIu64
	       " minutes kept, %" PRIu64 " from elsewhere dropped; %" PRIu64 " meetings open\n",
	       "since start", fl_cli_number(a, "meetings"), fl_cli_number(a, "participants"),
	       fl_cli_number(a, "participant_minutes"), fl_cli_number(a, "dropped_participants"),
	       fl_cli_number(a, "open_meetings"));
	if (!fl_json_get_bool(fl_json_member(a, "polls")))
		printf("  %-14s not now: it has failed, another credential of this account polls, or the service "
		       "has just started\n",
		       "polling");
}

int fl_cmd_zoom_account(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request =
		fl_zoom_request("zoom accounts", "account", FL_ZOOM_WORD_ORG, argc, argv);
	const struct fl_json *data, *list;
	struct fl_json *reply;
	int code;

	if (!request)
		return fl_cli_usage("zoom account");
	code = fl_cli_ask(cli, request, &reply, &data);
	list = fl_json_member(data, "accounts");
	for (size_t i = 0; i < fl_json_count(list); i++) {
		if (!strcmp(fl_cli_text(fl_json_at(list, i), "account_id"), argv[0]))
			print_account(fl_json_at(list, i));
	}
	fl_json_free(reply);
	return code;
}

static void print_unlinked(const struct fl_json *data)
{
	printf("unlinked %s; its tokens are deleted here and given back to Zoom\n",
	       fl_cli_text(data, "unlinked"));
}

int fl_cmd_zoom_unlink(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom unlink", "account",
					    FL_ZOOM_WORD_ORG | FL_ZOOM_WORD_DATA, argc, argv),
			    print_unlinked);
}

static void print_sync(const struct fl_json *data)
{
	printf("asking Zoom for %" PRIu64
	       " account%s; `fairlead zoom accounts` shows how it goes\n",
	       fl_cli_number(data, "accounts"), fl_cli_number(data, "accounts") == 1 ? "" : "s");
}

int fl_cmd_zoom_sync(const struct fl_cli *cli, int argc, char **argv)
{
	/* An account's number is no word of ours. */
	bool named = argc && strcmp(argv[0], "org") != 0;

	return fl_zoom_show(cli,
			    fl_zoom_request("zoom sync", named ? "account" : NULL, FL_ZOOM_WORD_ORG,
					    argc, argv),
			    print_sync);
}

/* --- calls, clients, events ---------------------------------------------------------------------
 */

/* With Zoom's own score behind it, where Zoom tells it. */
static void grade_cell(struct fl_table *table, const struct fl_json *call, const char *key)
{
	const struct fl_json *quality = fl_json_member(call, key);
	const char *label = fl_cli_text(quality, "label");
	double mos;

	if (!fl_json_get_double(fl_json_member(quality, "mos"), &mos))
		fl_table_printf(table, "%s %.1f", label, mos);
	else
		fl_table_text(table, strcmp(label, "not_applicable") ? label : "n/a");
}

void fl_zoom_print_calls(const struct fl_json *data)
{
	static const char *const titles[] = { "Joined",  ">Length", "Host",     "?User",
					      "Meeting", "Audio",   "Video",    "?Screen",
					      "Rating",  "?>MB",    ">Bad min", NULL };
	const struct fl_json *list = fl_json_member(data, "results");
	struct fl_table *table = fl_table_new(titles);
	uint64_t first = fl_cli_number(data, "offset"), total = fl_cli_number(data, "total");

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *c = fl_json_at(list, i);
		uint64_t rating = fl_cli_number(c, "rating");

		fl_table_text(table, fl_zoom_when(c, "join_time"));
		if (fl_cli_has(c, "duration"))
			fl_table_printf(table, "%" PRIu64 " min",
					(fl_cli_number(c, "duration") + 30) / 60);
		else
			fl_table_text(table, "still in");
		fl_table_member(table, c, "hostname");
		fl_table_member(table, c, "user");
		fl_table_member(table, c, "meeting_id");
		grade_cell(table, c, "audio_quality");
		grade_cell(table, c, "video_quality");
		grade_cell(table, c, "screen_share_quality");
		fl_table_text(table, !rating ? NULL : rating <= 2 ? "poor" : "good");
		if (fl_cli_has(c, "usage_bytes"))
			fl_table_printf(table, "%.1f",
					(double)fl_cli_number(c, "usage_bytes") / 1e6);
		else
			fl_table_text(table, NULL);
		fl_table_printf(table, "%" PRIu64 "/%" PRIu64, fl_cli_number(c, "bad_minutes"),
				fl_cli_number(c, "minutes"));
	}
	if (fl_json_count(list)) {
		fl_table_print(table);
		printf("%" PRIu64 "-%" PRIu64 " of %" PRIu64 "\n", first + 1,
		       first + fl_json_count(list), total);
	} else {
		printf("no calls in that time; `fairlead zoom checklist` shows what may be "
		       "missing\n");
	}
	fl_table_free(table);
}

int fl_cmd_zoom_calls(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request =
		fl_zoom_request("zoom calls", NULL,
				FL_ZOOM_WORD_BAD | FL_ZOOM_WORD_SITE | FL_ZOOM_WORD_CLIENT |
					FL_ZOOM_WORD_SEARCH | FL_ZOOM_WORD_PAGE | FL_ZOOM_WORD_TIME,
				argc, argv);

	if (request)
		fl_json_add_u64(request, "limit", FL_ZOOM_PAGE);
	return fl_zoom_show(cli, request, fl_zoom_print_calls);
}

static void print_clients(const struct fl_json *data)
{
	static const char *const titles[] = { "MAC",     "Host",   "IP",        "User", "Site",
					      ">Rating", ">Calls", "Last call", NULL };
	const struct fl_json *list = fl_json_member(data, "results");
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *c = fl_json_at(list, i);

		fl_table_member(table, c, "mac");
		fl_table_member(table, c, "hostname");
		fl_table_member(table, c, "ip");
		fl_table_member(table, c, "user");
		fl_table_member(table, c, "site_name");
		if (fl_cli_has(c, "min_rating"))
			fl_table_member(table, c, "min_rating");
		else
			fl_table_text(table, "--");
		fl_table_member(table, c, "calls");
		fl_table_text(table, fl_zoom_when(c, "last_join"));
	}
	fl_table_print(table);
	fl_table_free(table);
	printf("%" PRIu64 " clients\n", fl_cli_number(data, "total"));
}

int fl_cmd_zoom_clients(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom clients", NULL,
					    FL_ZOOM_WORD_SITE | FL_ZOOM_WORD_TIME, argc, argv),
			    print_clients);
}

void fl_zoom_print_events(const struct fl_json *data)
{
	static const char *const titles[] = { "Time", "", "Event", "Subject", "Description", NULL };
	const struct fl_json *list = fl_json_member(data, "events"),
			     *totals = fl_json_member(data, "totals");
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *e = fl_json_at(list, i);
		bool call = !strcmp(fl_cli_text(e, "source"), "call");

		fl_table_text(table, fl_zoom_when(e, "timestamp"));
		fl_table_member(table, e, "severity");
		fl_table_member(table, e, "display");
		fl_table_member(table, e, call ? "hostname" : "subject");
		fl_table_member(table, e, "description");
	}
	if (fl_json_count(list))
		fl_table_print(table);
	fl_table_free(table);
	printf("%" PRIu64 " good, %" PRIu64 " neutral, %" PRIu64 " bad events\n",
	       fl_cli_number(totals, "good"), fl_cli_number(totals, "neutral"),
	       fl_cli_number(totals, "bad"));
}

int fl_cmd_zoom_events(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(
		cli,
		fl_zoom_request("zoom events", NULL,
				FL_ZOOM_WORD_SITE | FL_ZOOM_WORD_CLIENT | FL_ZOOM_WORD_TIME, argc,
				argv),
		fl_zoom_print_events);
}

/* --- the service --------------------------------------------------------------------------------
 */

static void print_sites(const struct fl_json *data)
{
	static const char *const titles[] = { "Site", "Time zone", "Managed", NULL };
	const struct fl_json *list = fl_json_member(data, "sites");
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++) {
		fl_table_member(table, fl_json_at(list, i), "name");
		fl_table_member(table, fl_json_at(list, i), "time_zone");
		fl_table_member(table, fl_json_at(list, i), "managed");
	}
	fl_table_print(table);
	fl_table_free(table);
}

int fl_cmd_zoom_sites(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli, fl_zoom_request("zoom sites", NULL, 0, argc, argv), print_sites);
}

static void print_checklist(const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, "items");

	printf("%s\n", fl_json_get_bool(fl_json_member(data, "has_data"))
			       ? "There is data. What it depends on:"
			       : "There is no data yet. What it depends on:");
	for (size_t i = 0; i < fl_json_count(list); i++)
		printf("  %-8s %s\n", fl_cli_text(fl_json_at(list, i), "state"),
		       fl_cli_text(fl_json_at(list, i), "text"));
}

int fl_cmd_zoom_checklist(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom checklist", NULL, FL_ZOOM_WORD_ORG, argc, argv),
			    print_checklist);
}

static void print_status(const struct fl_json *data)
{
	const struct fl_json *store = fl_json_member(data, "store");
	char bytes[32];

	printf("  %-14s %s\n", "version", fl_cli_text(data, "version"));
	printf("  %-14s %s\n", "Zoom insights",
	       fl_json_get_bool(fl_json_member(data, "enabled")) ? "on" : "off");
	printf("  %-14s %s\n", "organisation", fl_cli_text(data, "organisation"));
	printf("  %-14s %" PRIu64 "\n", "sites", fl_cli_number(data, "sites"));
	printf("  %-14s %" PRIu64 " meetings, %" PRIu64 " calls, %" PRIu64 " minutes, %s%s\n",
	       "store", fl_cli_number(store, "meetings"), fl_cli_number(store, "calls"),
	       fl_cli_number(store, "participant_minutes"),
	       fl_bytes_text(fl_cli_number(store, "file_bytes"), bytes),
	       fl_json_get_bool(fl_json_member(data, "store-was-damaged"))
		       ? "; it was damaged, and put aside"
		       : "");
}

int fl_cmd_zoom_status(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli, fl_zoom_request("zoom status", NULL, 0, argc, argv), print_status);
}

/* Lines, as they come but for control characters. */
static void print_answer(const struct fl_json *data)
{
	const char *text = fl_json_get_string(fl_json_member(data, "answer"));
	char line[1024];

	while (text && *text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s",
			 (int)(len < sizeof(line) ? len : sizeof(line) - 1), text);
		printf("%s\n", fl_text_clean(line));
		text += len + (text[len] == '\n');
	}
}

/* With and without quotes around the question. */
int fl_cmd_ask(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request;
	char question[1024] = "";
	size_t len = 0;

	for (int i = 0; i < argc && len < sizeof(question); i++)
		len += (size_t)snprintf(question + len, sizeof(question) - len, "%s%s",
					i ? " " : "", argv[i]);
	if (!*question)
		return fl_cli_usage("ask");
	request = fl_cli_request("ask");
	fl_json_add_string(request, "question", question);
	return fl_zoom_show(cli, request, print_answer);
}
