// SPDX-License-Identifier: Apache-2.0
/* fairlead: the command line. Finds the command by its words; the rest is in one file per family.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/instance.h"
#include "agent/cli/cli.h"
#include "agent/cli/table.h"

#define VERSION "0.1"

#define ID_CONFIG   0x100
#define ID_DEFAULTS 0x101
#define ID_VERSION  0x102
#define ID_DETAIL   0x103
#define ID_LAST     0x104

static const struct fl_cli_command commands[] = {
	{ "show sessions", "[service NAME] [tenant NAME] [peer NAME] [limit N]",
	  "sessions, two lines each", fl_cmd_show_sessions, FL_CLI_WATCH },
	{ "show session", "ID", "one session in full", fl_cmd_show_session, FL_CLI_WATCH },
	{ "show paths", "[--detail]", "paths to peers: state, why down, quality; in full",
	  fl_cmd_show_paths, FL_CLI_WATCH | FL_CLI_DETAIL },
	{ "show fpm", "", "what user packets say about paths: latency, jitter, loss, MOS",
	  fl_cmd_show_fpm, FL_CLI_WATCH },
	{ "show peers", "", "peers, their paths and waypoints", fl_cmd_show_peers, FL_CLI_WATCH },
	{ "show services", "", "services, who may use them, sessions", fl_cmd_show_services,
	  FL_CLI_WATCH },
	{ "show fib", "", "destinations as tenants see them, and ways there", fl_cmd_show_fib,
	  FL_CLI_WATCH },
	{ "show interfaces", "", "interfaces: mode (XDP, TC) and why", fl_cmd_show_interfaces,
	  FL_CLI_WATCH },
	{ "show load-balancer", "", "services, and which path a new session would take",
	  fl_cmd_show_load_balancer, FL_CLI_WATCH },
	{ "show service-path", "", "ways to services: state, capacity, service level",
	  fl_cmd_show_service_path, FL_CLI_WATCH },
	{ "show drops", "[all]", "packets not forwarded, by reason", fl_cmd_show_drops,
	  FL_CLI_WATCH },
	{ "show stats", "[all]", "other counters, and memory", fl_cmd_show_stats, FL_CLI_WATCH },
	{ "show status", "", "the agent itself", fl_cmd_show_status, FL_CLI_WATCH },
	{ "explain", "", "who may reach what", fl_cmd_explain, 0 },
	{ "explain", "INTERFACE|host PROTOCOL SOURCE[:PORT] DESTINATION[:PORT]",
	  "why a packet from there goes where it goes, or is denied", fl_cmd_explain, 0 },
	{ "explain", "PEER PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] tenant NAME",
	  "the same for a session that a peer opens", fl_cmd_explain, 0 },
	{ "explain", "session ID",
	  "how a live session was decided, why it moved, and how it would be decided now",
	  fl_cmd_explain, 0 },
	{ "policy test", "FILE [--last 1h]",
	  "which of the sessions so far another configuration would deny or move",
	  fl_cmd_policy_test, FL_CLI_LAST },
	{ "clear session", "ID|all", "end sessions, here and at peers", fl_cmd_clear_session, 0 },
	{ "config check", "FILE", "find errors in a file; needs no agent", fl_cmd_config_check, 0 },
	{ "config apply", "[FILE]", "use a file, or the agent's own again", fl_cmd_config_apply,
	  0 },
	{ "config diff", "FILE", "what would change", fl_cmd_config_diff, 0 },
	{ "config show", "[--defaults]", "what is in use, without secrets", fl_cmd_config_show,
	  FL_CLI_DEFAULTS },
	{ "config schema", "", "JSON schema of the file; needs no agent", fl_cmd_config_schema, 0 },
	{ "zoom link", "consent PERSON [server ACCOUNT-ID] [org NAME]",
	  "link a Zoom account, by browser or by a Server-to-Server app", fl_cmd_zoom_link,
	  FL_CLI_INSIGHT },
	{ "zoom accounts", "[org NAME]", "linked Zoom accounts and how polling goes",
	  fl_cmd_zoom_accounts, FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom account", "ID [org NAME]", "one of them in full", fl_cmd_zoom_account,
	  FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom unlink", "ID [data] [org NAME]", "unlink one; data: forget what it brought",
	  fl_cmd_zoom_unlink, FL_CLI_INSIGHT },
	{ "zoom sync", "[ID] [org NAME]", "ask Zoom now", fl_cmd_zoom_sync, FL_CLI_INSIGHT },
	{ "zoom calls", "[bad] [site NAME] [client X] [search TEXT] [page N] [TIME]",
	  "calls, newest first", fl_cmd_zoom_calls, FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom clients", "[site NAME] [TIME]", "clients that were in calls", fl_cmd_zoom_clients,
	  FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom client", "NAME|MAC|ADDRESS [site NAME] [TIME]",
	  "one client: figures, calls, events", fl_cmd_zoom_client, FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom insights", "[site NAME] [TIME]", "latency, jitter, loss of a site's calls",
	  fl_cmd_zoom_insights, FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom rank", "MEETING [client X] [stream NAME] [TIME]", "what its bad minutes come from",
	  fl_cmd_zoom_rank, FL_CLI_INSIGHT },
	{ "zoom events", "[site NAME] [client X] [TIME]", "events of calls and of the router",
	  fl_cmd_zoom_events, FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "zoom sites", "", "sites that are known", fl_cmd_zoom_sites, FL_CLI_INSIGHT },
	{ "zoom checklist", "[org NAME]", "why there may be no data", fl_cmd_zoom_checklist,
	  FL_CLI_INSIGHT },
	{ "zoom status", "", "the insight service itself", fl_cmd_zoom_status,
	  FL_CLI_INSIGHT | FL_CLI_WATCH },
	{ "ask", "QUESTION", "a question in words; \"help\" shows examples", fl_cmd_ask,
	  FL_CLI_INSIGHT },
	{ "doctor", "[--config FILE]", "is this host fit, and what to change; needs no agent",
	  fl_cmd_doctor, FL_CLI_FILE },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int fl_cli_usage(const char *words)
{
	const char *lead = "usage:";

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].words, words) != 0)
			continue;
		fprintf(stderr, "%s fairlead %s %s\n", lead, words, commands[i].arguments);
		lead = "      ";
	}
	return FL_CTL_USAGE;
}

static void help(FILE *out)
{
	fprintf(out, "usage: fairlead [OPTION]... COMMAND\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %s %s\n      %s\n", commands[i].words, commands[i].arguments,
			commands[i].help);
	fprintf(out, "\n  -i, --instance NAME    agent with this instance name\n"
		     "  -s, --socket PATH      its socket\n"
		     "  -j, --json             JSON instead of tables\n"
		     "  -w, --watch [SECONDS]  show again and again (2)\n"
		     "  -h, --help\n"
		     "      --version\n\n"
		     "TIME is \"last 7d\" (m, h, d, w), or \"from WHEN to WHEN\", WHEN a date or\n"
		     "date-time as 2026-11-30T10:00; the last day if none is given\n\n"
		     "exit codes: 0 ok, 1 a negative answer, 2 usage, 3 bad configuration,\n"
		     "4 no permission, 5 the agent does not run\n");
}

struct fl_json *fl_cli_request(const char *command)
{
	struct fl_json *request = fl_json_new_object();

	fl_json_add_string(request, "command", command);
	return request;
}

void fl_cli_print_json(const struct fl_json *data)
{
	char *text = fl_json_print(data, isatty(STDOUT_FILENO) ? FL_JSON_PRETTY : FL_JSON_COMPACT);

	if (text)
		printf("%s%s", text, isatty(STDOUT_FILENO) ? "" : "\n");
	free(text);
}

static bool copy_member(void *ctx, const char *key, struct fl_json *value)
{
	fl_cli_copy(ctx, key, value);
	return true;
}

/* As deep as the parser lets values be (FL_JSON_MAX_DEPTH). */
void fl_cli_copy(struct fl_json *parent, const char *key, const struct fl_json *value)
{
	struct fl_json *list;
	uint64_t number;
	int64_t negative = 0;
	double real = 0;

	switch (fl_json_type(value)) {
	case FL_JSON_NULL:
		fl_json_add_string(parent, key, NULL);
		break;
	case FL_JSON_BOOL:
		fl_json_add_bool(parent, key, fl_json_get_bool(value));
		break;
	case FL_JSON_INT:
		if (!fl_json_get_u64(value, &number))
			fl_json_add_u64(parent, key, number);
		else if (!fl_json_get_i64(value, &negative))
			fl_json_add_i64(parent, key, negative);
		break;
	case FL_JSON_DOUBLE:
		fl_json_get_double(value, &real);
		fl_json_add_double(parent, key, real);
		break;
	case FL_JSON_STRING:
		fl_json_add_string(parent, key, fl_json_get_string(value));
		break;
	case FL_JSON_ARRAY:
		list = fl_json_add_array(parent, key);
		for (size_t i = 0; i < fl_json_count(value); i++)
			fl_cli_copy(list, NULL, fl_json_at(value, i));
		break;
	case FL_JSON_OBJECT:
		fl_json_for_each(value, copy_member, fl_json_add_object(parent, key));
		break;
	}
}

