// SPDX-License-Identifier: Apache-2.0
/*
 * The Zoom side of insightd with a journal in place of the store, driven by lines on stdin, for the
 * tests of this folder. Each command answers with lines that end in ".".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/base/log.h"
#include "agent/base/rand.h"
#include "agent/codec/json.h"
#include "agent/zoom/zoom.h"
#include "test/zoom/journal.h"

struct driver {
	sd_event *event;
	struct fl_zoom *zoom;
	struct journal journal;
	struct fl_zoom_app app;
	char line[4096];
	size_t len;
	sd_event_source *wait; /* while a command waits for a sync */
	uint64_t wait_until_us;
};

static void done(void)
{
	puts(".");
	fflush(stdout);
}

static void on_linked(void *ctx, bool linked, const char *words, const char *account)
{
	(void)ctx;
	printf("%s %s: %s\n", linked ? "linked" : "refused", *account ? account : "-", words);
	done();
}

static struct fl_zoom_link link_for(const char *org, const char *consent)
{
	struct fl_zoom_link link = { .discard_guests = true };

	snprintf(link.org, sizeof(link.org), "%s", org);
	snprintf(link.consent_by, sizeof(link.consent_by), "%s", consent);
	return link;
}

static struct fl_json *status(struct driver *d, const char *org)
{
	struct fl_json *json = fl_json_new_object();

	fl_zoom_status_json(d->zoom, org, json);
	return json;
}

static void print_status(struct driver *d, const char *org)
{
	struct fl_json *json = status(d, org);
	char *text = fl_json_print(json, FL_JSON_COMPACT);

	puts(text ? text : "");
	free(text);
	fl_json_free(json);
}

/* Nothing open, and a complete cycle: everything that Zoom had is here. */
static bool is_synced(struct driver *d)
{
	struct fl_json *json = status(d, "acme");
	const struct fl_json *accounts = fl_json_member(json, "accounts");
	bool synced = true, polls = false;

	for (size_t i = 0; i < fl_json_count(accounts); i++) {
		const struct fl_json *a = fl_json_at(accounts, i);
		uint64_t sync = 0, open = 1;

		if (!fl_json_get_bool(fl_json_member(a, "polls")))
			continue;
		polls = true;
		fl_json_get_u64(fl_json_member(a, "last_sync"), &sync);
		fl_json_get_u64(fl_json_member(a, "open_meetings"), &open);
		synced = synced && sync && !open &&
			 !fl_json_get_bool(fl_json_member(a, "catching_up"));
	}
	fl_json_free(json);
	return synced && polls;
}

