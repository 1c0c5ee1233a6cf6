// SPDX-License-Identifier: Apache-2.0
/* Webhooks: signature, URL validation, duplicates, what they say (zoom-api.md 7). */
#include <string.h>

#include "agent/crypto/digest.h"
#include "agent/crypto/hmac.h"
#include "agent/zoom/webhook.h"
#include "test/unit/zoom_file.h"

#define SECRET "example-secret-token"

static struct fl_zoom_hooks hooks;
static struct fl_zoom_hook hook;
static char reply[1024];

static const char *text_of(const struct fl_json *json, const char *key)
{
	return fl_json_get_string(fl_json_member(json, key));
}

static int take(const char *timestamp, const char *signature, const char *body, int64_t now_s)
{
	const struct fl_zoom_hook_request request = { timestamp, signature, body, strlen(body),
						      now_s };

	fl_zoom_hook_done(&hook);
	return fl_zoom_hook_take(&hooks, SECRET, &request, &hook, reply, sizeof(reply));
}

/* Signed as Zoom would. */
static int take_signed(const char *body, int64_t now_s)
{
	char *text = malloc(strlen(body) + 64), signature[80] = "v0=", timestamp[24];
	struct fl_hmac_key key;
	uint8_t mac[32];
	int status;

	sprintf(timestamp, "%lld", (long long)now_s);
	sprintf(text, "v0:%s:%s", timestamp, body);
	cr_assert_eq(
		fl_hmac_key_init(&key, FL_HMAC_SHA256, FL_HMAC_REGULAR, SECRET, strlen(SECRET)), 0);
	fl_hmac_sign(&key, text, strlen(text), 0, mac);
	fl_hmac_key_done(&key);
	fl_hex_encode(mac, 32, signature + 3);
	free(text);
	status = take(timestamp, signature, body, now_s);
	return status;
}

static int take_sample(const char *name)
{
	char path[128];
	size_t len;
	char *body;
	int status;

	snprintf(path, sizeof(path), "samples/webhook_%s.json", name);
	body = zoom_file(path, &len);
	status = take_signed(body, 1720709900);
	free(body);
	return status;
}

Test(zoom_webhook, vectors)
{
	struct fl_json *v = zoom_json("vectors/webhook_signature.json");
	const struct fl_json *good = fl_json_member(v, "signed_request");
	const struct fl_json *head = fl_json_member(good, "headers"), *bad;
	const char *stamp = text_of(head, "x-zm-request-timestamp"),
		   *sign = text_of(head, "x-zm-signature");
	const char *body = text_of(good, "raw_body");

	cr_assert_eq(take(stamp, sign, body, 1720708243), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_ENDED);
	cr_assert_str_eq(hook.meeting.uuid, "RCCCPP3m8cJrMPkOx90B5A==");
	cr_assert_eq(hook.meeting.number, 84120657733);
	cr_assert_eq(hook.meeting.end_s, 1720709884);
	cr_assert_str_eq(hook.account, "qExAmPLeTzexKYTb_I2rpg");
	/* Zoom retries after 5, 20, 60 minutes. */
	cr_assert_eq(take(stamp, sign, body, 1720708243), 204);
	/* Five minutes either way. */
	cr_assert_eq(take(stamp, sign, body, 1720708243 + 300), 204);
	cr_assert_eq(take(stamp, sign, body, 1720708243 + 301), 401);
	cr_assert_eq(take(stamp, sign, body, 1720708243 - 301), 401);
	bad = fl_json_member(v, "must_reject");
	cr_assert_eq(fl_json_count(bad), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct fl_json *row = fl_json_at(bad, i);

		head = fl_json_member(row, "headers");
		cr_assert_eq(take(text_of(head, "x-zm-request-timestamp"),
				  text_of(head, "x-zm-signature"), text_of(row, "raw_body"),
				  1720708243),
			     401, "%s", text_of(row, "why"));
	}
	fl_json_free(v);
}

Test(zoom_webhook, url_validation)
{
	struct fl_json *v = zoom_json("vectors/webhook_signature.json"), *answer = NULL;
	const struct fl_json *check = fl_json_member(v, "url_validation");
	const struct fl_json *want = fl_json_member(check, "response");
	char *body = fl_json_print(fl_json_member(check, "request"), FL_JSON_COMPACT);
	struct fl_json_error why;

	/* Every 72 hours: not a duplicate. */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(take_signed(body, 1720708000), 200);
		cr_assert_eq(hook.kind, FL_ZOOM_HOOK_VALIDATION);
		cr_assert_eq(fl_json_parse(reply, strlen(reply), &answer, &why), 0);
		cr_assert_str_eq(text_of(answer, "plainToken"), text_of(want, "plainToken"));
		cr_assert_str_eq(text_of(answer, "encryptedToken"),
				 text_of(want, "encryptedToken"));
		fl_json_free(answer);
	}
	free(body);
	fl_json_free(v);
}

