// SPDX-License-Identifier: Apache-2.0
/* A sink for tests: see journal.h. Lines: "S state", "W uuid stage tries due end", "D uuid", "F",
 * "M uuid ended has_start stage tries due end feedback count, and for each join: key first bits".
 */
#include "test/zoom/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct journal_meeting *find(struct journal *j, const char *uuid, bool make)
{
	struct journal_meeting *m;

	HASH_FIND_STR(j->meetings, uuid, m);
	if (m || !make)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		abort();
	snprintf(m->id, sizeof(m->id), "%s", uuid);
	HASH_ADD_STR(j->meetings, id, m);
	return m;
}

static void meeting_free(struct journal *j, struct journal_meeting *m)
{
	struct journal_join *join, *tmp;

	HASH_ITER(hh, m->joins, join, tmp) {
		HASH_DEL(m->joins, join);
		free(join);
	}
	HASH_DEL(j->meetings, m);
	free(m);
}

static struct journal_join *join_of(struct journal_meeting *m, const char *key, int64_t first)
{
	struct journal_join *join;

	HASH_FIND_STR(m->joins, key, join);
	if (join)
		return join;
	join = calloc(1, sizeof(*join));
	if (!join)
		abort();
	snprintf(join->key, sizeof(join->key), "%s", key);
	join->first = first;
	HASH_ADD_STR(m->joins, key, join);
	return join;
}

static void mark(struct journal_join *join, int64_t minute)
{
	int64_t at = minute - join->first;

	if (!join->first) {
		join->first = minute;
		at = 0;
	}
	if (at >= 0 && at < (int64_t)sizeof(join->seen) * 8)
		join->seen[at / 8] |= (uint8_t)(1 << (at % 8));
}

/* --- replay -------------------------------------------------------------------------------------
 */

static void set_work(struct journal_meeting *m, const struct fl_zoom_work *work)
{
	m->open = work;
	if (work)
		m->work = *work;
}

static void replay_meeting(struct journal *j, char *line)
{
	char uuid[FL_ZOOM_KEY_LEN], key[FL_ZOOM_KEY_LEN];
	struct fl_zoom_work work = { 0 };
	int ended, has_start, stage, n;
	long long due, end, first;
	unsigned int feedback, count;
	struct journal_meeting *m;

	if (sscanf(line, "M %95s %d %d %d %d %lld %lld %x %u%n", uuid, &ended, &has_start, &stage,
		   &work.tries, &due, &end, &feedback, &count, &n) != 9)
		return;
	m = find(j, uuid, true);
	m->ended |= ended;
	m->has_start |= has_start;
	m->feedback |= feedback;
	m->puts++;
	snprintf(work.uuid, sizeof(work.uuid), "%s", uuid);
	work.stage = (enum fl_zoom_stage)stage;
	work.due_s = due;
	work.end_s = end;
	if (ended)
		set_work(m, stage >= 0 ? &work : NULL);
	for (line += n; count && sscanf(line, " %95s %lld%n", key, &first, &n) == 2; count--) {
		struct journal_join *join = join_of(m, key, first);

		for (line += n + 1; (*line >= '0' && *line <= '9') || *line == '-';) {
			mark(join, first + strtoll(line, &line, 10));
			line += *line == ',';
		}
	}
}

static void replay(struct journal *j, char *line)
{
	struct fl_zoom_work work = { 0 };
	struct journal_meeting *m;
	long long due, end;
	int stage;

	switch (*line) {
	case 'S':
		free(j->state);
		j->state = strdup(line + 2);
		break;
	case 'W':
		if (sscanf(line, "W %95s %d %d %lld %lld", work.uuid, &stage, &work.tries, &due,
			   &end) == 5) {
			work.stage = (enum fl_zoom_stage)stage;
			work.due_s = due;
			work.end_s = end;
			set_work(find(j, work.uuid, true), &work);
		}
		break;
	case 'D':
		m = find(j, line + 2, false);
		if (m)
			m->open = false;
		break;
	case 'M':
		replay_meeting(j, line);
		break;
	default:
		break;
	}
}

/* One transaction; a line without an end was cut by a kill, and did not happen. */
static int append(struct journal *j, char *line, size_t len)
{
	if (j->fail)
		return j->fail;
	if (j->file && (fwrite(line, 1, len, j->file) != len || fflush(j->file)))
		return -errno;
	line[len - 1] = 0;
	replay(j, line);
	return 0;
}

/* --- the sink -----------------------------------------------------------------------------------
 */

static int state_load(void *ctx, const char *account, char **ret_text)
{
	struct journal *j = ctx;

	snprintf(j->account, sizeof(j->account), "%s", account);
	*ret_text = j->state ? strdup(j->state) : NULL;
	return 0;
}

static int state_save(void *ctx, const char *account, const char *text)
{
	char line[4096];
	int len = snprintf(line, sizeof(line), "S %s\n", text);

	(void)account;
	return append(ctx, line, (size_t)len);
}

static int meeting_known(void *ctx, const char *account, const char *uuid)
{
	struct journal_meeting *m = find(ctx, uuid, false);

	(void)account;
	return m && (m->ended || m->open);
}

static int work_put(void *ctx, const char *account, const struct fl_zoom_meeting *meeting,
		    const struct fl_zoom_work *work)
{
	char line[512];
	int len =
		snprintf(line, sizeof(line), "W %s %d %d %lld %lld\n", work->uuid, (int)work->stage,
			 work->tries, (long long)work->due_s, (long long)work->end_s);

	(void)account;
	(void)meeting;
	return append(ctx, line, (size_t)len);
}

