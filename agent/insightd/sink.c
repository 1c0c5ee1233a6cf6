// SPDX-License-Identifier: Apache-2.0
/* Meetings from Zoom into the store: see sink.h. */
#include "agent/insightd/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/monotime.h"

static int64_t now_s(void)
{
	return (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);
}

/* What comes back from the store goes on to the poller, but for what it cannot mend. */
static int seen(struct fl_sink *sink, int err)
{
	if (err == -EUCLEAN)
		sink->damaged(sink->ctx);
	return err;
}

static int account_of(struct fl_sink *sink, const char *key, uint32_t *ret_account)
{
	return seen(sink, fl_store_account(sink->store, key, ret_account));
}

/* --- state and work of the poller ---------------------------------------------------------------
 */

struct state_search {
	uint32_t account;
	char *text;
	int err;
};

static bool match_state(void *ctx, uint32_t account, const char *key, const char *state)
{
	struct state_search *s = ctx;

	(void)key;
	if (account != s->account)
		return true;
	if (*state) {
		s->text = strdup(state);
		s->err = s->text ? 0 : -ENOMEM;
	}
	return false;
}

static int state_load(void *ctx, const char *account, char **ret_text)
{
	struct fl_sink *sink = ctx;
	struct state_search s = { 0 };
	int err = account_of(sink, account, &s.account);

	if (!err)
		err = seen(sink, fl_store_each_account(sink->store, match_state, &s));
	if (!err)
		err = s.err;
	if (!err)
		*ret_text = s.text;
	return err;
}

static int state_save(void *ctx, const char *account, const char *text)
{
	struct fl_sink *sink = ctx;
	uint32_t id;
	int err = account_of(sink, account, &id);

	return err ? err : seen(sink, fl_store_set_account_state(sink->store, id, text));
}

static int meeting_known(void *ctx, const char *account, const char *uuid)
{
	struct fl_sink *sink = ctx;
	uint32_t id;
	int err = account_of(sink, account, &id);

	return err ? err : seen(sink, fl_store_has_meeting(sink->store, id, uuid));
}

static void work_of(const struct fl_zoom_work *from, struct fl_store_work *to)
{
	*to = (struct fl_store_work){ .stage = (int)from->stage,
				      .tries = from->tries,
				      .due_s = from->due_s,
				      .ended_s = from->end_s };
	memcpy(to->uuid, from->uuid, sizeof(to->uuid));
}

/* The header waits for the first participant of ours: of a meeting without one, nothing that names
 * anybody is kept. After a restart the poller asks for it again. */
static int work_put(void *ctx, const char *account, const struct fl_zoom_meeting *meeting,
		    const struct fl_zoom_work *work)
{
	struct fl_sink *sink = ctx;
	struct fl_store_work to;
	uint32_t id;
	int err = account_of(sink, account, &id);

	(void)meeting;
	work_of(work, &to);
	return err ? err : seen(sink, fl_store_put_work(sink->store, id, &to));
}

static int work_delete(void *ctx, const char *account, const char *uuid)
{
	struct fl_sink *sink = ctx;
	uint32_t id;
	int err = account_of(sink, account, &id);

	return err ? err : seen(sink, fl_store_delete_work(sink->store, id, uuid));
}

struct work_walk {
	fl_zoom_work_fn fn;
	void *ctx;
};

static bool hand_over(void *ctx, const struct fl_store_work *work)
{
	struct work_walk *w = ctx;
	struct fl_zoom_work to = { .stage = (enum fl_zoom_stage)work->stage,
				   .tries = work->tries,
				   .due_s = work->due_s,
				   .end_s = work->ended_s };

	memcpy(to.uuid, work->uuid, sizeof(to.uuid));
	w->fn(w->ctx, &to);
	return true;
}

static int work_each(void *ctx, const char *account, fl_zoom_work_fn fn, void *fn_ctx)
{
	struct fl_sink *sink = ctx;
	struct work_walk w = { fn, fn_ctx };
	uint32_t id;
	int err = account_of(sink, account, &id);

	return err ? err
		   : seen(sink, fl_store_each_work(sink->store, id, INT64_MAX, hand_over, &w));
}

static int account_forget(void *ctx, const char *account, bool data)
{
	struct fl_sink *sink = ctx;
	uint32_t id;
	int err = account_of(sink, account, &id);

	return err ? err : seen(sink, fl_store_delete_account(sink->store, id, data));
}

/* --- meetings -----------------------------------------------------------------------------------
 */