uint64_t fl_cli_number(const struct fl_json *object, const char *key)
{
	uint64_t n = 0;

	fl_json_get_u64(fl_json_member(object, key), &n);
	return n;
}

const char *fl_cli_text(const struct fl_json *object, const char *key)
{
	static char bufs[8][512];
	static unsigned int next;
	const char *s = fl_json_get_string(fl_json_member(object, key));
	char *buf = bufs[next++ % 8];

	snprintf(buf, sizeof(bufs[0]), "%s", s && *s ? s : "-");
	return fl_text_clean(buf);
}

bool fl_cli_has(const struct fl_json *object, const char *key)
{
	return fl_json_type(fl_json_member(object, key)) != FL_JSON_NULL;
}

int fl_cli_ask(const struct fl_cli *cli, struct fl_json *request, struct fl_json **ret_reply,
	       const struct fl_json **ret_data)
{
	const struct fl_json *data;
	int code = fl_client_ask(cli->socket, request, ret_reply);

	fl_json_free(request);
	*ret_data = NULL;
	data = fl_json_member(*ret_reply, "data");
	if (cli->json && data)
		fl_cli_print_json(data);
	else if (code == FL_CTL_OK)
		*ret_data = data;
	return code;
}

/* How many words of @argv are the command's; 0: another command. */
static int match(const char *words, int argc, char **argv)
{
	int used = 0;

	while (*words) {
		size_t len = strcspn(words, " ");

		if (used == argc || strlen(argv[used]) != len ||
		    strncmp(argv[used], words, len) != 0)
			return 0;
		used++;
		words += len + (words[len] == ' ');
	}
	return used;
}

