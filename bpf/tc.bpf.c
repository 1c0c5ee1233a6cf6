// SPDX-License-Identifier: GPL-2.0
/*
 * TC entries: ingress for interfaces without XDP (and for what XDP cannot send on), egress for the
 * traffic of this host.
 */
#include "vmlinux.h"

#include "bpf/lib/ctx_tc.bpf.h"
#include "bpf/lib/dup.bpf.h"
#include "bpf/lib/pipeline.bpf.h"

/* A call of its own: of the stack that call chains share, the common path takes nearly half. */
static __noinline int fl_tc_common(struct __sk_buff *ctx)
{
	return fl_ingress_common(ctx, FL_HOOK_TC_INGRESS);
}

SEC("tc")
int fl_tc_ingress(struct __sk_buff *ctx)
{
	int result = fl_tc_common(ctx);

	if (result == FL_NOT_PLAIN)
		result = fl_ingress_uncommon(ctx, FL_HOOK_TC_INGRESS);
	return fl_verdict(result);
}

/* May this host open sessions to the packet's destination? */
static __noinline bool fl_host_destination(const struct fl_wide_key *key, __u8 family)
{
	struct fl_host_prefix prefix = { .length = 128 };

	if (family == 6) {
		__builtin_memcpy(prefix.addr, key->daddr, 16);
	} else {
		prefix.addr[10] = 0xff;
		prefix.addr[11] = 0xff;
		__builtin_memcpy(&prefix.addr[12], key->daddr, 4);
	}
	return bpf_map_lookup_elem(&fl_host_pfx, &prefix) != NULL;
}

/* A packet of this host without a flow: a session's first if a service covers it, else none of
 * ours. */
static __noinline int fl_host_miss(struct __sk_buff *ctx, const struct fl_job *job)
{
	enum fl_drop_reason denied;
	struct fl_wide_key key;

	if (fl_tuple_wide(ctx, job, true, &key) || !fl_host_destination(&key, job->pkt.family))
		return FL_DONE_KERNEL;
	denied = fl_denied(&key);
	if (denied)
		return -(int)denied;
	return FL_OWN(fl_job_punt)(ctx, FL_PUNT_NEW);
}

/* Traffic of this host, on its way out by whatever device the kernel has chosen. */
static __noinline int fl_egress_stages(struct __sk_buff *ctx)
{
	struct fl_job *job = fl_job_full();
	const struct fl_iface *iface;
	struct fl_found found = {};
	int err;

	if (!job)
		return FL_DONE_KERNEL;
	__builtin_memset(job, 0, sizeof(*job));
	job->hook = FL_HOOK_TC_EGRESS;
	job->slot = FL_NO_SLOT;
	iface = fl_iface_find(ctx->ifindex, 0, 0);
	if (fl_ctx_pull(ctx, FL_PULL_LEN) ||
	    fl_ctx_parse_l2(ctx, iface && iface->flags & FL_IFACE_L3, &job->pkt, 0))
		return FL_DONE_KERNEL;
	if (fl_parse_l3(ctx, fl_ctx_data(ctx), fl_ctx_end(ctx), &job->pkt) || !job->pkt.family)
		return FL_DONE_KERNEL;
	if (job->pkt.flags & (FL_PKT_FRAGMENT | FL_PKT_ICMP_ERROR))
		return FL_DONE_KERNEL;
	err = fl_find_flow(ctx, job, true, &found, false);
	if (err)
		return FL_DONE_KERNEL;
	if (!found.flow)
		return fl_host_miss(ctx, job);
	job->slot = found.slot;
	job->session = found.flow->session;
	if (found.flow->flags & FL_FLOW_DUP)
		return FL_GO_DUP;
	return fl_forward(ctx, job, found.flow, false);
}

SEC("tc")
int fl_tc_egress(struct __sk_buff *ctx)
{
	struct fl_settings *settings;
	__u32 zero = 0;
	int result;

	/* Only what starts here: forwarded packets came in by a device, and ours are marked. */
	if (ctx->ingress_ifindex || ctx->tc_index == FL_TC_INDEX_OURS)
		return TC_ACT_OK;
	settings = bpf_map_lookup_elem(&fl_settings, &zero);
	if (!settings || !settings->host_sessions)
		return TC_ACT_OK;
	result = fl_egress_stages(ctx);
	if (result == FL_GO_DUP)
		result = fl_ingress_rest(ctx, result);
	if (result >= (FL_DONE_SENT | FL_DONE_MARK))
		result = fl_marked(ctx, result);
	return fl_verdict(result);
}
