// SPDX-License-Identifier: Apache-2.0
/* Answers: see answer.h. */
#include "agent/insight/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/findings.h"

#define PAGE_CALLS        10
#define PAGE_TROUBLESHOOT 5 /* zoom-api.md 12 E17 */
#define MAX_CLIENTS       8 /* of one name: sites, replaced adapters */

struct out {
	const struct fl_answerer *a;
	struct fl_ask ask;
	FILE *f;
	uint32_t site;
	struct fl_client_row clients[MAX_CLIENTS];
	unsigned int client_count;
	struct fl_call calls[PAGE_CALLS];
	unsigned int call_count;
};

static const char *at(const struct out *o, int64_t t, char buf[32])
{
	return fl_civil_format(o->a->zone, t, buf);
}

static void print_span(const struct out *o)
{
	char from[32], to[32];

	fprintf(o->f, "from %s to %s", at(o, o->ask.from_s, from), at(o, o->ask.to_s, to));
}

/* --- what is asked about ------------------------------------------------------------------------
 */

struct site_search {
	const char *name;
	uint32_t id;
};

static bool match_site(void *ctx, uint32_t id, const char *name)
{
	struct site_search *s = ctx;

	if (strcasecmp(name, s->name))
		return true;
	s->id = id;
	return false;
}

static bool list_name(void *ctx, uint32_t id, const char *name)
{
	(void)id;
	fprintf(ctx, " %s", name);
	return true;
}

/* Return: 1 if it was found or none was named, 0 if the answer is that there is none. */
static int find_site(struct out *o)
{
	struct site_search search = { o->ask.site, 0 };
	int err;

	if (!o->ask.site[0])
		return 1;
	err = fl_store_each_site(o->a->store, match_site, &search);
	if (err)
		return err;
	o->site = search.id;
	if (search.id)
		return 1;
	fprintf(o->f, "There is no site \"%s\". Sites:", o->ask.site);
	err = fl_store_each_site(o->a->store, list_name, o->f);
	fputs(".\n", o->f);
	return err;
}

static bool take_client(void *ctx, const struct fl_client_row *row)
{
	struct out *o = ctx;

	if (!o->site || row->site == o->site)
		o->clients[o->client_count++] = *row;
	return o->client_count < MAX_CLIENTS;
}

static int find_host(struct out *o)
{
	int err;

	if (!o->ask.host[0])
		return 1;
	err = fl_store_find_clients(o->a->store, o->ask.host, take_client, o);
	if (err)
		return err;
	if (o->client_count)
		return 1;
	fprintf(o->f,
		"No client with the name, MAC or address \"%s\" has been in a Zoom call%s%s.\n",
		o->ask.host, o->site ? " at site " : "", o->site ? o->ask.site : "");
	return 0;
}

/* --- calls --------------------------------------------------------------------------------------
 */

static bool take_call(void *ctx, const struct fl_call *call)
{
	struct out *o = ctx;

	o->calls[o->call_count++] = *call;
	return o->call_count < PAGE_CALLS;
}

/* A page of them; of several clients of one name, the first that has any. */
static int find_calls(struct out *o, unsigned int page, uint64_t *total)
{
	struct fl_call_filter filter = { .site = o->site,
					 .from_s = o->ask.from_s,
					 .to_s = o->ask.to_s,
					 .bad_only = o->ask.bad_only && o->ask.kind == FL_ASK_CALLS,
					 .offset = (o->ask.page - 1) * page,
					 .limit = page };
	int err = 0;

	*total = 0;
	for (unsigned int i = 0; !err && !*total && i < (o->client_count ? o->client_count : 1);
	     i++) {
		filter.client = o->client_count ? o->clients[i].client : 0;
		err = fl_store_each_call(o->a->store, &filter, take_call, o, total);
	}
	return err;
}

static void print_row(const struct out *o, const struct fl_call *c)
{
	char when[32], bytes[24] = "", rating[8] = "--", length[32] = "still in";

	if (c->bytes)
		snprintf(bytes, sizeof(bytes), "%.1f", (double)c->bytes / 1e6);
	if (c->rating)
		snprintf(rating, sizeof(rating), "%s", c->rating <= 2 ? "poor" : "good");
	if (c->leave_s != FL_SESSION_OPEN_END)
		snprintf(length, sizeof(length), "%" PRId64 " min",
			 (c->leave_s - c->join_s + 30) / 60);
	fprintf(o->f, "%-17s %-16.16s %-18.18s %12" PRId64 " %8s %-8.8s %-8.8s %-6s %8s\n",
		at(o, c->join_s, when), c->hostname[0] ? c->hostname : "--",
		c->user_name[0] ? c->user_name : "--", c->meeting_number, length,
		fl_grade_name(c->audio), fl_grade_name(c->video), rating, bytes);
}

static void print_table(const struct out *o, unsigned int page, uint64_t total)
{
	uint64_t first = (uint64_t)(o->ask.page - 1) * page;

	fprintf(o->f, "%-17s %-16s %-18s %12s %8s %-8s %-8s %-6s %8s\n", "Joined", "Host", "User",
		"Meeting", "Length", "Audio", "Video", "Rating", "MB");
	for (unsigned int i = 0; i < o->call_count; i++)
		print_row(o, &o->calls[i]);
	fprintf(o->f, "%" PRIu64 "-%" PRIu64 " of %" PRIu64, first + 1, first + o->call_count,
		total);
	if (first + o->call_count < total)
		fprintf(o->f, "; add \"page %u\" for more", o->ask.page + 1);
	fputs(".\n", o->f);
}

