// SPDX-License-Identifier: Apache-2.0
/*
 * doctor: is this host fit for Fairlead? Looks for itself, and asks the agent if there is one.
 * Every finding comes with what to do about it. Devices are in doctor_device.c.
 */
#include "agent/cli/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"
#include "agent/config/config.h"

/* Peers' clocks may differ by this much (svr-protocol.md 2.8). */
#define CLOCK_WINDOW_US 2000000
/* Keys take some pages each: ample for the 8 generations of a few policies (chosen). */
#define MEMLOCK_MIN (1 << 20)

void fl_doctor_say(struct fl_doctor *d, enum fl_doctor_level level, const char *cure,
		   const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warn", "FAIL" };
	struct fl_json *o = fl_json_add_object(d->list, NULL);
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->failed |= level == FL_DOCTOR_FAIL;
	fl_json_add_string(o, "level", words[level]);
	fl_json_add_string(o, "finding", text);
	fl_json_add_string(o, "cure", cure);
	if (d->json)
		return;
	printf("%-4s  %s\n", words[level], fl_text_clean(text));
	if (cure)
		printf("      -> %s\n", cure);
}

void fl_doctor_read(const char *path, char *text, int size)
{
	FILE *f = fopen(path, "re");

	text[0] = 0;
	if (!f)
		return;
	if (!fgets(text, size, f))
		text[0] = 0;
	text[strcspn(text, "\n")] = 0;
	fclose(f);
}

/* --- the host ----------------------------------------------------------------------------------
 */

static void check_kernel(struct fl_doctor *d)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;
	struct statfs fs;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	if (major > 6 || (major == 6 && minor >= 1))
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "kernel %s", name.release);
	else
		fl_doctor_say(d, FL_DOCTOR_FAIL, "use kernel 6.1 or newer (Debian 12 has it)",
			      "kernel %s is too old", name.release);
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "the kernel has type information (BTF)");
	else
		fl_doctor_say(
			d, FL_DOCTOR_FAIL,
			"use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as Debian's are",
			"no /sys/kernel/btf/vmlinux: BPF programs cannot be fitted to this kernel");
	if (!statfs("/sys/fs/bpf", &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC)
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "/sys/fs/bpf is a bpffs");
	else
		fl_doctor_say(d, FL_DOCTOR_FAIL, "mount -t bpf bpf /sys/fs/bpf",
			      "/sys/fs/bpf is no bpffs: sessions could not outlive the agent");
}

/* The file is in the first network namespace only, and root's. */
static void check_jit(struct fl_doctor *d)
{
	char jit[8];

	fl_doctor_read("/proc/sys/net/core/bpf_jit_enable", jit, sizeof(jit));
	if (!jit[0])
		fl_doctor_say(d, FL_DOCTOR_OK,
			      "as root, in the host's own namespace: sysctl "
			      "net.core.bpf_jit_enable",
			      "whether BPF programs are compiled (JIT) cannot be seen from here");
	else if (jit[0] != '0')
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "BPF programs are compiled (JIT)");
	else
		fl_doctor_say(d, FL_DOCTOR_WARN, "sysctl -w net.core.bpf_jit_enable=1",
			      "BPF programs are interpreted: slow");
}

static void check_privileges(struct fl_doctor *d)
{
	static const struct {
		unsigned int number;
		const char *name;
	} needed[] = { { CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		       { CAP_NET_RAW, "CAP_NET_RAW" },
		       { CAP_BPF, "CAP_BPF" },
		       { CAP_PERFMON, "CAP_PERFMON" } };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	char missing[128] = "";

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		unsigned int n = needed[i].number;

		if (data[n / 32].effective & (1u << (n % 32)))
			continue;
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s",
			 needed[i].name);
	}
	if (missing[0])
		fl_doctor_say(d, FL_DOCTOR_WARN, "run fairleadd by its systemd unit, or as root",
			      "this user could not run the agent: it lacks%s", missing);
	else
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "this user has what the agent needs");
}

/* libsodium locks keys in memory; maps do not count from kernel 5.11 on. */
static void check_memlock(struct fl_doctor *d)
{
	struct rlimit limit;
	char text[32];

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "memory may be locked without limit");
	else if (limit.rlim_cur >= MEMLOCK_MIN)
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "%s of memory may be locked, enough for keys",
			      fl_bytes_text(limit.rlim_cur, text));
	else
		fl_doctor_say(d, FL_DOCTOR_WARN,
			      "ulimit -l 8192 (the systemd unit sets LimitMEMLOCK=infinity)",
			      "only %s of memory may be locked: keys might not fit",
			      fl_bytes_text(limit.rlim_cur, text));
}

