// SPDX-License-Identifier: Apache-2.0
/* fairlead: the command line. Finds the command by its words; the rest is in one file per family.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/cli/cli.h"

#define VERSION "0.1"

static const struct fl_cli_command commands[] = {
	{ "show sessions", "[service NAME] [tenant NAME] [peer NAME] [limit N]",
	  "sessions, two lines each", fl_cmd_show_sessions, true },
	{ "show session", "ID", "one session in full", fl_cmd_show_session, true },
	{ "show paths", "", "paths to peers: state, next hop, why down", fl_cmd_show_paths, true },
	{ "show peers", "", "peers and their waypoints", fl_cmd_show_peers, true },
	{ "show services", "", "services, who may use them, sessions", fl_cmd_show_services, true },
	{ "show fib", "", "destinations as tenants see them", fl_cmd_show_fib, true },
	{ "show interfaces", "", "interfaces: mode (XDP, TC) and why", fl_cmd_show_interfaces,
	  true },
	{ "show drops", "[all]", "packets not forwarded, by reason", fl_cmd_show_drops, true },
	{ "show stats", "[all]", "other counters, and memory", fl_cmd_show_stats, true },
	{ "show status", "", "the agent itself", fl_cmd_show_status, true },
	{ "explain", "[INTERFACE|host PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] | session ID]",
	  "who may reach what; or why a packet goes where, or is denied", fl_cmd_explain, false },
	{ "clear session", "ID|all", "end sessions, here and at peers", fl_cmd_clear_session,
	  false },
	{ "config check", "FILE", "find errors in a file; needs no agent", fl_cmd_config_check,
	  false },
	{ "config apply", "[FILE]", "use a file, or the agent's own again", fl_cmd_config_apply,
	  false },
	{ "config diff", "FILE", "what would change", fl_cmd_config_diff, false },
	{ "config show", "[defaults]", "what is in use, without secrets", fl_cmd_config_show,
	  false },
	{ "config schema", "", "JSON schema of the file", fl_cmd_config_schema, false },
	{ "doctor", "[FILE]", "is this host fit, and what to change", fl_cmd_doctor, false },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int fl_cli_usage(const char *words)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].words, words))
			fprintf(stderr, "usage: fairlead %s %s\n", words, commands[i].arguments);
	return FL_CTL_USAGE;
}

static void help(FILE *out)
{
	fprintf(out, "usage: fairlead [OPTION]... COMMAND\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %s %s\n      %s\n", commands[i].words, commands[i].arguments,
			commands[i].help);
	fprintf(out, "\n  -i, --instance NAME   agent with this instance name\n"
		     "  -s, --socket PATH     its socket\n"
		     "  -j, --json            JSON instead of tables\n"
		     "  -w, --watch[=SECONDS] show again and again (2)\n"
		     "      --version\n\n"
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

static int run(const struct fl_cli *cli, const struct fl_cli_command *command, int argc,
	       char **argv)
{
	const struct timespec wait = { .tv_sec = cli->watch_s };
	int code;

	if (!cli->watch_s)
		return command->fn(cli, argc, argv);
	if (!command->watchable) {
		fprintf(stderr, "fairlead: --watch goes with show\n");
		return FL_CTL_USAGE;
	}
	do {
		if (isatty(STDOUT_FILENO))
			printf("\033[H\033[2J");
		code = command->fn(cli, argc, argv);
		fflush(stdout);
	} while (code == FL_CTL_OK && !nanosleep(&wait, NULL) && !ferror(stdout));
	return code;
}

/* The longest command that fits: "show session X" is not "show sessions". */
static int dispatch(const struct fl_cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		int used = match(commands[i].words, argc, argv);

		if (used)
			return run(cli, &commands[i], argc - used, argv + used);
	}
	fprintf(stderr, "fairlead: no command \"%s%s%s\"; `fairlead --help` lists them\n",
		argc ? argv[0] : "", argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	return FL_CTL_USAGE;
}

static int parse_watch(struct fl_cli *cli, const char *arg)
{
	char *end;
	unsigned long s = arg ? strtoul(arg, &end, 10) : 2;

	if (arg && (*end || !*arg || !s || s > 3600)) {
		fprintf(stderr, "fairlead: --watch takes 1 to 3600 seconds\n");
		return -1;
	}
	cli->watch_s = (unsigned int)s;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "instance", required_argument, NULL, 'i' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct fl_cli cli = { .instance = "" };
	int c;

	fl_client_socket("", cli.socket);
	while ((c = getopt_long(argc, argv, "i:s:jw::h", longs, NULL)) != -1) {
		switch (c) {
		case 'i':
			cli.instance = optarg;
			fl_client_socket(optarg, cli.socket);
			break;
		case 's':
			snprintf(cli.socket, sizeof(cli.socket), "%s", optarg);
			break;
		case 'j':
			cli.json = true;
			break;
		case 'w':
			if (parse_watch(&cli, optarg) < 0)
				return FL_CTL_USAGE;
			break;
		case 'h':
			help(stdout);
			return FL_CTL_OK;
		case 'V':
			printf("fairlead %s\n", VERSION);
			return FL_CTL_OK;
		default:
			help(stderr);
			return FL_CTL_USAGE;
		}
	}
	if (optind == argc) {
		help(stderr);
		return FL_CTL_USAGE;
	}
	return dispatch(&cli, argc - optind, argv + optind);
}
