// SPDX-License-Identifier: Apache-2.0
/* What Zoom posts to us: see webhook.h. */
#include "agent/zoom/webhook.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/json.h"
#include "agent/codec/json_pull.h"
#include "agent/crypto/digest.h"
#include "agent/crypto/hmac.h"
#include "agent/zoom/parse.h"
#include "agent/zoom/value.h"
#include "agent/zoom/webhook_qos.h"
#include "agent/zoom/when.h"

/* --- signature ----------------------------------------------------------------------------------
 */

static bool sign(const char *secret, const void *data, size_t len, uint8_t mac[FL_SHA256_LEN])
{
	struct fl_hmac_key key;

	if (fl_hmac_key_init(&key, FL_HMAC_SHA256, FL_HMAC_REGULAR, secret, strlen(secret)))
		return false;
	fl_hmac_sign(&key, data, len, 0, mac);
	fl_hmac_key_done(&key);
	return true;
}

bool fl_zoom_hook_is_signed(const char *secret, const char *timestamp, const char *signature,
			    const char *body, size_t len)
{
	uint8_t mac[FL_SHA256_LEN];
	struct fl_hmac_key key;
	size_t head;
	char *text;
	bool good;

	if (!timestamp || !signature || strncmp(signature, "v0=", 3) != 0 ||
	    strlen(timestamp) > 20 || !fl_hex_decode(signature + 3, mac, sizeof(mac)) ||
	    fl_hmac_key_init(&key, FL_HMAC_SHA256, FL_HMAC_REGULAR, secret, strlen(secret)))
		return false;
	text = malloc(32 + len);
	if (!text) {
		fl_hmac_key_done(&key);
		return false;
	}
	head = (size_t)snprintf(text, 32, "v0:%s:", timestamp);
	memcpy(text + head, body, len);
	good = fl_hmac_verify(&key, text, head + len, 0, mac) != FL_HMAC_MISMATCH;
	free(text);
	fl_hmac_key_done(&key);
	return good;
}

static bool is_recent(const char *timestamp, int64_t now_s)
{
	char *end;
	long long s;

	if (!timestamp || !*timestamp)
		return false;
	s = strtoll(timestamp, &end, 10);
	return !*end && s >= now_s - FL_ZOOM_HOOK_SKEW_S && s <= now_s + FL_ZOOM_HOOK_SKEW_S;
}

/* --- what it says -------------------------------------------------------------------------------
 */

/* Text of a member, "" if there is none; numbers too. */
static void text_of(const struct fl_json *json, const char *key, char *to, size_t size)
{
	const struct fl_json *member = fl_json_member(json, key);
	const char *text = fl_json_get_string(member);
	int64_t n;

	if (text)
		snprintf(to, size, "%s", text);
	else if (!fl_json_get_i64(member, &n))
		snprintf(to, size, "%lld", (long long)n);
	else
		*to = 0;
}

static void meeting_of(const struct fl_json *object, struct fl_zoom_meeting *m)
{
	char text[40];

	text_of(object, "uuid", m->uuid, sizeof(m->uuid));
	text_of(object, "id", text, sizeof(text));
	m->number = strtoll(text, NULL, 10);
	text_of(object, "start_time", text, sizeof(text));
	m->start_s = fl_zoom_when_s(text);
	text_of(object, "end_time", text, sizeof(text));
	m->end_s = fl_zoom_when_s(text);
}

static void join_of(const struct fl_json *participant, struct fl_zoom_join *j)
{
	char text[256];

	text_of(participant, "participant_uuid", j->key, sizeof(j->key));
	text_of(participant, "user_id", j->user_id, sizeof(j->user_id));
	if (!*j->user_id)
		text_of(participant, "participant_id", j->user_id, sizeof(j->user_id));
	text_of(participant, "participant_user_id", j->user, sizeof(j->user));
	text_of(participant, "user_name", j->user_name, sizeof(j->user_name));
	text_of(participant, "email", j->email, sizeof(j->email));
	text_of(participant, "join_time", text, sizeof(text));
	j->join_s = fl_zoom_when_s(text);
	text_of(participant, "leave_time", text, sizeof(text));
	j->leave_s = fl_zoom_when_s(text);
	text_of(participant, "leave_reason", text, sizeof(text));
	j->leave = fl_zoom_value_leave(text, &j->disconnected);
	fl_zoom_join_finish(j);
}

static void feedback_of(const struct fl_json *participant, struct fl_zoom_hook *hook)
{
	const struct fl_json *feedback = fl_json_member(participant, "feedback");

	hook->feedback.rating = fl_json_get_bool(fl_json_member(feedback, "satisfied")) ? 5 : 1;
	hook->feedback.at_s = hook->event_ms / 1000;
	snprintf(hook->feedback.who, sizeof(hook->feedback.who), "%s",
		 *hook->join.user ? hook->join.user : hook->join.email);
	text_of(feedback, "comments", hook->feedback.comment, sizeof(hook->feedback.comment));
}