/* Time-based HMACs want clocks within 2 s of each other (2.8). */
static void check_clock(struct fl_doctor *d)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	if (state < 0 || state == TIME_ERROR || t.status & STA_UNSYNC)
		fl_doctor_say(d, FL_DOCTOR_WARN,
			      "apt install chrony (or: timedatectl set-ntp true), on peers, too",
			      "nothing keeps the clock right: time-based HMACs fail when it is off "
			      "by 2 s");
	else if (t.maxerror >= CLOCK_WINDOW_US)
		fl_doctor_say(d, FL_DOCTOR_WARN, "chronyc sources (are they reached?)",
			      "the clock may be wrong by %ld ms; peers accept 2 s",
			      t.maxerror / 1000);
	else
		fl_doctor_say(d, FL_DOCTOR_OK, NULL,
			      "the clock is synchronised, wrong by %ld ms at most",
			      t.maxerror / 1000);
}

/* Clocks that are read by way of a device cost a microsecond each time. */
static void check_clock_source(struct fl_doctor *d)
{
	static const char *const slow[] = { "hpet", "acpi_pm", "pit", "jiffies",
					    "refined-jiffies" };
	static const char path[] = "/sys/devices/system/clocksource/clocksource0/";
	char name[32], file[96];

	snprintf(file, sizeof(file), "%scurrent_clocksource", path);
	fl_doctor_read(file, name, sizeof(name));
	if (!name[0])
		return;
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		if (strcmp(name, slow[i]) != 0)
			continue;
		snprintf(file, sizeof(file), "cat %savailable_clocksource", path);
		fl_doctor_say(d, FL_DOCTOR_WARN, file, "clock source %s is slow to read", name);
		return;
	}
	fl_doctor_say(d, FL_DOCTOR_OK, NULL, "clock source %s", name);
}

/*
 * Source NAT does not know this host's own sockets: with one port toward the same server, answers
 * are the session's.
 */
static void check_ports(struct fl_doctor *d)
{
	unsigned int lo = 0, hi = 0;
	char text[32];

	fl_doctor_read("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text));
	if (sscanf(text, "%u %u", &lo, &hi) != 2)
		return;
	if (hi < FL_NAPT_PORT_LO)
		fl_doctor_say(d, FL_DOCTOR_OK, NULL,
			      "source NAT and this host's own connections use different ports");
	else
		fl_doctor_say(d, FL_DOCTOR_WARN,
			      "sysctl -w net.ipv4.ip_local_port_range='1024 16383'",
			      "this host's own connections may take ports of source NAT (from %d "
			      "on), and then get no answers",
			      FL_NAPT_PORT_LO);
}

/* --- devices -----------------------------------------------------------------------------------
 */

static bool has_vlan(const struct fl_json *list, const char *ifname)
{
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);

		if (!strcmp(fl_cli_text(o, "device"), ifname) && fl_cli_number(o, "vlan"))
			return true;
	}
	return false;
}

/* Was this device's name in the list before place @end? It has one entry an interface. */
static bool seen_before(const struct fl_json *list, size_t end, const char *ifname)
{
	for (size_t i = 0; i < end; i++)
		if (!strcmp(fl_cli_text(fl_json_at(list, i), "device"), ifname))
			return true;
	return false;
}

/* Numbers of devices are a namespace's own: are these ours? */
static bool in_our_namespace(const struct fl_json *list)
{
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);
		uint64_t ifindex = fl_cli_number(o, "ifindex");

		if (ifindex && if_nametoindex(fl_cli_text(o, "device")) != ifindex)
			return false;
	}
	return true;
}

static void check_agent_devices(struct fl_doctor *d, const struct fl_json *list)
{
	bool nat = false;

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);
		const char *ifname = fl_json_get_string(fl_json_member(o, "device"));
		struct fl_doctor_device dev = {
			.ifname = ifname,
			.mode = fl_json_get_string(fl_json_member(o, "mode")),
			.status = fl_json_get_string(fl_json_member(o, "status")),
			.reason = fl_json_get_string(fl_json_member(o, "reason")),
		};

		nat |= fl_json_get_bool(fl_json_member(o, "source-nat"));
		if (!ifname || !dev.mode || !dev.status || seen_before(list, i, ifname))
			continue;
		dev.vlan = has_vlan(list, ifname);
		fl_doctor_device(d, &dev);
	}
	if (nat)
		check_ports(d);
}

