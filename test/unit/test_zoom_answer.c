// SPDX-License-Identifier: Apache-2.0
/* What answers mean (H24), scopes (A5), and when a request may go out. */
#include <errno.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/zoom/answer.h"
#include "agent/zoom/http.h"
#include "agent/zoom/limits.h"
#include "agent/zoom/scope.h"
#include "agent/zoom/when.h"
#include "test/unit/zoom_file.h"

/* --- verdicts -----------------------------------------------------------------------------------
 */

/* A sample as HTTP would bring it; its body is to be freed. */
static char *sample(const char *name, struct fl_zoom_answer *a)
{
	struct fl_json *json = zoom_json(name);
	const struct fl_json *head = fl_json_member(json, "headers"),
			     *body = fl_json_member(json, "body");
	const char *text = fl_json_get_string(body);
	int64_t status = 0;
	char *copy;

	*a = (struct fl_zoom_answer){ .content_type = "application/json" };
	fl_json_get_i64(fl_json_member(json, "http_status"), &status);
	a->status = status;
	for (int i = 0; i < 4; i++) {
		static const char *const names[] = { "Content-Type", "X-RateLimit-Type",
						     "X-RateLimit-Category", "Retry-After" };
		char *const to[] = { a->content_type, a->rate_type, a->rate_category,
				     a->retry_after };
		const char *value = fl_json_get_string(fl_json_member(head, names[i]));

		if (value)
			strcpy(to[i], value);
	}
	copy = text ? strdup(text) : fl_json_print(body, FL_JSON_COMPACT);
	a->body = copy;
	a->len = strlen(copy);
	fl_json_free(json);
	return copy;
}

