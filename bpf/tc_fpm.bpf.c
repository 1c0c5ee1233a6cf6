// SPDX-License-Identifier: GPL-2.0
/*
 * Marks that the agent has to do with (svr-protocol.md 4). A side without user traffic of its own
 * lets it send what its peer is owed (step 7); and marks beside other metadata are read by it. The
 * scope is written here all the same, where its lock can be held. The agent runs the programs on a
 * struct fl_fpm_reply or fl_fpm_heard (BPF_PROG_TEST_RUN).
 */
#include "vmlinux.h"

#include "bpf/maps.bpf.h"

SEC("tc")
int fl_fpm_reply(struct __sk_buff *ctx)
{
	struct fl_fpm_reply *reply = (void *)(long)ctx->data;
	struct fl_fpm_mark mark = {};
	struct fl_fpm_slot *slot;
	__u64 now = bpf_ktime_get_ns();
	bool owed;
	__u32 key;

	if ((void *)(reply + 1) > (void *)(long)ctx->data_end)
		return 0;
	key = reply->slot;
	slot = bpf_map_lookup_elem(&fl_fpm_scopes, &key);
	if (!slot)
		return 0;
	bpf_spin_lock(&slot->lock);
	owed = slot->scope.rx.flags & FL_FPM_RX_OWED;
	if (owed)
		fl_fpm_generate(&slot->scope.tx, &slot->scope.rx, now, &mark);
	bpf_spin_unlock(&slot->lock);
	reply->mark = mark;
	return owed ? FL_FPM_REPLY_OWED : 0;
}

SEC("tc")
int fl_fpm_heard(struct __sk_buff *ctx)
{
	const struct fl_fpm_heard *heard = (void *)(long)ctx->data;
	__u64 now = bpf_ktime_get_ns();
	struct fl_fpm_slot *slot;
	struct fl_fpm_mark mark;
	__u32 key, session;

	if ((const void *)(heard + 1) > (void *)(long)ctx->data_end)
		return 0;
	key = heard->slot;
	session = heard->session;
	mark = heard->mark;
	slot = bpf_map_lookup_elem(&fl_fpm_scopes, &key);
	if (!slot)
		return 0;
	bpf_spin_lock(&slot->lock);
	fl_fpm_take(&slot->scope, &mark, now);
	if (session)
		slot->session = session;
	bpf_spin_unlock(&slot->lock);
	return 0;
}