/* What the agent says of its devices, and what we see of them, if we do. */
static void ask_devices(struct fl_doctor *d, const struct fl_cli *cli, uint64_t pid)
{
	struct fl_json *request = fl_cli_request("show interfaces"), *reply;
	const struct fl_json *list;
	char cure[256];

	fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	list = fl_json_member(fl_json_member(reply, "data"), "interfaces");
	if (in_our_namespace(list)) {
		check_agent_devices(d, list);
	} else {
		snprintf(cure, sizeof(cure),
			 "nsenter --net=/proc/%" PRIu64 "/ns/net fairlead -s %s doctor", pid,
			 cli->socket);
		fl_doctor_say(
			d, FL_DOCTOR_WARN, cure,
			"the agent's devices are in another network namespace: not looked at");
	}
	fl_json_free(reply);
}

/* By the agent, who knows the mode that was taken. Return: does it answer? */
static bool check_running(struct fl_doctor *d, const struct fl_cli *cli)
{
	struct fl_json *request, *reply = NULL;
	int code;

	if (access(cli->socket, F_OK) < 0 && errno == ENOENT) {
		fl_doctor_say(d, FL_DOCTOR_WARN, "systemctl start fairleadd",
			      "the agent does not run (there is no %s)", cli->socket);
		return false;
	}
	request = fl_cli_request("show status");
	code = fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	if (code == FL_CTL_OK)
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "the agent runs and answers at %s",
			      cli->socket);
	else if (code == FL_CTL_PERMISSION)
		fl_doctor_say(d, FL_DOCTOR_WARN, "sudo fairlead doctor",
			      "this user may not ask the agent");
	else
		fl_doctor_say(d, FL_DOCTOR_WARN, "systemctl status fairleadd",
			      "the agent does not answer at %s", cli->socket);
	if (code == FL_CTL_OK)
		ask_devices(d, cli, fl_cli_number(fl_json_member(reply, "data"), "pid"));
	fl_json_free(reply);
	return code == FL_CTL_OK;
}

static void check_file_devices(struct fl_doctor *d, const struct fl_config *config)
{
	static const char *const modes[] = { [FL_CFG_DEVICE_AUTO] = "auto",
					     [FL_CFG_DEVICE_XDP] = "xdp",
					     [FL_CFG_DEVICE_TC] = "tc" };

	bool nat = false;

	for (size_t i = 0; i < config->router.n_device_interface; i++) {
		const struct fl_cfg_device_interface *cfg = &config->router.device_interface[i];
		struct fl_doctor_device dev = { .ifname = cfg->ifname, .mode = modes[cfg->mode] };

		for (size_t j = 0; j < cfg->n_network_interface; j++) {
			dev.vlan |= cfg->network_interface[j].vlan != 0;
			nat |= cfg->network_interface[j].source_nat;
		}
		fl_doctor_device(d, &dev);
	}
	if (nat)
		check_ports(d);
}

/* The file; and its devices, unless the agent has told about its own. */
static void check_file(struct fl_doctor *d, const char *path, bool devices)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	int err = fl_config_load_file(path, &config, &errors);
	char cure[320];

	snprintf(cure, sizeof(cure), "fairlead config check %.256s", path);
	if (err == -EACCES)
		fl_doctor_say(d, FL_DOCTOR_WARN, "sudo fairlead doctor",
			      "this user may not read %s", path);
	else if (err)
		fl_doctor_say(d, FL_DOCTOR_FAIL, cure, "%s cannot be used: %s", path,
			      err == -EINVAL ? "it has errors" : strerror(-err));
	else if (fl_config_errors_count(errors))
		fl_doctor_say(d, FL_DOCTOR_WARN, cure, "%s can be used, with warnings", path);
	else
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "%s is good", path);
	if (config && devices)
		check_file_devices(d, config);
	fl_config_errors_free(errors);
	fl_config_free(config);
}

int fl_cmd_doctor(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *data = fl_json_new_object();
	struct fl_doctor d = { .list = fl_json_add_array(data, "findings"), .json = cli->json };
	const char *file = argc ? argv[0] : cli->config;
	bool running;

	if (argc > 1 || (argc && cli->config)) {
		fl_json_free(data);
		return fl_cli_usage("doctor");
	}
	check_kernel(&d);
	check_jit(&d);
	check_privileges(&d);
	check_memlock(&d);
	check_clock(&d);
	check_clock_source(&d);
	running = check_running(&d, cli);
	if (file || !running)
		check_file(&d, file ? file : FL_CLI_CONFIG, !running);
	fl_json_add_bool(data, "fit", !d.failed);
	if (d.json)
		fl_cli_print_json(data);
	fl_json_free(data);
	return d.failed ? FL_CTL_NO : FL_CTL_OK;
}