static bool wanted(void *ctx, const char *account, const struct fl_zoom_meeting *meeting,
		   const struct fl_zoom_join *join)
{
	struct fl_sink *sink = ctx;
	struct fl_zoom_join bare = *join;
	struct fl_participant p;
	struct fl_match match;
	int err;

	(void)account;
	bare.minute_count = 0;
	err = fl_sink_participant(&bare, meeting->end_s, &p);
	if (!err)
		err = seen(sink, fl_ingest_match(sink->ingest, &p.ends, &match));
	fl_sink_participant_done(&p);
	/* In doubt yes: the same is asked again when the meeting is put, and that may fail. */
	return err || fl_match_is_on_network(&match);
}

static void header_of(const struct fl_zoom_put *put, uint32_t account, struct fl_meeting_put *to)
{
	const struct fl_zoom_meeting *m = put->meeting;

	*to = (struct fl_meeting_put){ .account = account,
				       .number = m->number,
				       .start_s = m->start_s,
				       .end_s = put->live  ? FL_SESSION_OPEN_END
						: m->end_s ? m->end_s
							   : now_s(),
				       .participants = m->participants,
				       .dropped = put->dropped,
				       .keep_work = put->live };
	memcpy(to->uuid, m->uuid, sizeof(to->uuid));
	if (!put->join_count)
		return;
	snprintf(to->topic, sizeof(to->topic), "%s", m->topic);
	snprintf(to->host, sizeof(to->host), "%s", m->host);
	snprintf(to->host_email, sizeof(to->host_email), "%s", m->host_email);
}

static struct fl_feedback *feedback_of(const struct fl_zoom_put *put)
{
	struct fl_feedback *list = calloc(put->feedback_count + 1, sizeof(*list));

	for (size_t i = 0; list && i < put->feedback_count; i++) {
		snprintf(list[i].who, sizeof(list[i].who), "%s", put->feedback[i].who);
		list[i].at_s = put->feedback[i].at_s;
		list[i].rating = put->feedback[i].rating;
	}
	return list;
}

static int put_all(struct fl_sink *sink, struct fl_meeting_put *meeting,
		   const struct fl_participant *people, size_t count)
{
	/* Topics were blanked by the poller, if they are not to be kept. */
	const struct fl_ingest_options options = { .discard_guest_info = true, .keep_topic = true };
	int err = fl_ingest_meeting(sink->ingest, meeting, people, count, &options);

	return err < 0 ? err : 0;
}

static int meeting_put(void *ctx, const char *account, const struct fl_zoom_put *put)
{
	struct fl_participant *people = calloc(put->join_count + 1, sizeof(*people));
	struct fl_sink *sink = ctx;
	struct fl_store_work work;
	struct fl_meeting_put to;
	uint32_t id = 0;
	size_t n = 0;
	int err = people ? account_of(sink, account, &id) : -ENOMEM;

	if (err) {
		free(people);
		return err;
	}
	header_of(put, id, &to);
	to.feedback = feedback_of(put);
	to.feedback_count = put->feedback_count;
	if (put->work) {
		work_of(put->work, &work);
		to.work = &work;
	}
	if (!to.feedback)
		err = -ENOMEM;
	for (; !err && n < put->join_count; n += !err)
		err = fl_sink_participant(&put->joins[n], put->live ? 0 : to.end_s, &people[n]);
	if (!err)
		err = seen(sink, put_all(sink, &to, people, n));
	while (n--)
		fl_sink_participant_done(&people[n]);
	free((void *)(uintptr_t)to.feedback);
	free(people);
	if (!err)
		sink->stored(sink->ctx);
	return err;
}

void fl_sink_init(struct fl_sink *sink)
{
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

	sink->zoom = (struct fl_zoom_sink){ &ops, sink };
}

/* --- webhooks -----------------------------------------------------------------------------------
 */

static void hook_header(const struct fl_zoom_hook *hook, uint32_t account,
			struct fl_meeting_put *to)
{
	*to = (struct fl_meeting_put){ .account = account,
				       .number = hook->meeting.number,
				       .start_s = hook->meeting.start_s,
				       .end_s = FL_SESSION_OPEN_END,
				       .keep_work = true };
	memcpy(to->uuid, hook->meeting.uuid, sizeof(to->uuid));
}