static void print_none(const struct out *o, uint64_t total)
{
	if (total) {
		fprintf(o->f, "There are %" PRIu64 " calls, and no page %u.\n", total, o->ask.page);
		return;
	}
	fprintf(o->f, "%s no %sZoom call ", o->ask.host[0] ? o->ask.host : "There was",
		o->ask.bad_only && o->ask.kind == FL_ASK_CALLS ? "bad " : "");
	print_span(o);
	fputs(".\n", o->f);
}

static int list_calls(struct out *o, unsigned int page)
{
	uint64_t total;
	int err = find_calls(o, page, &total);

	if (err)
		return err;
	if (!o->call_count) {
		if (o->ask.host[0] && !total) {
			fprintf(o->f, "%s had no Zoom session ", o->ask.host);
			print_span(o);
			fputs(".\n", o->f);
		} else {
			print_none(o, total);
		}
		return 0;
	}
	fprintf(o->f, "%" PRIu64 " %sZoom call%s ", total,
		o->ask.bad_only && o->ask.kind == FL_ASK_CALLS ? "bad " : "",
		total == 1 ? "" : "s");
	print_span(o);
	fputs(":\n", o->f);
	print_table(o, page, total);
	return 0;
}

/* --- clients ------------------------------------------------------------------------------------
 */

static bool print_client(void *ctx, const struct fl_client_row *c)
{
	const struct out *o = ctx;
	char addr[FL_ADDR_TEXT], rating[8] = "--", when[32];

	if (c->min_rating)
		snprintf(rating, sizeof(rating), "%d", c->min_rating);
	fprintf(o->f, "%02x:%02x:%02x:%02x:%02x:%02x  %-16.16s %-18.18s %-18.18s %-6s %5u  %s\n",
		c->mac.b[0], c->mac.b[1], c->mac.b[2], c->mac.b[3], c->mac.b[4], c->mac.b[5],
		c->hostname[0] ? c->hostname : "--", fl_addr_format(&c->addr, addr),
		c->user_name[0] ? c->user_name : "--", rating, c->calls, at(o, c->seen_s, when));
	return true;
}

static bool clients_of_site(void *ctx, uint32_t id, const char *name)
{
	struct out *o = ctx;

	if (o->site && o->site != id)
		return true;
	fprintf(o->f, "Site %s, clients in Zoom calls ", name);
	print_span(o);
	fprintf(o->f, ":\n%-18s %-16s %-18s %-18s %-6s %5s  %s\n", "MAC", "Host", "Address", "User",
		"Rating", "Calls", "Last call");
	return fl_store_each_client(o->a->store, id, o->ask.from_s, o->ask.to_s, print_client, o) ==
	       0;
}

/* --- one session --------------------------------------------------------------------------------
 */

static int troubleshoot(struct out *o)
{
	uint64_t total;
	int err;

	if (!o->ask.has_times)
		return list_calls(o, PAGE_TROUBLESHOOT);
	err = find_calls(o, PAGE_TROUBLESHOOT, &total);
	if (err)
		return err;
	if (total != 1) {
		o->call_count = 0;
		return list_calls(o, PAGE_TROUBLESHOOT);
	}
	return fl_findings_print(o->a->store, o->a->explainer, o->a->zone, o->a->now_s,
				 &o->calls[0], o->f);
}

static void print_examples(FILE *f)
{
	fputs("I understand for example:\n", f);
	for (const char *const *e = fl_ask_examples; *e; e++)
		fprintf(f, "  %s\n", *e);
}

static int answer(struct out *o, const char *question)
{
	struct fl_ask_error why;
	int found;

	if (fl_ask_parse(question, o->a->zone, o->a->now_s, &o->ask, &why) < 0) {
		fprintf(o->f, "%s\n", why.problem);
		print_examples(o->f);
		return 0;
	}
	found = find_site(o);
	if (found > 0)
		found = find_host(o);
	if (found <= 0)
		return found;
	switch (o->ask.kind) {
	case FL_ASK_CALLS:
		return list_calls(o, PAGE_CALLS);
	case FL_ASK_CLIENTS:
		return fl_store_each_site(o->a->store, clients_of_site, o);
	case FL_ASK_TROUBLESHOOT:
		return troubleshoot(o);
	case FL_ASK_HELP:
		break;
	}
	print_examples(o->f);
	return 0;
}

int fl_answer(const struct fl_answerer *answerer, const char *question, char **ret_text)
{
	struct out *o = calloc(1, sizeof(*o));
	char *text = NULL;
	size_t len;
	int err;

	if (!o)
		return -ENOMEM;
	o->a = answerer;
	o->f = open_memstream(&text, &len);
	if (!o->f) {
		free(o);
		return -ENOMEM;
	}
	err = answer(o, question);
	if (fclose(o->f) && !err)
		err = -ENOMEM;
	free(o);
	if (err)
		free(text);
	else
		*ret_text = text;
	return err;
}