static unsigned int issues_of(const struct fl_json *object)
{
	static const struct {
		const char *part;
		enum fl_zoom_issue issue;
	} names[] = { { "audio", FL_ZOOM_ISSUE_AUDIO },
		      { "video", FL_ZOOM_ISSUE_VIDEO },
		      { "screen", FL_ZOOM_ISSUE_SCREEN },
		      { "cpu", FL_ZOOM_ISSUE_CPU },
		      { "reconnect", FL_ZOOM_ISSUE_RECONNECT } };
	const struct fl_json *issues = fl_json_member(object, "issues");
	unsigned int set = 0;

	for (size_t i = 0; i < fl_json_count(issues); i++) {
		const char *text = fl_json_get_string(fl_json_at(issues, i));
		unsigned int found = FL_ZOOM_ISSUE_OTHER;

		for (size_t j = 0; text && j < sizeof(names) / sizeof(*names); j++) {
			if (strcasestr(text, names[j].part))
				found = names[j].issue;
		}
		set |= found;
	}
	return set;
}

static uint16_t port_of(const struct fl_json *data, const char *key)
{
	char text[16];
	long port;

	text_of(data, key, text, sizeof(text));
	port = strtol(text, NULL, 10);
	return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void endpoint_of(const struct fl_json *data, struct fl_zoom_hook *hook)
{
	static const char *const names[] = { "signaling", "audio", "video", "as" };
	struct fl_zoom_endpoint *e = &hook->endpoint;
	char key[48], text[64];

	for (int i = 0; i < 4; i++) {
		snprintf(key, sizeof(key), "%s_internal_ip_port", names[i]);
		e->ports[i] = port_of(data, key);
		snprintf(key, sizeof(key), "%s_internal_ip_address", names[i]);
		text_of(data, key, text, sizeof(text));
		if (!e->addr.family && fl_addr_parse(text, &e->addr))
			e->addr = (struct fl_addr){ 0 };
	}
	text_of(data, "destination_ip_domain", text, sizeof(text));
	if (fl_addr_parse(text, &e->remote))
		e->remote = (struct fl_addr){ 0 };
	e->remote_port = port_of(data, "destination_ip_port");
	text_of(data, "mac_addr", text, sizeof(text));
	fl_zoom_value_mac(text, hook->join.mac);
	text_of(data, "pc_name", hook->join.pc_name, sizeof(hook->join.pc_name));
	text_of(data, "network_type", text, sizeof(text));
	hook->join.network = fl_zoom_value_network(text);
	text_of(data, "connection_type", text, sizeof(text));
	hook->join.conn = fl_zoom_value_conn(text);
}

static enum fl_zoom_hook_kind kind_of(const char *event)
{
	static const struct {
		const char *event;
		enum fl_zoom_hook_kind kind;
	} kinds[] = { { "endpoint.url_validation", FL_ZOOM_HOOK_VALIDATION },
		      { "meeting.ended", FL_ZOOM_HOOK_ENDED },
		      { "meeting.participant_joined", FL_ZOOM_HOOK_JOINED },
		      { "meeting.participant_left", FL_ZOOM_HOOK_LEFT },
		      { "meeting.alert", FL_ZOOM_HOOK_ALERT },
		      { "meeting.participant_feedback", FL_ZOOM_HOOK_FEEDBACK },
		      { "meeting.participant_qos", FL_ZOOM_HOOK_QOS },
		      { "meeting.participant_data", FL_ZOOM_HOOK_DATA },
		      { "app_deauthorized", FL_ZOOM_HOOK_DEAUTHORIZED } };

	for (size_t i = 0; event && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(event, kinds[i].event))
			return kinds[i].kind;
	}
	return FL_ZOOM_HOOK_OTHER;
}