/* The first time must succeed; then an agent that restarts is waited for. */
static int watch(const struct fl_cli *cli, const struct fl_cli_command *command, int argc,
		 char **argv)
{
	const struct timespec wait = { .tv_sec = cli->watch_s };
	bool shown = false;
	int code;

	for (;;) {
		if (isatty(STDOUT_FILENO))
			printf("\033[H\033[2J");
		code = command->fn(cli, argc, argv);
		fflush(stdout);
		shown |= code == FL_CTL_OK;
		if (code != FL_CTL_OK && !(shown && code == FL_CTL_UNREACHABLE))
			return code;
		if (ferror(stdout) || nanosleep(&wait, NULL) < 0)
			return code;
	}
}

static int run(const struct fl_cli *given, const struct fl_cli_command *command, int argc,
	       char **argv)
{
	struct fl_cli insight = *given;
	const struct fl_cli *cli = given;
	const char *unfit = cli->watch_s && !(command->options & FL_CLI_WATCH)       ? "--watch"
			    : cli->defaults && !(command->options & FL_CLI_DEFAULTS) ? "--defaults"
			    : cli->detail && !(command->options & FL_CLI_DETAIL)     ? "--detail"
			    : cli->last_s && !(command->options & FL_CLI_LAST)       ? "--last"
			    : cli->config && !(command->options & FL_CLI_FILE)       ? "--config"
										     : NULL;

	if (unfit) {
		fprintf(stderr, "fairlead: %s does not go with %s\n", unfit, command->words);
		return FL_CTL_USAGE;
	}
	if (command->options & FL_CLI_INSIGHT) {
		insight.socket = given->given_socket ? given->given_socket : FL_CLI_INSIGHT_SOCKET;
		cli = &insight;
		fl_client_set_daemon("fairlead-insightd");
	}
	return cli->watch_s ? watch(cli, command, argc, argv) : command->fn(cli, argc, argv);
}

