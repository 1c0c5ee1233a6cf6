// SPDX-License-Identifier: Apache-2.0
/*
 * doctor: is this host fit for Fairlead? Looks for itself, and asks the agent if there is one.
 * Every finding comes with what to do about it.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/cli/cli.h"
#include "agent/config/config.h"

#define CONFIG_DEFAULT "/etc/fairlead/fairlead.json"

enum level {
	FINE,
	WARN,
	FAIL,
};

struct doctor {
	struct fl_json *list;
	bool json;
	bool failed;
};

/* One finding; @cure: what to do, NULL for nothing. */
static void say(struct doctor *d, enum level level, const char *cure, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, enum level level, const char *cure, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warn", "FAIL" };
	struct fl_json *o = fl_json_add_object(d->list, NULL);
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->failed |= level == FAIL;
	fl_json_add_string(o, "level", words[level]);
	fl_json_add_string(o, "finding", text);
	fl_json_add_string(o, "cure", cure);
	if (d->json)
		return;
	printf("%-4s  %s\n", words[level], text);
	if (cure)
		printf("      -> %s\n", cure);
}

/* First line of a small file, or "" . */
static void read_line(const char *path, char *text, int size)
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

/* --- the kernel --------------------------------------------------------------------------------
 */

static void check_kernel(struct doctor *d)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;
	struct statfs fs;
	char jit[8];

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	if (major > 6 || (major == 6 && minor >= 1))
		say(d, FINE, NULL, "kernel %s", name.release);
	else
		say(d, FAIL, "use kernel 6.1 or newer (Debian 12 has it)", "kernel %s is too old",
		    name.release);
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		say(d, FINE, NULL, "the kernel has type information (BTF)");
	else
		say(d, FAIL, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as Debian's are",
		    "no /sys/kernel/btf/vmlinux: BPF programs cannot be fitted to this kernel");
	if (!statfs("/sys/fs/bpf", &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC)
		say(d, FINE, NULL, "/sys/fs/bpf is a bpffs");
	else
		say(d, FAIL, "mount -t bpf bpf /sys/fs/bpf",
		    "/sys/fs/bpf is no bpffs: sessions could not outlive the agent");
	read_line("/proc/sys/net/core/bpf_jit_enable", jit, sizeof(jit));
	if (!jit[0] || jit[0] != '0')
		say(d, FINE, NULL, "BPF programs are compiled (JIT)");
	else
		say(d, WARN, "sysctl -w net.core.bpf_jit_enable=1",
		    "BPF programs are interpreted: slow");
}

static void check_privileges(struct doctor *d)
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
		say(d, WARN, "run fairleadd by its systemd unit, or as root",
		    "this user could not run the agent: it lacks%s", missing);
	else
		say(d, FINE, NULL, "this user has what the agent needs");
}

/* Time-based HMACs want clocks within 2 s of each other (2.8). */
static void check_clock(struct doctor *d)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	if (state >= 0 && !(t.status & STA_UNSYNC))
		say(d, FINE, NULL, "the clock is synchronised, error at most %ld ms",
		    t.maxerror / 1000);
	else
		say(d, WARN, "apt install chrony (peers must agree within 2 s)",
		    "nothing synchronises the clock: time-based HMACs may fail");
}

/* --- devices -----------------------------------------------------------------------------------
 */

static int ethtool(const char *ifname, void *data)
{
	struct ifreq ifr = { .ifr_data = data };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	err = ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static bool offload_on(const char *ifname, uint32_t command)
{
	struct ethtool_value value = { .cmd = command };

	return !ethtool(ifname, &value) && value.data;
}

static void check_offloads(struct doctor *d, const char *ifname, const char *mode)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	char cure[128];

	if (ethtool(ifname, &info) < 0 || strncmp(mode, "xdp", 3) != 0)
		return;
	if (!ethtool(ifname, &flags) && flags.data & ETH_FLAG_LRO) {
		snprintf(cure, sizeof(cure), "ethtool -K %.15s lro off", ifname);
		say(d, FAIL, cure, "%s joins packets in hardware (LRO), which XDP must not see",
		    ifname);
	}
	if (!strcmp(info.driver, "veth")) {
		snprintf(cure, sizeof(cure), "at its other end: ethtool -K DEV tx off gro on");
		say(d, WARN, cure,
		    "%s is a veth in XDP mode: its other end must complete checksums itself and "
		    "have GRO on (or use mode \"tc\" here)",
		    ifname);
	}
	if (!strcmp(info.driver, "veth") && !offload_on(ifname, ETHTOOL_GGRO))
		say(d, FINE, NULL, "%s takes XDP frames by its own program", ifname);
}