static void read_hook(const struct fl_json *json, struct fl_zoom_hook *hook)
{
	const struct fl_json *payload = fl_json_member(json, "payload");
	const struct fl_json *object = fl_json_member(payload, "object");
	const struct fl_json *participant = fl_json_member(object, "participant");
	char text[16];

	hook->kind = kind_of(fl_json_get_string(fl_json_member(json, "event")));
	fl_json_get_i64(fl_json_member(json, "event_ts"), &hook->event_ms);
	text_of(payload, "account_id", hook->account, sizeof(hook->account));
	meeting_of(object, &hook->meeting);
	join_of(participant, &hook->join);
	switch (hook->kind) {
	case FL_ZOOM_HOOK_FEEDBACK:
		feedback_of(participant, hook);
		break;
	case FL_ZOOM_HOOK_ALERT:
		hook->issues = issues_of(object);
		break;
	case FL_ZOOM_HOOK_QOS:
		fl_zoom_hook_minutes(fl_json_member(participant, "qos"), &hook->join);
		break;
	case FL_ZOOM_HOOK_DATA:
		endpoint_of(fl_json_at(fl_json_member(participant, "data"), 0), hook);
		break;
	case FL_ZOOM_HOOK_DEAUTHORIZED:
		text_of(payload, "user_id", hook->user, sizeof(hook->user));
		text_of(payload, "client_id", hook->client_id, sizeof(hook->client_id));
		text_of(payload, "user_data_retention", text, sizeof(text));
		hook->keep_data = !strcmp(text, "true");
		break;
	case FL_ZOOM_HOOK_OTHER:
	case FL_ZOOM_HOOK_VALIDATION:
	case FL_ZOOM_HOOK_ENDED:
	case FL_ZOOM_HOOK_JOINED:
	case FL_ZOOM_HOOK_LEFT:
		break;
	}
}

/* --- once ---------------------------------------------------------------------------------------
 */

/* Event, uuid, participant, time: what makes two deliveries one event. */
static uint64_t id_of(const struct fl_zoom_hook *hook)
{
	uint8_t digest[FL_SHA256_LEN];
	uint64_t id;
	char text[512];
	int len = snprintf(text, sizeof(text), "%d %s %s %s %s %lld", (int)hook->kind,
			   hook->account, hook->meeting.uuid, hook->join.key, hook->join.user_id,
			   (long long)hook->event_ms);

	fl_sha256(text, (size_t)len, digest);
	memcpy(&id, digest, sizeof(id));
	return id;
}

static bool was_seen(struct fl_zoom_hooks *hooks, const struct fl_zoom_hook *hook)
{
	uint64_t id = id_of(hook);

	for (size_t i = 0; i < FL_ZOOM_HOOK_SEEN; i++) {
		if (hooks->seen[i] == id)
			return true;
	}
	hooks->seen[hooks->next] = id;
	hooks->next = (hooks->next + 1) % FL_ZOOM_HOOK_SEEN;
	return false;
}

void fl_zoom_hook_forget(struct fl_zoom_hooks *hooks, const struct fl_zoom_hook *hook)
{
	uint64_t id = id_of(hook);

	for (size_t i = 0; i < FL_ZOOM_HOOK_SEEN; i++) {
		if (hooks->seen[i] == id)
			hooks->seen[i] = 0;
	}
}

/* To prove that we know the secret, every 72 hours. */
static int validate(const char *secret, const struct fl_json *json, char *reply, size_t size)
{
	const struct fl_json *payload = fl_json_member(json, "payload");
	const char *plain = fl_json_get_string(fl_json_member(payload, "plainToken"));
	struct fl_json *answer;
	uint8_t mac[FL_SHA256_LEN];
	char hex[2 * FL_SHA256_LEN + 1];
	char *text;

	if (!plain || strlen(plain) > 256 || !sign(secret, plain, strlen(plain), mac))
		return 400;
	fl_hex_encode(mac, sizeof(mac), hex);
	answer = fl_json_new_object();
	fl_json_add_string(answer, "plainToken", plain);
	fl_json_add_string(answer, "encryptedToken", hex);
	text = fl_json_print(answer, FL_JSON_COMPACT);
	fl_json_free(answer);
	if (text)
		snprintf(reply, size, "%s", text);
	free(text);
	return 200;
}

int fl_zoom_hook_take(struct fl_zoom_hooks *hooks, const char *secret,
		      const struct fl_zoom_hook_request *request, struct fl_zoom_hook *ret_hook,
		      char *reply, size_t size)
{
	struct fl_json *json = NULL;
	struct fl_json_error why;
	int status = 200;

	*reply = 0;
	*ret_hook = (struct fl_zoom_hook){ 0 };
	if (!*secret || request->len > FL_ZOOM_HOOK_BODY_MAX ||
	    !is_recent(request->timestamp, request->now_s) ||
	    !fl_zoom_hook_is_signed(secret, request->timestamp, request->signature, request->body,
				    request->len))
		return 401;
	if (fl_json_parse(request->body, request->len, &json, &why))
		return 400;
	read_hook(json, ret_hook);
	if (ret_hook->kind == FL_ZOOM_HOOK_VALIDATION)
		status = validate(secret, json, reply, size);
	else if (was_seen(hooks, ret_hook))
		status = 204;
	fl_json_free(json);
	if (status != 200)
		fl_zoom_hook_done(ret_hook);
	return status;
}

void fl_zoom_hook_done(struct fl_zoom_hook *hook)
{
	fl_zoom_join_done(&hook->join);
}