Test(zoom_webhook, refused)
{
	cr_assert_eq(take(NULL, NULL, "{}", 5), 401);
	cr_assert_eq(take("5", NULL, "{}", 5), 401);
	cr_assert_eq(take("5", "v0=", "{}", 5), 401);
	cr_assert_eq(take("5", "v0=00", "{}", 5), 401);
	cr_assert_eq(take("5x", "v0=00", "{}", 5), 401);
	cr_assert_eq(take_signed("no json", 1720708000), 400);
	cr_assert_eq(take_signed("{\"event\":\"endpoint.url_validation\"}", 1720708000), 400);
	cr_assert_eq(take_signed("[]", 1720708000), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_OTHER);
}

Test(zoom_webhook, without_a_secret_nothing_is_believed)
{
	const struct fl_zoom_hook_request request = { "5", "v0=00", "{}", 2, 5 };

	cr_assert_eq(fl_zoom_hook_take(&hooks, "", &request, &hook, reply, sizeof(reply)), 401);
}

Test(zoom_webhook, participants)
{
	cr_assert_eq(take_sample("participant_joined"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_JOINED);
	cr_assert_str_eq(hook.join.key, "D444CD01-2ABB-2FCC-019B-39E41D8DAD01");
	cr_assert_eq(hook.join.join_s, 1720708222);
	cr_assert_eq(take_sample("participant_left"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_LEFT);
	cr_assert_eq(hook.join.leave, FL_ZOOM_LEAVE_NETWORK_ERROR);
	cr_assert(hook.join.disconnected);
	cr_assert_eq(take_sample("participant_left"), 204);
}

/* What could not be stored is new when Zoom sends it again; what was before it is not. */
Test(zoom_webhook, forgotten)
{
	cr_assert_eq(take_sample("participant_joined"), 200);
	cr_assert_eq(take_sample("participant_left"), 200);
	fl_zoom_hook_forget(&hooks, &hook);
	cr_assert_eq(take_sample("participant_left"), 200);
	cr_assert_eq(take_sample("participant_left"), 204);
	cr_assert_eq(take_sample("participant_joined"), 204);
}

Test(zoom_webhook, alert_and_feedback)
{
	cr_assert_eq(take_sample("meeting_alert"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_ALERT);
	cr_assert_eq(hook.issues, (unsigned int)FL_ZOOM_ISSUE_AUDIO);
	cr_assert_eq(take_sample("participant_feedback"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_FEEDBACK);
	cr_assert_eq(hook.feedback.rating, 1);
	cr_assert_str_eq(hook.feedback.who, "uX03QeR7kTqWm3yBz0LpNg");
}

/* The QSS add-on: minutes, and addresses that REST lacks. Numbers may be texts. */
Test(zoom_webhook, qss)
{
	const struct fl_zoom_minute *m;
	char text[FL_ADDR_TEXT];

	cr_assert_eq(take_sample("qss_participant_qos"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_QOS);
	cr_assert_eq(hook.join.minute_count, 1);
	m = &hook.join.minutes[0];
	cr_assert_eq(m->minute, 1720708920 / 60);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].latency_ms, 326);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].max_loss_pct, 8.1);
	cr_assert_eq(m->rssi_dbm, -66);
	cr_assert_eq(take_sample("qss_participant_data"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_DATA);
	cr_assert_str_eq(fl_addr_format(&hook.endpoint.addr, text), "10.20.7.118");
	cr_assert_eq(hook.endpoint.ports[0], 51233);
	cr_assert_eq(hook.endpoint.ports[3], 55873);
	cr_assert_eq(hook.endpoint.remote_port, 8801);
	cr_assert_str_eq(hook.join.user_id, "16779264");
	cr_assert_str_eq(hook.join.pc_name, "MATEO-MBP");
	fl_zoom_hook_done(&hook);
}

Test(zoom_webhook, A4_deauthorized)
{
	cr_assert_eq(take_sample("app_deauthorized"), 200);
	cr_assert_eq(hook.kind, FL_ZOOM_HOOK_DEAUTHORIZED);
	cr_assert_str_eq(hook.user, "uX01QeR7kTqWm3yBz0LpNg");
	cr_assert_str_eq(hook.client_id, "EXAMPLECLIENTID");
	cr_assert(!hook.keep_data);
}