static int on_wait(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct driver *d = userdata;
	bool synced = is_synced(d);

	if (!synced && usec < d->wait_until_us) {
		sd_event_source_set_time_relative(source, 20000);
		return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	puts(synced ? "synced" : "not synced");
	done();
	return 0;
}

static void wait_for(struct driver *d, double seconds)
{
	uint64_t now;

	sd_event_now(d->event, CLOCK_MONOTONIC, &now);
	d->wait_until_us = now + (uint64_t)(seconds * 1e6);
	sd_event_source_set_time_relative(d->wait, 1000);
	sd_event_source_set_enabled(d->wait, SD_EVENT_ONESHOT);
}

static void link_url(struct driver *d, const char *org, const char *session, const char *consent)
{
	struct fl_zoom_link link = link_for(org, consent);
	char url[2048], words[FL_ZOOM_WORDS_LEN] = "";

	if (fl_zoom_link_url(d->zoom, &d->app, &link, session, url, sizeof(url), words))
		printf("refused: %s\n", words);
	else
		printf("%s\n", url);
	done();
}

static void hook(struct driver *d, const char *timestamp, const char *signature, const char *path)
{
	static char body[FL_ZOOM_HOOK_BODY_MAX + 2], reply[1024];
	struct fl_zoom_hook_request request = {
		.timestamp = timestamp, .signature = signature, .body = body, .now_s = time(NULL)
	};
	struct fl_zoom_hook ret_hook;
	FILE *f = fopen(path, "r");

	if (f) {
		request.len = fread(body, 1, sizeof(body), f);
		fclose(f);
	}
	printf("%d %s\n", fl_zoom_hook(d->zoom, &request, &ret_hook, reply, sizeof(reply)), reply);
	fl_zoom_hook_done(&ret_hook);
	done();
}

static void usage(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	printf("rss_kb %ld cpu_ms %ld\n", r.ru_maxrss,
	       (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
		       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000);
	done();
}

static void command(struct driver *d, char *line)
{
	char *words[7] = { 0 }, *at = line;
	size_t count = 0;

	while (count < 6 && (words[count] = strsep(&at, " ")))
		count++;
	while (count < 6)
		words[count++] = line + strlen(line);
	if (!strcmp(words[0], "link-url")) {
		link_url(d, words[1], words[2], words[3]);
	} else if (!strcmp(words[0], "back")) {
		const struct fl_zoom_back back = { words[1], words[2], words[3], words[4],
						   words[5] };

		fl_zoom_link_back(d->zoom, &back, on_linked, d);
	} else if (!strcmp(words[0], "link-server")) {
		struct fl_zoom_link link = link_for(words[1], words[2]);
		struct fl_zoom_app app = d->app;

		snprintf(app.account_id, sizeof(app.account_id), "%s", words[3]);
		fl_zoom_link_server(d->zoom, &app, &link, on_linked, d);
	} else if (!strcmp(words[0], "unlink")) {
		printf("%d\n", fl_zoom_unlink(d->zoom, words[1], words[2], *words[3]));
		done();
	} else if (!strcmp(words[0], "sync")) {
		printf("%d\n", fl_zoom_sync(d->zoom, words[1], words[2]));
		done();
	} else if (!strcmp(words[0], "status")) {
		print_status(d, words[1]);
		done();
	} else if (!strcmp(words[0], "dump")) {
		journal_dump(&d->journal, stdout);
		done();
	} else if (!strcmp(words[0], "wait")) {
		wait_for(d, strtod(words[1], NULL));
	} else if (!strcmp(words[0], "hook")) {
		hook(d, words[1], words[2], words[3]);
	} else if (!strcmp(words[0], "usage")) {
		usage();
	} else {
		sd_event_exit(d->event, 0);
	}
}

static int on_stdin(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct driver *d = userdata;
	ssize_t n = read(fd, d->line + d->len, sizeof(d->line) - d->len - 1);
	char *end;

	(void)source;
	(void)revents;
	if (n <= 0)
		return sd_event_exit(d->event, 0);
	d->len += (size_t)n;
	d->line[d->len] = 0;
	while ((end = strchr(d->line, '\n'))) {
		*end++ = 0;
		command(d, d->line);
		d->len -= (size_t)(end - d->line);
		memmove(d->line, end, d->len + 1);
	}
	return 0;
}

static const char *env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

/* Folder of state as the argument; the rest by environment, so that no secret is in argv. */
int main(int argc, char **argv)
{
	static struct driver d;
	char dir[512], key[512], journal[512];
	struct fl_zoom_cfg cfg = { .dir = dir,
				   .key_path = key,
				   .hook_secret = getenv("ZOOM_HOOK_SECRET") };
	int err;

	if (argc != 2)
		return 2;
	snprintf(dir, sizeof(dir), "%s/credentials", argv[1]);
	snprintf(key, sizeof(key), "%s/key", argv[1]);
	snprintf(journal, sizeof(journal), "%s/journal", argv[1]);
	cfg.http.ca_file = getenv("ZOOM_CA");
	cfg.http.allow_private = !getenv("ZOOM_PUBLIC_ONLY");
	cfg.http.total_ms = (unsigned int)atoi(env("ZOOM_TOTAL_MS", "60000"));
	cfg.settings = fl_zoom_settings_default();
	cfg.settings.rate_scale = strtod(env("ZOOM_SCALE", "1"), NULL);
	cfg.settings.max_daily = (uint32_t)atoi(env("ZOOM_DAILY", "5000"));
	cfg.settings.live = atoi(env("ZOOM_LIVE", "0"));
	cfg.settings.first_days = (unsigned int)atoi(env("ZOOM_DAYS", "7"));
	snprintf(d.app.client_id, sizeof(d.app.client_id), "%s",
		 env("ZOOM_CLIENT_ID", "EXAMPLECLIENTID"));
	snprintf(d.app.client_secret, sizeof(d.app.client_secret), "%s",
		 env("ZOOM_CLIENT_SECRET", "example-client-secret"));
	snprintf(d.app.redirect_uri, sizeof(d.app.redirect_uri),
		 "https://portal.example.net/zoom/callback");
	snprintf(d.app.oauth_base, sizeof(d.app.oauth_base), "%s",
		 env("ZOOM_BASE", FL_ZOOM_OAUTH_BASE));
	snprintf(d.app.api_base, sizeof(d.app.api_base), "%s", env("ZOOM_BASE", FL_ZOOM_API_BASE));
	fl_log_init(FL_LOG_DEBUG);
	err = fl_rand_init();
	if (!err)
		err = journal_init(&d.journal, journal);
	if (!err)
		err = sd_event_default(&d.event);
	if (err >= 0)
		err = fl_zoom_new(d.event, &cfg, &d.journal.sink, &d.zoom);
	if (err >= 0)
		err = sd_event_add_io(d.event, NULL, 0, EPOLLIN, on_stdin, &d);
	if (err >= 0)
		err = sd_event_add_time(d.event, &d.wait, CLOCK_MONOTONIC, 0, 1, on_wait, &d);
	if (err >= 0) {
		sd_event_source_set_enabled(d.wait, SD_EVENT_OFF);
		err = sd_event_loop(d.event);
	}
	if (err < 0)
		fl_log_err(err, "the driver cannot run");
	fl_zoom_free(d.zoom);
	sd_event_source_disable_unref(d.wait);
	journal_done(&d.journal);
	sd_event_unref(d.event);
	return err < 0;
}
