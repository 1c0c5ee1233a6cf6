// SPDX-License-Identifier: GPL-2.0
/*
 * Marks that travel alone (svr-protocol.md 4, step 7). A side without user traffic of its own lets
 * the agent send what its peer is owed; the scope is written here all the same, where its lock can
 * be held. The agent runs the program on a struct fl_fpm_reply (BPF_PROG_TEST_RUN).
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