static int work_delete(void *ctx, const char *account, const char *uuid)
{
	char line[256];
	int len = snprintf(line, sizeof(line), "D %s\n", uuid);

	(void)account;
	return append(ctx, line, (size_t)len);
}

static int work_each(void *ctx, const char *account, fl_zoom_work_fn fn, void *fn_ctx)
{
	struct journal *j = ctx;

	(void)account;
	for (struct journal_meeting *m = j->meetings; m; m = m->hh.next) {
		if (m->open)
			fn(fn_ctx, &m->work);
	}
	return 0;
}

static bool wanted(void *ctx, const char *account, const struct fl_zoom_meeting *meeting,
		   const struct fl_zoom_join *join)
{
	struct journal *j = ctx;

	(void)account;
	(void)meeting;
	return !j->wanted || j->wanted(join);
}

static int meeting_put(void *ctx, const char *account, const struct fl_zoom_put *put)
{
	const struct fl_zoom_work none = { .stage = (enum fl_zoom_stage) - 1 };
	const struct fl_zoom_work *w = put->work ? put->work : &none;
	struct journal *j = ctx;
	unsigned int feedback = 0;
	char *line = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&line, &len);
	int err;

	(void)account;
	if (!f)
		return -ENOMEM;
	if (j->look)
		j->look(j->look_ctx, put);
	for (size_t i = 0; i < put->feedback_count; i++)
		feedback |=
			1U << (put->feedback[i].at_s + (int64_t)strlen(put->feedback[i].who)) % 32;
	fprintf(f, "M %s %d %d %d %d %lld %lld %x %zu", put->meeting->uuid, !put->live,
		put->meeting->start_s != 0, (int)w->stage, w->tries, (long long)w->due_s,
		(long long)w->end_s, feedback, put->join_count);
	for (size_t i = 0; i < put->join_count; i++) {
		const struct fl_zoom_join *join = &put->joins[i];
		int64_t first = join->minute_count ? join->minutes[0].minute : 0;

		fprintf(f, " %s %lld ", join->key, (long long)first);
		for (size_t k = 0; k < join->minute_count; k++)
			fprintf(f, "%lld,", (long long)(join->minutes[k].minute - first));
	}
	fputc('\n', f);
	fclose(f);
	err = line ? append(j, line, len) : -ENOMEM;
	free(line);
	if (!err)
		find(j, put->meeting->uuid, true)->dropped += put->dropped;
	return err;
}

static int account_forget(void *ctx, const char *account, bool data)
{
	struct journal *j = ctx;
	struct journal_meeting *m, *tmp;

	(void)account;
	HASH_ITER(hh, j->meetings, m, tmp) {
		if (data)
			meeting_free(j, m);
		else
			m->open = false;
	}
	free(j->state);
	j->state = NULL;
	j->forgotten++;
	return 0;
}

static const struct fl_zoom_sink_ops ops = {
	.state_load = state_load,
	.state_save = state_save,
	.meeting_known = meeting_known,
	.work_put = work_put,
	.work_delete = work_delete,
	.work_each = work_each,
	.wanted = wanted,
	.meeting_put = meeting_put,
	.account_forget = account_forget,
};

int journal_init(struct journal *j, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	*j = (struct journal){ .sink = { &ops, j } };
	if (!path)
		return 0;
	j->file = fopen(path, "a+");
	if (!j->file)
		return -errno;
	rewind(j->file);
	while ((n = getline(&line, &room, j->file)) > 0) {
		if (line[n - 1] != '\n') {
			/* Cut: the next line must not be glued to it. */
			fputc('\n', j->file);
			break;
		}
		line[n - 1] = 0;
		replay(j, line);
	}
	free(line);
	fseek(j->file, 0, SEEK_END);
	return 0;
}

void journal_done(struct journal *j)
{
	struct journal_meeting *m, *tmp;

	HASH_ITER(hh, j->meetings, m, tmp)
		meeting_free(j, m);
	free(j->state);
	if (j->file)
		fclose(j->file);
	*j = (struct journal){ 0 };
}

static unsigned int minutes_of(const struct journal_join *join)
{
	unsigned int n = 0;

	for (size_t i = 0; i < sizeof(join->seen); i++)
		n += (unsigned int)__builtin_popcount(join->seen[i]);
	return n;
}

static unsigned int minutes_of_all(const struct journal_meeting *m)
{
	unsigned int n = 0;

	for (struct journal_join *join = m->joins; join; join = join->hh.next)
		n += minutes_of(join);
	return n;
}

void journal_dump(struct journal *j, FILE *to)
{
	for (struct journal_meeting *m = j->meetings; m; m = m->hh.next)
		fprintf(to, "meeting %s %u %u %d %s\n", m->id, HASH_COUNT(m->joins),
			minutes_of_all(m), __builtin_popcount(m->feedback),
			m->open    ? "open"
			: m->ended ? "done"
				   : "live");
}

struct journal_sum journal_sum(const struct journal *j)
{
	struct journal_sum sum = { 0 };

	for (struct journal_meeting *m = j->meetings; m; m = m->hh.next) {
		sum.meetings += m->ended;
		sum.open += m->open;
		sum.joins += HASH_COUNT(m->joins);
		sum.minutes += minutes_of_all(m);
		sum.feedback += (unsigned int)__builtin_popcount(m->feedback);
	}
	return sum;
}
