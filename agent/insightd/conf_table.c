// SPDX-License-Identifier: Apache-2.0
/* The keys of the configuration: see conf_table.h. */
#include "agent/insightd/conf_table.h"

#include <stddef.h>

#define AT(f)                  .offset = offsetof(struct fl_conf, f), .size = sizeof(((struct fl_conf *)0)->f)
#define YES(f, def)            .kind = FL_CONF_BOOL, AT(f), .preset = def
#define NUMBER(f, lo, hi, def) .kind = FL_CONF_NUMBER, AT(f), .min = lo, .max = hi, .preset = def
#define TEXT(f)                .kind = FL_CONF_TEXT, AT(f), .preset_text = ""
#define BASE(f, def)           .kind = FL_CONF_BASE, AT(f), .preset_text = def

static const char *const models[] = { [FL_SCORE_SHORT] = "short", [FL_SCORE_G107] = "g107", NULL };

const struct fl_conf_key fl_conf_keys[] = {
	{ "", "enabled", YES(enabled, false), .help = "Zoom insights are off until this is true" },
	{ "", "organisation", AT(org), .kind = FL_CONF_TEXT, .preset_text = "default",
	  .help = "whose accounts are meant where no other is named" },
	{ "", "routers", AT(routers), .kind = FL_CONF_TEXT,
	  .preset_text = "/run/fairlead-export/*.sock",
	  .help = "export sockets of this host's routers, as a shell pattern" },
	{ "store", "minute-days", NUMBER(store.minute_days, 1, 3660, 30),
	  .help = "days that figures of minutes are kept" },
	{ "store", "meeting-days", NUMBER(store.meeting_days, 1, 3660, 90),
	  .help = "days that meetings, calls and sums are kept" },
	{ "store", "quota-mib", NUMBER(store.quota_mib, 0, 16777216, 0),
	  .help = "size of the file above which the oldest minutes go, 0: none" },
	{ "score", "model", .kind = FL_CONF_WORD, AT(score_model), .words = models,
	  .preset = FL_SCORE_SHORT,
	  .help = "how a mean opinion score comes of latency, jitter, loss" },
	{ "web", "listen", .kind = FL_CONF_TEXT, AT(web.listen), .preset_text = "unix:page.sock",
	  .help = "of the page: unix:PATH (without a slash: in the run folder), ADDRESS:PORT or "
		  "[ADDRESS]:PORT; off this host only with certificate and token; empty: no page" },
	{ "web", "certificate", TEXT(web.certificate),
	  .help = "file in PEM that the service's user may read, none: no TLS" },
	{ "web", "key", TEXT(web.key), .help = "of the certificate, file in PEM" },
	{ "web", "token", TEXT(web.token), .flags = FL_CONF_SECRET,
	  .help = "that people must know to look at the page, 16 characters or more" },
	{ "web", "host-names", TEXT(web.host_names),
	  .help = "names of this server in URLs besides localhost, up to four, separated by spaces" },
	{ "zoom", "client-id", TEXT(zoom.client_id), .help = "of the app at Zoom's marketplace" },
	{ "zoom", "client-secret", TEXT(zoom.client_secret), .flags = FL_CONF_SECRET,
	  .help = "of the same" },
	{ "zoom", "redirect-uri", TEXT(zoom.redirect_uri),
	  .help = "where Zoom sends the browser back to, exactly as the app has it" },
	{ "zoom", "oauth-base", BASE(zoom.oauth_base, FL_ZOOM_OAUTH_BASE),
	  .help = "where people sign in and tokens come from" },
	{ "zoom", "api-base", BASE(zoom.api_base, FL_ZOOM_API_BASE), .help = "of the API" },
	{ "zoom", "ca-file", TEXT(zoom.ca_file),
	  .help = "certificates that Zoom's are checked by, in place of the system's" },
	{ "zoom", "allow-private-addresses", YES(zoom.allow_private, false),
	  .help = "also connect to loopback and private addresses" },
	{ "zoom", "webhook-secret", TEXT(zoom.webhook_secret), .flags = FL_CONF_SECRET,
	  .help = "secret token of the app's webhooks, none: they are refused" },
	{ "zoom", "live", YES(zoom.live, true), .help = "also look at meetings that go on" },
	{ "zoom", "business-plan", YES(zoom.business, true),
	  .help = "the plan is Business or higher: Zoom allows more requests" },
	{ "zoom", "discard-guest-info", YES(zoom.discard_guests, true),
	  .help = "keep no name, e-mail and address of people from outside the account" },
	{ "zoom", "keep-topic", YES(zoom.keep_topic, false), .help = "keep topics of meetings" },
	{ "zoom", "keep-comments", YES(zoom.keep_comments, false),
	  .help = "keep what people write with a rating" },
	{ "zoom", "keep-phone-numbers", YES(zoom.keep_phone_numbers, false),
	  .help = "keep numbers of people who joined by phone" },
	{ "zoom", "max-daily-api-requests", NUMBER(zoom.max_daily, 0, 10000000, 5000),
	  .help = "of each account, 0: as many as Zoom allows" },
	{ "zoom", "first-days", NUMBER(zoom.first_days, 1, 183, 30),
	  .help = "days to look back when an account is new" },
	{ "zoom", "request-rate-percent", NUMBER(zoom.rate_pct, 1, 1000000, 100),
	  .help = "of our usual rate, half of what Zoom allows; above 100 only against a test server" },
	{ "zoom", "start-delay-seconds", NUMBER(zoom.start_delay_s, 0, 3600, 20),
	  .help = "before Zoom is asked: routers first bring what they kept meanwhile" },
	{ .key = NULL },
};

const char *const fl_conf_site_keys[] = { "name",         "time-zone", "lans", "public-addresses",
					  "tunnel-pools", NULL };
const char *const fl_conf_site_help[] = {
	"as the routers name it",
	"of the tz database, for questions and their answers; none: UTC",
	"prefixes of the clients",
	"addresses of the uplinks as the Internet sees them",
	"prefixes that VPN clients get",
};