static void check_device(struct doctor *d, const struct fl_json *o)
{
	const char *ifname = fl_json_get_string(fl_json_member(o, "device"));
	const char *mode = fl_json_get_string(fl_json_member(o, "mode"));
	const char *status = fl_json_get_string(fl_json_member(o, "status"));
	const char *reason = fl_json_get_string(fl_json_member(o, "reason"));
	uint64_t mtu = 0;

	if (!ifname || !mode || !status)
		return;
	reason = reason && *reason ? reason : "as configured";
	if (!strcmp(status, "failed") || !strcmp(status, "missing"))
		say(d, FAIL, NULL, "%s: %s", ifname, reason);
	else if (!strcmp(status, "down"))
		say(d, WARN, "check cable and peer, or `ip link set DEV up`", "%s is down", ifname);
	else
		say(d, FINE, NULL, "%s: %s (%s)", ifname, mode, reason);
	if (!strcmp(mode, "xdp-generic"))
		say(d, WARN, NULL, "%s: generic XDP is slower than mode \"tc\"", ifname);
	fl_json_get_u64(fl_json_member(o, "mtu"), &mtu);
	if (mtu > 9216)
		say(d, WARN, "ip link set DEV mtu 9000", "%s: frames above 9216 bytes are cut",
		    ifname);
	check_offloads(d, ifname, mode);
}

/* By the agent, who knows the mode that was taken. */
static bool check_running(struct doctor *d, const struct fl_cli *cli)
{
	struct fl_json *request, *reply = NULL;
	const struct fl_json *list;

	if (access(cli->socket, F_OK) < 0)
		return false;
	request = fl_cli_request("show interfaces");
	if (fl_client_ask(cli->socket, request, &reply) == FL_CTL_OK)
		say(d, FINE, NULL, "the agent runs and answers at %s", cli->socket);
	fl_json_free(request);
	if (!reply)
		return false;
	list = fl_json_member(fl_json_member(reply, "data"), "interfaces");
	for (size_t i = 0; i < fl_json_count(list); i++)
		check_device(d, fl_json_at(list, i));
	fl_json_free(reply);
	return true;
}

/* By the file, when no agent runs. */
static void check_file(struct doctor *d, const char *path)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	char cure[160], kind[64];
	int err = fl_config_load_file(path, &config, &errors);

	fl_config_errors_free(errors);
	if (err) {
		snprintf(cure, sizeof(cure), "fairlead config check %.100s", path);
		say(d, FAIL, cure, "%s cannot be used: %s", path,
		    err == -EINVAL ? "it has errors" : strerror(-err));
		return;
	}
	say(d, FINE, NULL, "%s is good", path);
	for (size_t i = 0; i < config->router.n_device_interface; i++) {
		const char *ifname = config->router.device_interface[i].ifname;

		snprintf(kind, sizeof(kind), "/sys/class/net/%.15s", ifname);
		if (access(kind, F_OK) < 0)
			say(d, FAIL, "ip link (is the name right?)", "there is no device %s",
			    ifname);
		else
			say(d, FINE, NULL, "device %s exists", ifname);
	}
	fl_config_free(config);
}

int fl_cmd_doctor(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *data = fl_json_new_object();
	struct doctor d = { .list = fl_json_add_array(data, "findings"), .json = cli->json };

	if (argc > 1) {
		fl_json_free(data);
		return fl_cli_usage("doctor");
	}
	check_kernel(&d);
	check_privileges(&d);
	check_clock(&d);
	if (argc || !check_running(&d, cli)) {
		if (!argc)
			say(&d, WARN, "systemctl start fairleadd", "the agent does not run");
		check_file(&d, argc ? argv[0] : CONFIG_DEFAULT);
	}
	if (d.json)
		fl_cli_print_json(data);
	fl_json_free(data);
	return d.failed ? FL_CTL_NO : FL_CTL_OK;
}