/* A rating, minutes of the QSS add-on, or the end of a call that is known by its key. */
static int hook_of_call(struct fl_sink *sink, const struct fl_zoom_hook *hook, uint32_t account,
			const struct fl_call *call)
{
	struct fl_feedback feedback = { .at_s = hook->feedback.at_s,
					.rating = hook->feedback.rating };
	struct fl_call_put put = { .call = *call };
	struct fl_participant p;
	struct fl_meeting_put to;
	int err = fl_sink_participant(&hook->join, 0, &p);

	if (err)
		return err;
	hook_header(hook, account, &to);
	put.minutes = p.minutes;
	put.minute_count = p.minute_count;
	if (hook->kind == FL_ZOOM_HOOK_LEFT && hook->join.leave_s) {
		put.call.leave_s = hook->join.leave_s;
		put.call.leave_code = p.call.leave_code;
	}
	to.calls = &put;
	to.call_count = 1;
	if (hook->kind == FL_ZOOM_HOOK_FEEDBACK) {
		snprintf(feedback.who, sizeof(feedback.who), "%s",
			 *hook->feedback.who ? hook->feedback.who : call->key);
		memcpy(feedback.call_key, call->key, sizeof(feedback.call_key));
		to.feedback = &feedback;
		to.feedback_count = 1;
	}
	err = fl_store_put_meeting(sink->store, &to);
	fl_sink_participant_done(&p);
	return err;
}

static int hook_alert(struct fl_sink *sink, const struct fl_zoom_hook *hook,
		      const struct fl_call *call)
{
	static const struct {
		enum fl_zoom_issue bit;
		const char *text;
	} issues[] = { { FL_ZOOM_ISSUE_AUDIO, "unstable audio" },
		       { FL_ZOOM_ISSUE_VIDEO, "unstable video" },
		       { FL_ZOOM_ISSUE_SCREEN, "poor screen share" },
		       { FL_ZOOM_ISSUE_CPU, "high CPU" },
		       { FL_ZOOM_ISSUE_RECONNECT, "reconnection" },
		       { FL_ZOOM_ISSUE_OTHER, "something else" } };
	struct fl_event event = { .site = call->site,
				  .at_s = hook->event_ms / 1000,
				  .severity = FL_SEVERITY_BAD,
				  .kind = "ZOOM_ALERT" };
	size_t len = (size_t)snprintf(event.detail, sizeof(event.detail), "Zoom reports:");

	snprintf(event.subject, sizeof(event.subject), "%s", call->hostname);
	for (size_t i = 0; i < sizeof(issues) / sizeof(*issues); i++) {
		if (hook->issues & issues[i].bit)
			len += (size_t)snprintf(event.detail + len, sizeof(event.detail) - len,
						" %s;", issues[i].text);
	}
	event.detail[len - 1] = '.';
	return fl_store_put_events(sink->store, &event, 1);
}

/* Address and ports of the client: enough to match it by its sessions exactly. No name: the hook
 * does not say who is a guest; the sweep after the end brings names that may be kept. */
static int hook_data(struct fl_sink *sink, const struct fl_zoom_hook *hook, uint32_t account)
{
	const struct fl_zoom_endpoint *e = &hook->endpoint;
	struct fl_meeting_put to;
	struct fl_participant p;
	int err;

	if (!e->addr.family)
		return 0;
	err = fl_sink_participant(&hook->join, 0, &p);
	if (err)
		return err;
	p.call.user_name[0] = p.call.email[0] = p.call.person[0] = '\0';
	p.guest = sink->discard_guests;
	p.ends.internal[0] = e->addr;
	p.ends.internal_count = 1;
	for (int i = 0; i < 4; i++) {
		if (e->ports[i])
			p.ends.qss_ports[p.ends.qss_port_count++] = e->ports[i];
	}
	if (!p.ends.join_s)
		p.ends.join_s = hook->event_ms / 1000;
	hook_header(hook, account, &to);
	err = put_all(sink, &to, &p, 1);
	fl_sink_participant_done(&p);
	return err;
}

int fl_sink_hook(struct fl_sink *sink, const struct fl_zoom_hook *hook)
{
	struct fl_call call;
	uint32_t account;
	int err;

	if (!*hook->meeting.uuid || !*hook->account)
		return 0;
	err = account_of(sink, hook->account, &account);
	if (err)
		return err;
	if (hook->kind == FL_ZOOM_HOOK_DATA)
		return seen(sink, hook_data(sink, hook, account));
	if (hook->kind != FL_ZOOM_HOOK_LEFT && hook->kind != FL_ZOOM_HOOK_FEEDBACK &&
	    hook->kind != FL_ZOOM_HOOK_QOS && hook->kind != FL_ZOOM_HOOK_ALERT)
		return 0;
	/* An alert is of the meeting: anybody in it is as good as another. */
	if (!*hook->join.key && hook->kind != FL_ZOOM_HOOK_ALERT)
		return 0;
	err = fl_store_find_call(sink->store, account, hook->meeting.uuid, hook->join.key, &call);
	if (err)
		return err == -ENOENT ? 0 : seen(sink, err);
	err = hook->kind == FL_ZOOM_HOOK_ALERT ? hook_alert(sink, hook, &call)
					       : hook_of_call(sink, hook, account, &call);
	if (!err && hook->kind == FL_ZOOM_HOOK_QOS)
		sink->stored(sink->ctx);
	return seen(sink, err);
}