/* No such command: say which there are that begin like it. */
static int unknown(int argc, char **argv)
{
	size_t len = strlen(argv[0]);
	bool any = false;

	for (size_t i = 0; i < COMMANDS; i++) {
		const struct fl_cli_command *c = &commands[i];

		if (strncmp(c->words, argv[0], len) != 0 || c->words[len] != ' ')
			continue;
		fprintf(stderr, "%s fairlead %s %s\n", any ? "      " : "usage:", c->words,
			c->arguments);
		any = true;
	}
	if (!any)
		fprintf(stderr, "fairlead: no command \"%s%s%s\"; `fairlead --help` lists them\n",
			argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	return FL_CTL_USAGE;
}

/* Words are compared whole: "show session X" is not "show sessions". */
static int dispatch(const struct fl_cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		int used = match(commands[i].words, argc, argv);

		if (used)
			return run(cli, &commands[i], argc - used, argv + used);
	}
	return unknown(argc, argv);
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* @arg: what is written with it, or the word behind if that is a number; NULL: nothing. */
static int parse_watch(struct fl_cli *cli, const char *arg)
{
	unsigned long s = arg ? strtoul(arg, NULL, 10) : 2;

	if (arg && (!is_number(arg) || !s || s > 3600)) {
		fprintf(stderr, "fairlead: --watch takes 1 to 3600 seconds\n");
		return FL_CTL_USAGE;
	}
	cli->watch_s = (unsigned int)s;
	return FL_CTL_OK;
}

/* "90s", "30m", "1h", "2d"; a bare number is seconds. */
static int parse_last(struct fl_cli *cli, const char *arg)
{
	static const struct {
		char unit;
		unsigned int s;
	} units[] = { { 0, 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*end != units[i].unit || (*end && end[1]))
			continue;
		if (arg[0] < '0' || arg[0] > '9' || !n || n > 31536000 / units[i].s)
			break;
		cli->last_s = (unsigned int)n * units[i].s;
		return FL_CTL_OK;
	}
	fprintf(stderr, "fairlead: --last takes a time like 90s, 30m, 1h or 2d\n");
	return FL_CTL_USAGE;
}

static int parse_instance(struct fl_cli *cli, const char *name)
{
	static char path[FL_CLIENT_PATH];

	if (!fl_instance_is_name(name)) {
		fprintf(stderr, "fairlead: \"%s\": " FL_INSTANCE_RULE "\n", name);
		return FL_CTL_USAGE;
	}
	fl_client_socket(name, path);
	cli->socket = path;
	return FL_CTL_OK;
}

/* Options may stand anywhere (getopt_long moves them to the front). Return: FL_CTL_OK; -1 if there
 * is nothing more to do; an exit code. */
static int parse_option(struct fl_cli *cli, int c, int argc, char **argv)
{
	switch (c) {
	case 'i':
		return parse_instance(cli, optarg);
	case 's':
		cli->socket = cli->given_socket = optarg;
		return FL_CTL_OK;
	case 'j':
		cli->json = true;
		return FL_CTL_OK;
	case 'w':
		if (!optarg && optind < argc && is_number(argv[optind]))
			optarg = argv[optind++];
		return parse_watch(cli, optarg);
	case ID_LAST:
		return parse_last(cli, optarg);
	case ID_CONFIG:
		cli->config = optarg;
		return FL_CTL_OK;
	case ID_DEFAULTS:
		cli->defaults = true;
		return FL_CTL_OK;
	case ID_DETAIL:
		cli->detail = true;
		return FL_CTL_OK;
	case 'h':
		help(stdout);
		return -1;
	case ID_VERSION:
		printf("fairlead %s\n", VERSION);
		return -1;
	default: /* getopt_long has said what is wrong */
		fprintf(stderr, "`fairlead --help` lists commands and options\n");
		return FL_CTL_USAGE;
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "instance", required_argument, NULL, 'i' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "config", required_argument, NULL, ID_CONFIG },
		{ "defaults", no_argument, NULL, ID_DEFAULTS },
		{ "detail", no_argument, NULL, ID_DETAIL },
		{ "last", required_argument, NULL, ID_LAST },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, ID_VERSION },
		{ 0 },
	};
	struct fl_cli cli = { 0 };
	int c, code = parse_instance(&cli, "");

	while (code == FL_CTL_OK && (c = getopt_long(argc, argv, "i:s:jw::h", longs, NULL)) != -1)
		code = parse_option(&cli, c, argc, argv);
	if (code != FL_CTL_OK)
		return code < 0 ? FL_CTL_OK : code;
	if (optind == argc) {
		help(stderr);
		return FL_CTL_USAGE;
	}
	return dispatch(&cli, argc - optind, argv + optind);
}