/* H24: all of samples/error_*, as the table of zoom-api.md 6 says. */
Test(zoom_answer, H24_error_samples)
{
	static const struct {
		const char *name;
		enum fl_zoom_verdict verdict;
	} rows[] = {
		{ "1001_no_user", FL_ZOOM_NO_USER },
		{ "124_expired_token", FL_ZOOM_REFRESH },
		{ "124_invalid_token", FL_ZOOM_REFRESH },
		{ "12700_end_time", FL_ZOOM_NO_END_TIME },
		{ "12702_too_old", FL_ZOOM_TOO_OLD },
		{ "200_in_http_200", FL_ZOOM_PLAN },
		{ "200_no_dashboard", FL_ZOOM_PLAN },
		{ "2300_unknown_endpoint", FL_ZOOM_DENIED },
		{ "3001_no_detail", FL_ZOOM_NOT_READY },
		{ "3001_not_ended", FL_ZOOM_NOT_READY },
		{ "300_page_token", FL_ZOOM_STALE_PAGE },
		{ "300_validation", FL_ZOOM_WRONG },
		{ "300_webinar_id", FL_ZOOM_WEBINAR },
		{ "400_plan", FL_ZOOM_PLAN },
		{ "429_daily", FL_ZOOM_TOMORROW },
		{ "429_no_hint", FL_ZOOM_SLOWER },
		{ "429_per_second", FL_ZOOM_SLOWER },
		{ "4700_missing_scope_legacy", FL_ZOOM_SCOPE },
		{ "4711_missing_scope", FL_ZOOM_SCOPE },
		{ "502_html", FL_ZOOM_AGAIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fl_zoom_answer a;
		struct fl_zoom_page page;
		char name[128], words[256];
		char *body;

		snprintf(name, sizeof(name), "samples/error_%s.json", rows[i].name);
		body = sample(name, &a);
		cr_assert_eq(fl_zoom_judge(&a, &page), rows[i].verdict, "%s: %d", name,
			     (int)fl_zoom_judge(&a, &page));
		fl_zoom_answer_words(&a, &page, words, sizeof(words));
		cr_assert(*words && !strchr(words, '{'), "%s: %s", name, words);
		free(body);
	}
}

static enum fl_zoom_verdict judge(long status, const char *type, const char *body)
{
	struct fl_zoom_answer a = { .status = status, .body = body, .len = strlen(body) };
	struct fl_zoom_page page;

	strcpy(a.content_type, type);
	return fl_zoom_judge(&a, &page);
}

Test(zoom_answer, whatever_the_status)
{
	/* Which of 400 and 401 comes with a code differs (zoom-api.md 14). */
	cr_assert_eq(judge(400, "application/json", "{\"code\":124,\"message\":\"x\"}"),
		     FL_ZOOM_REFRESH);
	cr_assert_eq(judge(400, "application/json", "{\"code\":4700,\"message\":\"x\"}"),
		     FL_ZOOM_SCOPE);
	cr_assert_eq(judge(200, "application/json", "{\"code\":124,\"message\":\"x\"}"),
		     FL_ZOOM_REFRESH);
	cr_assert_eq(
		judge(429, "application/json", "{\"code\":429,\"message\":\"the daily limit\"}"),
		FL_ZOOM_TOMORROW);
	cr_assert_eq(judge(429, "text/html", "slow down"), FL_ZOOM_SLOWER);
	cr_assert_eq(judge(401, "text/html", "<html>"), FL_ZOOM_REFRESH);
	cr_assert_eq(judge(403, "", ""), FL_ZOOM_DENIED);
	cr_assert_eq(judge(404, "text/plain", "no"), FL_ZOOM_NOT_READY);
	cr_assert_eq(judge(302, "", ""), FL_ZOOM_AGAIN);
	cr_assert_eq(judge(503, "application/json", "{\"code\":200,\"message\":\"x\"}"),
		     FL_ZOOM_AGAIN);
	cr_assert_eq(judge(200, "text/html", "{}"), FL_ZOOM_AGAIN);
	cr_assert_eq(judge(200, "application/json", "{\"meetings\":"), FL_ZOOM_AGAIN);
	cr_assert_eq(judge(200, "application/json;charset=UTF-8", "{}"), FL_ZOOM_FINE);
	cr_assert_eq(judge(418, "application/json", "{\"code\":999,\"message\":\"x\"}"),
		     FL_ZOOM_DENIED);
}

Test(zoom_answer, no_answer)
{
	struct fl_zoom_answer a = { .err = -ETIMEDOUT };
	struct fl_zoom_page page;
	char words[64];

	cr_assert_eq(fl_zoom_judge(&a, &page), FL_ZOOM_AGAIN);
	fl_zoom_answer_words(&a, &page, words, sizeof(words));
	cr_assert_str_eq(words, "Connection timed out");
}

/* --- addresses ----------------------------------------------------------------------------------
 */

static bool is_public(const char *text)
{
	struct fl_addr addr;

	cr_assert_eq(fl_addr_parse(text, &addr), 0, "%s", text);
	return fl_zoom_http_is_public(&addr);
}

/* No name leads a token inside. */
Test(zoom_answer, only_the_internet)
{
	static const char *const inside[] = {
		"127.0.0.1",
		"127.255.0.1",
		"10.1.2.3",
		"172.16.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"169.254.169.254",
		"100.64.0.1",
		"0.0.0.0",
		"255.255.255.255",
		"224.0.0.1",
		"::1",
		"::",
		"fe80::1",
		"fc00::1",
		"fdff::1",
		"ff02::1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"64:ff9b::a00:1",
		"2002:7f00:1::",
		"2001:db8::1",
	};
	static const char *const outside[] = { "8.8.8.8",        "172.32.0.1",
					       "170.114.52.2",   "2606:4700::1",
					       "::ffff:8.8.8.8", "64:ff9b::808:808",
					       "2002:808:808::" };

	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		cr_assert(!is_public(inside[i]), "%s", inside[i]);
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		cr_assert(is_public(outside[i]), "%s", outside[i]);
}

/* --- scopes -------------------------------------------------------------------------------------
 */

/* A5: exactly the two classic permissions suffice; granular ones do too. */
Test(zoom_answer, A5_scopes)
{
	char words[512];

	cr_assert_eq(fl_zoom_scope_missing("dashboard_meetings:read:admin user:read:admin", words,
					   sizeof(words)),
		     0);
	cr_assert_str_eq(words, "");
	cr_assert_eq(
		fl_zoom_scope_missing(
			"dashboard:read:list_meetings:admin dashboard:read:meeting:admin "
			"dashboard:read:list_meeting_participants:admin "
			"dashboard:read:list_meeting_participants_qos:admin "
			"dashboard:read:post_meeting_feedback:admin user:read:list_users:admin",
			words, sizeof(words)),
		0);
	cr_assert_eq(
		fl_zoom_scope_missing("dashboard:read:admin user:read:admin", words, sizeof(words)),
		0);
	cr_assert_eq(fl_zoom_scope_missing("user:read:admin dashboard:read:list_meetings:admin",
					   words, sizeof(words)),
		     4);
	cr_assert(strstr(words, "quality of participants needs dashboard_meetings:read:admin or "
				"dashboard:read:list_meeting_participants_qos:admin"));
	/* Words, not parts of words. */
	cr_assert(!fl_zoom_scope_has("xdashboard_meetings:read:admin", FL_ZOOM_CALL_LIST));
	cr_assert(!fl_zoom_scope_has("dashboard_meetings:read:administrator", FL_ZOOM_CALL_LIST));
	/* Not said: try. */
	cr_assert(fl_zoom_scope_has("", FL_ZOOM_CALL_LIST));
	/* Cut, not overrun. */
	fl_zoom_scope_missing("nothing", words, 20);
	cr_assert_lt(strlen(words), 20);
}

/* --- limits -------------------------------------------------------------------------------------
 */

static struct fl_zoom_now at;
static struct fl_zoom_limits l;
static struct fl_mono when;

static void pass_ms(uint64_t ms)
{
	at.mono = fl_mono_add_ms(at.mono, ms);
	at.s += (int64_t)(ms / 1000);
}

static void setup(void)
{
	cr_assert_eq(fl_rand_init(), 0);
	fl_rand_seed_for_test(7);
	/* 2024-07-11 12:00:00 */
	at = (struct fl_zoom_now){ { 1000 * FL_NS_PER_S }, 1720699200 };
	fl_zoom_limits_init(&l, true, 5000, 1, &at);
}

static bool may(enum fl_zoom_label label, enum fl_zoom_rank rank)
{
	return fl_zoom_limits_may(&l, label, rank, &at, &when);
}

static uint64_t wait_ms(void)
{
	return fl_mono_ms_between(at.mono, when);
}

/* How many go out in @ms when as many as possible are tried. */
static unsigned int in(enum fl_zoom_label label, uint64_t ms)
{
	unsigned int n = 0;

	for (uint64_t t = 0; t < ms; t += 10, pass_ms(10)) {
		while (may(label, FL_ZOOM_RANK_QOS)) {
			fl_zoom_limits_sent(&l, label, &at);
			n++;
		}
	}
	return n;
}

Test(zoom_answer, half_the_published_rates, .init = setup)
{
	l.max_daily = 0;
	/* The full bucket, and ten seconds or minutes of filling. */
	cr_assert_leq(in(FL_ZOOM_HEAVY, 10000), 220);
	cr_assert_geq(in(FL_ZOOM_HEAVY, 10000), 199);
	cr_assert_leq(in(FL_ZOOM_RESOURCE, 600000), 110);
	fl_zoom_limits_init(&l, false, 0, 1, &at);
	cr_assert_leq(in(FL_ZOOM_HEAVY, 10000), 55);
	cr_assert_leq(in(FL_ZOOM_RESOURCE, 600000), 55);
	cr_assert_leq(in(FL_ZOOM_LIGHT, 10000), 165);
}

Test(zoom_answer, wait_is_told, .init = setup)
{
	while (may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS))
		fl_zoom_limits_sent(&l, FL_ZOOM_HEAVY, &at);
	cr_assert_geq(wait_ms(), 1);
	cr_assert_leq(wait_ms(), 60);
	pass_ms(wait_ms() + 1);
	cr_assert(may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
	/* By label. */
	cr_assert(may(FL_ZOOM_RESOURCE, FL_ZOOM_RANK_LIST));
}

Test(zoom_answer, slower_doubles_to_a_minute, .init = setup)
{
	static const uint64_t base[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };

	for (size_t i = 0; i < sizeof(base) / sizeof(*base); i++) {
		fl_zoom_limits_slower(&l, FL_ZOOM_HEAVY, &at);
		/* Others that were under way with it count once. */
		fl_zoom_limits_slower(&l, FL_ZOOM_HEAVY, &at);
		cr_assert(!may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
		cr_assert_geq(wait_ms(), base[i] * 1000);
		cr_assert_leq(wait_ms(), base[i] * 1000 + 1000);
		cr_assert(may(FL_ZOOM_MEDIUM, FL_ZOOM_RANK_QOS));
		pass_ms(wait_ms() + 1);
	}
	fl_zoom_limits_answered(&l, FL_ZOOM_HEAVY);
	fl_zoom_limits_slower(&l, FL_ZOOM_HEAVY, &at);
	may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS);
	cr_assert_leq(wait_ms(), 2000);
}

/* H26: the label rests until Retry-After, and no longer. */
Test(zoom_answer, H26_daily_limit, .init = setup)
{
	int64_t midnight = fl_zoom_when_next_day(at.s);

	fl_zoom_limits_tomorrow(&l, FL_ZOOM_HEAVY,
				fl_zoom_when_header("2024-07-12T00:00:00Z", at.s), &at);
	cr_assert(fl_zoom_limits_is_daily(&l, &at));
	cr_assert(!may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
	cr_assert_eq(wait_ms(), 12 * 3600 * 1000);
	cr_assert(may(FL_ZOOM_RESOURCE, FL_ZOOM_RANK_LIST));
	pass_ms(12 * 3600 * 1000);
	cr_assert(may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
	cr_assert(!fl_zoom_limits_is_daily(&l, &at));
	/* Without a hint, or with one that cannot be meant: midnight and one to five minutes. */
	for (int i = 0; i < 3; i++) {
		static const char *const hints[] = { "", "2124-07-12T00:00:00Z",
						     "2020-01-01T00:00:00Z" };

		at.s = midnight - 3600;
		fl_zoom_limits_tomorrow(&l, FL_ZOOM_HEAVY, fl_zoom_when_header(hints[i], at.s),
					&at);
		cr_assert(!may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
		cr_assert_geq(wait_ms(), 3660 * 1000);
		cr_assert_leq(wait_ms(), 3900 * 1000);
		at.s = midnight + 301;
		cr_assert(may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
	}
}

/* Past QoS before participants before satisfaction before live (zoom-api.md 9). */
Test(zoom_answer, budget_and_what_goes_first, .init = setup)
{
	static const uint32_t last[] = { 5000, 4900, 4750, 4250, 3500 };

	for (int rank = FL_ZOOM_RANK_QOS; rank <= FL_ZOOM_RANK_LIVE; rank++) {
		l.used = last[rank] - 1;
		cr_assert(may(FL_ZOOM_HEAVY, (enum fl_zoom_rank)rank));
		l.used = last[rank];
		cr_assert(!may(FL_ZOOM_HEAVY, (enum fl_zoom_rank)rank));
		cr_assert_eq(wait_ms(), 12 * 3600 * 1000);
	}
	/* Midnight UTC brings a new one; a clock that goes back brings nothing. */
	l.used = 5000;
	at.s -= 86400;
	cr_assert(!may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
	at.s += 2 * 86400;
	cr_assert(may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS));
	cr_assert_eq(l.used, 0);
}

Test(zoom_answer, backoff, .init = setup)
{
	uint64_t most = 0;

	for (unsigned int i = 1; i <= FL_ZOOM_FAILURES + 3; i++) {
		fl_zoom_limits_failed(&l, &at);
		cr_assert_eq(l.failures, i);
		if (may(FL_ZOOM_HEAVY, FL_ZOOM_RANK_QOS))
			continue; /* full jitter may be none */
		cr_assert_leq(wait_ms(), 300000);
		if (i < FL_ZOOM_FAILURES)
			cr_assert_leq(wait_ms(), fl_zoom_backoff_ms(i - 1));
		else
			cr_assert_eq(wait_ms(), 300000);
		most = wait_ms() > most ? wait_ms() : most;
		/* Others that were under way count once. */
		fl_zoom_limits_failed(&l, &at);
		cr_assert_eq(l.failures, i);
		pass_ms(wait_ms() + 1);
	}
	cr_assert_eq(most, 300000);
	fl_zoom_limits_answered(&l, FL_ZOOM_HEAVY);
	cr_assert_eq(l.failures, 0);
	cr_assert_eq(fl_zoom_backoff_ms(0), 1000);
	cr_assert_eq(fl_zoom_backoff_ms(3), 8000);
	cr_assert_eq(fl_zoom_backoff_ms(1000), 300000);
}
