# SPDX-License-Identifier: Apache-2.0
# One makefile, not recursive; everything built goes to build/. `make help` lists the targets.

B        ?= build
V        ?= 0
CC       ?= gcc
CLANG    ?= clang
BPFTOOL  ?= bpftool
PREFIX   ?= /usr
DESTDIR  ?=

ifeq ($(V),0)
Q     := @
say    = @printf '  %-8s %s\n' $(1) $(2)
else
Q     :=
say    =
endif

# SAN=1 builds with address and undefined-behaviour sanitizers, beside the normal build.
ifdef SAN
B      := build/san
# gcc 12 sees conversions in the checks that it puts around shifts; the normal build warns of real ones.
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
            -Wno-conversion
endif

PKGS     := libbpf libsodium libcrypto json-c libsystemd libmnl
PKG_CFLAGS := $(subst -I,-isystem ,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS_SQLITE := $(shell pkg-config --libs sqlite3 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
# For what talks to Zoom, and nothing else.
ZOOM_LIBS := $(shell pkg-config --libs libcurl 2>/dev/null)

WARN     := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wold-style-definition -Wvla -Wundef -Wformat=2 \
            -Wnull-dereference -Wswitch-enum -Wimplicit-fallthrough -Wcast-qual \
            -Wwrite-strings -Wpointer-arith -Werror
GCC_WARN := -Wlogical-op -Wduplicated-cond -Wduplicated-branches
CLANG_WARN := -Wcomma -Wunreachable-code -Wconditional-uninitialized
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
WARN     += $(if $(IS_CLANG),$(CLANG_WARN),$(GCC_WARN))
HARDEN   := -fstack-protector-strong -fPIE -fno-common $(if $(SAN),,-D_FORTIFY_SOURCE=2)
# What only tests run need not be fast, but soon there.
CFLAGS   ?= $(if $(SAN),-O1 -g1,-O2 -g)
override CFLAGS += -std=gnu11 -D_GNU_SOURCE $(WARN) $(HARDEN) $(SANFLAGS) -I. -isystem $(B)/gen $(PKG_CFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANFLAGS)

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wshadow -Wundef -I.

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

## all: build the daemon, the CLI and the BPF object
all: $(B)/bpf/fairlead.bpf.o $(if $(wildcard agent/main.c),$(B)/fairleadd) \
     $(if $(wildcard agent/cli/*.c),$(B)/fairlead) $(B)/fairlead-insightd

# --- data plane: separate objects, linked into one, one skeleton -----------------------------

BPF_SRCS := $(wildcard bpf/*.bpf.c)
BPF_OBJS := $(BPF_SRCS:bpf/%.bpf.c=$(B)/bpf/%.o)

$(B)/bpf/%.o: bpf/%.bpf.c vmlinux.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(B)/bpf/fairlead.bpf.o: $(BPF_OBJS)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/gen/fairlead.skel.h: $(B)/bpf/fairlead.bpf.o
	$(call say,SKEL,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name fairlead_bpf > $@

# --- store: the schema files, in the order of their numbers, as an array of texts ---------------

$(B)/gen/store_schema.h: $(sort $(wildcard schemas/store/*.sql))
	$(call say,SCHEMA,$@)
	@mkdir -p $(@D)
	$(Q){ echo 'static const char *const store_schema[] = {'; for f in $^; do \
		sed -e 's/--.*//' -e '/^ *$$/d' -e 's/["\\]/\\&/g' -e 's/.*/"&\\n"/' $$f; echo ','; done; \
		echo '};'; } > $@

$(B)/agent/insight/store.o $(B)/fuzz/obj/agent/insight/store.o: $(B)/gen/store_schema.h

# --- web page: its files as arrays; uPlot comes from npm, at the version of package-lock.json --------

WEB_DIR   := agent/insight/web
WEB_NPM   := build/npm/web
UPLOT     := $(WEB_NPM)/node_modules/uplot
WEB_FILES := $(foreach f,$(wildcard $(addprefix $(WEB_DIR)/,*.html *.css *.js *.svg)),$(f)=/$(notdir $(f))) \
             $(UPLOT)/dist/uPlot.iife.min.js=/vendor/uPlot.iife.min.js \
             $(UPLOT)/dist/uPlot.min.css=/vendor/uPlot.min.css $(UPLOT)/LICENSE=/vendor/uPlot.LICENSE
WEB_LIBS  := $(shell pkg-config --libs libmicrohttpd 2>/dev/null)

# A folder with package.json and its lock beside it, installed below build/.
npm_ci = @mkdir -p $(2) && cp $(1)/package.json $(1)/package-lock.json $(2)/ && \
	cd $(2) && npm ci --omit=optional --no-audit --no-fund --loglevel=error >/dev/null && touch .done

$(WEB_NPM)/.done: $(WEB_DIR)/package.json $(WEB_DIR)/package-lock.json | $(NPM_AFTER)
	$(call say,NPM,$@)
	$(call npm_ci,$(WEB_DIR),$(WEB_NPM))

build/npm/test/.done: test/web/package.json test/web/package-lock.json | $(NPM_AFTER)
	$(call say,NPM,$@)
	$(call npm_ci,test/web,build/npm/test)

$(B)/gen/web_assets.c: $(WEB_DIR)/embed.sh $(wildcard $(WEB_DIR)/*) $(WEB_NPM)/.done
	$(call say,WEB,$@)
	@mkdir -p $(@D)
	$(Q)$(WEB_DIR)/embed.sh $(WEB_FILES) > $@

$(B)/gen/web_assets.o: $(B)/gen/web_assets.c
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

# --- user space -------------------------------------------------------------------------------

objs = $(patsubst %.c,$(B)/%.o,$(wildcard $(addsuffix /*.c,$(1))))

DAEMON_DIRS := agent/base agent/codec agent/config agent/crypto agent/session agent/path agent/net \
               agent/bfd agent/dp agent/export agent/api
CLI_DIRS    := agent/base agent/codec agent/config agent/crypto agent/cli

$(B)/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# Only these know the skeleton.
$(call objs,agent/dp) $(call objs,test/bpf) $(call objs,bench): $(B)/gen/fairlead.skel.h

$(B)/fairleadd: $(addprefix $(B)/agent/,main.o reload.o wiring.o) $(call objs,$(DAEMON_DIRS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/fairlead: $(call objs,$(CLI_DIRS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

INSIGHT_DIRS := agent/base agent/codec agent/insight agent/insightd agent/zoom
INSIGHT_OBJS := $(call objs,$(INSIGHT_DIRS)) $(addprefix $(B)/,agent/api/ctl_sock.o \
                gen/web_assets.o $(addprefix agent/crypto/,digest.o hmac.o vault.o))

$(B)/fairlead-insightd: $(INSIGHT_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_SQLITE) $(ZOOM_LIBS) $(WEB_LIBS)

# --- BPF fixtures: the real programs in the kernel ---------------------------------------------

RUNNER_SRCS := $(wildcard test/bpf/*.c test/bpf/fixtures/*.c)
RUNNER_OBJS := $(RUNNER_SRCS:%.c=$(B)/%.o) $(call objs,agent/base agent/dp) \
               $(addprefix $(B)/agent/session/,flows.o install.o store.o) $(B)/agent/crypto/hmac.o
$(RUNNER_SRCS:%.c=$(B)/%.o): $(B)/gen/fairlead.skel.h

$(B)/test/bpf/runner: $(RUNNER_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# --- unit tests: each links the files under test, named here, and nothing else -----------------

UNIT_buf       := agent/base/addr
META           := $(addprefix agent/codec/,meta_build meta_parse meta_tlv utf8) agent/base/addr
UNIT_utf8      := agent/codec/utf8
UNIT_meta      := $(META)
UNIT_meta_rules := $(META)
UNIT_meta_random := $(META)
UNIT_hmac      := agent/crypto/hmac
UNIT_cbc       := agent/crypto/cbc agent/base/rand
UNIT_fifo      := agent/base/fifo
KEYRING        := $(addprefix agent/crypto/,cbc hmac keyring)
UNIT_keyring   := $(KEYRING) agent/base/rand
UNIT_seal      := $(KEYRING) agent/crypto/seal $(META)
UNIT_seal_bad  := $(UNIT_seal)
PACKET         := $(addprefix agent/codec/,packet packet_build packet_csum packet_icmp packet_split)
UNIT_packet    := $(PACKET)
UNIT_packet_build := $(PACKET)
UNIT_packet_split := $(PACKET)
UNIT_parse     :=
UNIT_flow_tags :=
JSON           := $(addprefix agent/codec/,json json_scan utf8)
CONFIG         := $(patsubst %.c,%,$(wildcard agent/config/*.c)) $(JSON) agent/base/addr
UNIT_json      := $(JSON)
UNIT_config    := $(CONFIG)
UNIT_config_diff := $(CONFIG)
UNIT_table     := agent/cli/table $(addprefix agent/codec/,json json_scan utf8)
ZOOM           := $(patsubst %.c,%,$(wildcard agent/zoom/*.c)) $(addprefix agent/base/,addr log monotime rand) \
                  $(addprefix agent/codec/,json json_pull json_scan utf8) $(addprefix agent/crypto/,digest hmac vault)
ZOOM_PARSE     := $(addprefix agent/zoom/,parse parse_join value when) \
                  $(addprefix agent/codec/,json_pull utf8) agent/base/addr
UNIT_zoom_value := $(ZOOM_PARSE) agent/zoom/uuid agent/codec/json agent/codec/json_scan
UNIT_zoom_parse := $(ZOOM_PARSE) agent/codec/json agent/codec/json_scan
UNIT_zoom_answer := $(UNIT_zoom_parse) $(addprefix agent/zoom/,answer http_addr limits scope) agent/base/rand
UNIT_zoom_webhook := $(UNIT_zoom_parse) $(addprefix agent/zoom/,webhook webhook_qos) $(addprefix agent/crypto/,digest hmac)
UNIT_zoom_poller := $(UNIT_zoom_answer) $(addprefix agent/zoom/,poller poller_job poller_keep poller_list \
                  poller_state uuid) $(addprefix agent/base/,log monotime) test/zoom/journal test/unit/zoom_world
UNIT_zoom_record := agent/zoom/record agent/crypto/digest agent/crypto/vault agent/codec/json agent/codec/json_scan agent/codec/utf8
UNIT_zoom_poller_bad := $(UNIT_zoom_poller)
UNIT_zoom_oauth := $(UNIT_zoom_parse) agent/zoom/oauth agent/zoom/uuid agent/base/rand agent/crypto/digest
# The session engine in a small world: everything of the agent that makes no system call.
ENGINE         := $(patsubst %.c,%,$(wildcard $(addsuffix /*.c,$(addprefix agent/,base codec config \
                  crypto path session)))) $(addprefix test/unit/engine_,world kernel check conf model packet)
$(foreach t,$(patsubst test/unit/test_%.c,%,$(wildcard test/unit/test_engine_*.c)),$(eval UNIT_$(t) := $(ENGINE)))
BFD_SEAL       := $(KEYRING) agent/crypto/seal agent/crypto/bfd_seal agent/codec/bfd_pkt $(META)
UNIT_bfd_pkt   := agent/codec/bfd_pkt $(META)
UNIT_bfd_seal  := $(BFD_SEAL)
UNIT_bfd_fsm   := agent/path/bfd_fsm
UNIT_bfd_timers := agent/path/bfd_fsm
UNIT_bfd_peer  := agent/path/bfd_peer agent/base/addr
WATCH          := $(BFD_SEAL) $(PACKET) $(addprefix agent/path/,watch watch_rx rings bfd_fsm bfd_peer doubt echo mos) \
                  $(addprefix agent/base/,monotime rand) test/unit/watch_world
UNIT_watch     := $(WATCH)
UNIT_doubt     := $(WATCH)
UNIT_mos       := agent/path/mos
UNIT_echo      := agent/path/echo
UNIT_fpm       := agent/path/fpm agent/path/mos $(META)
UNIT_fpm_truth := agent/path/fpm
UNIT_fpm_class :=
UNIT_sla       := $(addprefix agent/path/,device_load mos sla sla_text)
UNIT_sla_random := $(UNIT_sla)

UNIT_export    := agent/codec/export $(JSON) agent/base/addr
UNIT_leases    := agent/export/leases agent/base/addr
UNIT_export_queue := $(UNIT_export) agent/export/queue agent/base/log agent/base/monotime
UNIT_export_collect := $(ENGINE) agent/codec/export \
                  $(addprefix agent/export/,collect collect_level collect_neigh collect_path \
                  collect_session)
UNIT_rtnl      := $(addprefix agent/net/,rtnl rtnl_ask rtnl_msg rtnl_told) $(addprefix agent/base/,addr log monotime)
UNIT_impair    := test/tools/impair_link
LOAD           := test/insight/load $(addprefix agent/codec/,json json_scan utf8) agent/base/addr
UNIT_score     := $(LOAD) $(addprefix agent/insight/,score correlate)
RANK           := $(addprefix agent/insight/,rank shapley)
UNIT_rank      := $(LOAD) $(RANK) $(addprefix agent/insight/,score correlate) test/insight/gen
STORE          := $(patsubst %.c,%,$(wildcard agent/insight/store*.c)) \
                  $(addprefix agent/insight/,score roll correlate ingest)
UNIT_store     := $(LOAD) $(STORE) test/insight/fill
UNIT_store_file := $(UNIT_store)
UNIT_ingest    := $(UNIT_store)
LIBS_ingest    := $(LIBS_SQLITE)
UNIT_receive   := $(UNIT_ingest) agent/insight/receive agent/codec/export
LIBS_receive   := $(LIBS_SQLITE)
LIBS_store     := $(LIBS_SQLITE)
LIBS_store_file := $(LIBS_SQLITE)
ASK            := $(addprefix agent/insight/,ask ask_words civil)
UNIT_ask       := $(ASK)
UNIT_answer    := $(LOAD) $(STORE) $(ASK) $(RANK) test/insight/fill \
                  $(addprefix agent/insight/,explain findings answer)
LIBS_answer    := $(LIBS_SQLITE)
UNIT_view      := $(UNIT_answer) $(patsubst %.c,%,$(wildcard agent/insight/view*.c))
LIBS_view      := $(LIBS_SQLITE)
UNIT_late      := $(LOAD) $(STORE) $(RANK) test/insight/fill agent/insight/explain
LIBS_late      := $(LIBS_SQLITE)
UNIT_plot      := agent/cli/plot agent/codec/json agent/codec/json_scan agent/codec/utf8
UNIT_conf      := $(patsubst %.c,%,$(wildcard agent/insightd/conf*.c)) agent/insight/civil agent/zoom/oauth \
                  $(UNIT_zoom_oauth) agent/codec/json agent/codec/json_scan
UNIT_sink      := $(STORE) agent/insightd/sink agent/insightd/convert agent/base/addr agent/base/monotime
LIBS_sink      := $(LIBS_SQLITE)
UNIT_correlate := $(LOAD) $(addprefix agent/insight/,score correlate roll)

UNIT_NAMES := $(patsubst test/unit/test_%.c,%,$(wildcard test/unit/test_*.c))
UNIT_BINS  := $(UNIT_NAMES:%=$(B)/test/unit/test_%)

.SECONDEXPANSION:
$(UNIT_BINS): $(B)/test/unit/test_%: $(B)/test/unit/test_%.o $$(addprefix $(B)/,$$(addsuffix .o,$$(UNIT_$$*)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_$*) -lcriterion

# Criterion's assertion macros convert freely.
$(B)/test/unit/%.o: override CFLAGS += -Wno-conversion -Wno-sign-conversion -Wno-missing-prototypes \
                                     -O1 -Wno-maybe-uninitialized

# --- Zoom: a program that the tests of test/zoom/ drive -----------------------------------------

$(B)/test/zoom/driver: $(addprefix $(B)/,$(addsuffix .o,$(ZOOM))) $(call objs,test/zoom)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(ZOOM_LIBS)

# Fills a store, for the tests of test/insightd/.
$(B)/test/insightd/fill: $(B)/test/insightd/fill.o $(addprefix $(B)/,$(addsuffix .o,$(UNIT_store)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_SQLITE)

# --- the web page: a server with a filled store, for test/web/ ----------------------------------

WEB := $(addprefix agent/insight/,http http_guard http_listen web $(patsubst agent/insight/%.c,%, \
       $(wildcard agent/insight/view*.c)) explain findings answer) $(STORE) $(ASK) $(RANK) $(JSON) \
       $(addprefix agent/base/,addr log monotime rand)

WEB_TEST := $(B)/test/web/server build/npm/test/.done

$(B)/test/web/server: $(addprefix $(B)/,$(addsuffix .o,$(sort $(WEB)) test/insight/gen gen/web_assets)) \
                      $(call objs,test/web)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_SQLITE) $(WEB_LIBS)

# --- tools of tests ------------------------------------------------------------------------------

# A link that loses, delays and reorders, for network tests.
$(B)/test/tools/impair: $(B)/test/tools/impair.o $(B)/test/tools/impair_link.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# Our BFD, plain, to talk to other implementations.
$(B)/test/tools/bfd_plain: $(addprefix $(B)/,test/tools/bfd_plain.o $(addprefix agent/,path/bfd_fsm.o codec/bfd_pkt.o \
		net/bfd_sock.o base/monotime.o) $(addsuffix .o,$(META)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# --- measurements: each links what it measures, named here --------------------------------------

BENCH_codec    := $(KEYRING) agent/crypto/seal $(META) agent/base/rand
BENCH_blast    :=
BENCH_plain_nat :=
BENCH_router   := $(patsubst $(B)/%.o,%,$(call objs,agent/base agent/dp)) \
                  $(addprefix agent/session/,flows install store)
BENCH_table_scale := $(patsubst $(B)/%.o,%,$(call objs,$(filter-out agent/api agent/bfd agent/net,$(DAEMON_DIRS))))

BENCH_stages   := $(BENCH_router) test/bpf/world test/bpf/pktgen

BENCH_insight  := $(STORE) $(RANK) $(addprefix agent/insight/,explain) agent/base/addr \
                  $(addprefix test/insight/,fill gen load) $(JSON)
LIBS_insight   := $(LIBS_SQLITE)

BENCH_NAMES    := $(patsubst bench/%.c,%,$(filter-out %.bpf.c,$(wildcard bench/*.c)))
BENCH_BINS     := $(BENCH_NAMES:%=$(B)/bench/%)

# Programs of the measurements themselves: an object and a skeleton each.
$(B)/bench/%.bpf.o: bench/%.bpf.c vmlinux.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

# The stages are the data plane's own, on its maps.
$(B)/bench/stages.bpf.o: $(B)/bpf/maps.o $(B)/bench/stages_tc.bpf.o $(B)/bench/stages_xdp.bpf.o
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

BENCH_SKELS := $(addprefix $(B)/gen/,blast.skel.h plain_nat.skel.h stages.skel.h)
$(BENCH_SKELS): $(B)/gen/%.skel.h: $(B)/bench/%.bpf.o
	$(call say,SKEL,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(BENCH_NAMES:%=$(B)/bench/%.o): $(B)/gen/fairlead.skel.h $(BENCH_SKELS)

$(BENCH_BINS): $(B)/bench/%: $(B)/bench/%.o $$(addprefix $(B)/,$$(addsuffix .o,$$(BENCH_$$*)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_$*)

## bench: all measurements, to build/bench/results.json (root, 25 minutes; ONLY=transit for one)
bench: all $(BENCH_BINS) $(WEB_TEST) $(B)/test/tools/impair
	$(Q)bench/run.sh $(B)

.PHONY: bench

# --- fuzzing: like unit tests, one target each, with the sources named here ----------------------

FUZZ_meta      := $(KEYRING) agent/crypto/seal $(META) agent/base/rand
FUZZ_parse     := $(PACKET)
FUZZ_engine    := $(ENGINE)
FUZZ_config    := $(CONFIG)
FUZZ_bfd       := $(BFD_SEAL) agent/base/rand
FUZZ_ask       := $(ASK)
FUZZ_conf      := $(UNIT_conf)
FUZZ_export    := agent/codec/export $(JSON) agent/base/addr
FUZZ_zoom      := $(ZOOM_PARSE) $(addprefix agent/zoom/,answer oauth uuid) agent/base/rand agent/crypto/digest

FUZZ_NAMES     := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
REPLAY_BINS    := $(FUZZ_NAMES:%=$(B)/test/fuzz/replay_%)
FUZZ_CC        ?= clang-14
FUZZ_CFLAGS    := -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror \
                  -fno-sanitize-recover=undefined -I. $(PKG_CFLAGS)

$(B)/fuzz/obj/%.o: %.c
	$(call say,FUZZCC,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

$(FUZZ_NAMES:%=$(B)/fuzz/fuzz_%): $(B)/fuzz/fuzz_%: $(B)/fuzz/obj/test/fuzz/fuzz_%.o $$(addprefix $(B)/fuzz/obj/,$$(addsuffix .o,$$(FUZZ_$$*)))
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(PKG_LIBS)

# The same without a fuzzer, for `make check`: runs over the corpus and nothing else.
$(REPLAY_BINS): $(B)/test/fuzz/replay_%: $(B)/test/fuzz/fuzz_%.o $(B)/test/fuzz/replay.o $$(addprefix $(B)/,$$(addsuffix .o,$$(FUZZ_$$*)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# --- tests ------------------------------------------------------------------------------------

## check: every test that needs no root (under 2 minutes)
check: all $(UNIT_BINS) $(REPLAY_BINS) $(B)/test/zoom/driver $(B)/test/insightd/fill $(WEB_TEST)
	$(Q)test/run.sh $(B) check

unit: $(UNIT_BINS)
	$(Q)test/run.sh $(B) unit

## test: all tests; ends with "N passed, N failed, N skipped" (root, under 15 minutes)
# Compilers come first, and start while the rest is fetched: three at a time, since one of them waits for
# the network.
test: deps-build
	$(Q)$(MAKE) --no-print-directory -j3 NPM_AFTER=deps-test test-built

# test/run.sh builds the rest, while tests wait.
test-built: deps-test all $(UNIT_BINS) $(REPLAY_BINS) $(B)/test/bpf/runner $(B)/test/zoom/driver $(B)/test/insightd/fill \
            $(B)/test/tools/impair $(B)/test/tools/bfd_plain $(WEB_TEST)
	$(Q)test/run.sh $(B) all

test-san: all $(B)/test/insightd/fill $(B)/test/web/server

## test-long: the ten-minute forms of some tests, and the whole table of what paths are measured to do
test-long: all $(B)/test/tools/impair
	$(Q)test/run.sh $(B) long

## test-kernels: the same on Debian's kernels 6.1, 6.12 and newest, emulated (20 minutes at most)
test-kernels: all $(B)/test/bpf/runner
	$(Q)test/vm/run.sh $(B)

## fuzz: every parser for FUZZ_SECONDS (60) seconds, with sanitizers, from a seed of chance
fuzz:
	$(Q)test/run.sh $(B) fuzz

## demo: two sites, two routers, real programs (root, under 5 minutes; KEEP=1 leaves it up)
demo: deps all $(B)/test/tools/impair
	$(Q)BUILD=$(abspath $(B)) KEEP=$(KEEP) test/demo/demo.sh up

## demo-down: take down what `make demo KEEP=1` left
demo-down:
	$(Q)BUILD=$(abspath $(B)) test/demo/demo.sh down

## schemas: write the schemas of the configurations anew, after a change of their tables
schemas: $(B)/fairlead $(B)/fairlead-insightd
	$(Q)$(B)/fairlead config schema > schemas/config.schema.json
	$(Q)$(B)/fairlead-insightd --schema > schemas/insight.schema.json

## lint: formatting, dependencies between folders, headers, shell scripts, spelling
lint:
	$(Q)test/run.sh $(B) lint

## fmt: put all C files in the house format
fmt:
	$(Q)git ls-files -co --exclude-standard '*.c' '*.h' ':!vmlinux.h' | xargs clang-format -i

## deps: install what building and testing needs from Debian (root); does nothing if it is all there
DEPS_BUILD := build-essential pkg-config clang-14 clang llvm-14 libclang-rt-14-dev bpftool libbpf-dev \
        libelf-dev zlib1g-dev libsodium-dev libssl-dev libjson-c-dev libsystemd-dev libmnl-dev \
        libcurl4-openssl-dev uthash-dev libcriterion-dev libsqlite3-dev libmicrohttpd-dev git
DEPS_TEST := clang-format-14 iproute2 ethtool nftables iperf3 nginx-light wrk curl \
        bind9-dnsutils dnsmasq-base tcpdump iputils-ping jq shellcheck codespell procps python3 \
        openssl systemd frr util-linux libcap2-bin chromium
APT_FLAGS ?=

# Packages, and where a program will do, whatever brought it
apt_install = $(Q)missing=; for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | \
		grep -q 'ok installed' || missing="$$missing $$p"; done; \
	for p in $(2); do command -v $$p >/dev/null || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing from Debian:$$missing"; \
		apt-get -q update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
		--no-install-recommends $(APT_FLAGS) $$missing >/dev/null; fi

deps: deps-build deps-test
	$(Q)$(MAKE) --no-print-directory $(WEB_NPM)/.done build/npm/test/.done

deps-build:
	$(call apt_install,$(DEPS_BUILD))

deps-test: | $(if $(NPM_AFTER),,deps-build)
	$(call apt_install,$(DEPS_TEST),npm)

# --- installation --------------------------------------------------------------------------------

INSTALL  ?= install
BINDIR   := $(PREFIX)/bin
SBINDIR  := $(PREFIX)/sbin
UNITDIR  := $(PREFIX)/lib/systemd/system
DOCDIR   := $(PREFIX)/share/doc/fairlead
MANDIR   := $(PREFIX)/share/man/man8

INSTALLED := $(SBINDIR)/fairleadd $(SBINDIR)/fairlead-insightd $(BINDIR)/fairlead \
             $(UNITDIR)/fairleadd.service $(UNITDIR)/fairlead-insightd.service \
             $(PREFIX)/lib/sysusers.d/fairlead.conf $(PREFIX)/lib/tmpfiles.d/fairlead.conf \
             $(MANDIR)/fairlead.8 $(DOCDIR)

## install: programs, unit, manual page and examples, to PREFIX (/usr) below DESTDIR
install: all
	$(Q)$(INSTALL) -D -m 0755 $(B)/fairleadd $(DESTDIR)$(SBINDIR)/fairleadd
	$(Q)$(INSTALL) -D -m 0755 $(B)/fairlead-insightd $(DESTDIR)$(SBINDIR)/fairlead-insightd
	$(Q)$(INSTALL) -D -m 0755 $(B)/fairlead $(DESTDIR)$(BINDIR)/fairlead
	$(Q)$(INSTALL) -D -m 0644 deploy/systemd/fairlead.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/fairlead.conf
	$(Q)$(INSTALL) -D -m 0644 deploy/systemd/fairlead.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/fairlead.conf
	$(Q)$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	$(Q)for unit in fairleadd fairlead-insightd; do \
		sed "s|=/usr/sbin/$$unit|=$(SBINDIR)/$$unit|" deploy/systemd/$$unit.service \
			> $(DESTDIR)$(UNITDIR)/$$unit.service; done
	$(Q)$(INSTALL) -D -m 0644 agent/cli/fairlead.8 $(DESTDIR)$(MANDIR)/fairlead.8
	$(Q)$(INSTALL) -D -m 0644 -t $(DESTDIR)$(DOCDIR)/examples schemas/examples/*.json
	$(Q)$(INSTALL) -D -m 0644 -t $(DESTDIR)$(DOCDIR)/examples/insight schemas/examples/insight/*.json
	$(Q)$(INSTALL) -m 0644 -t $(DESTDIR)$(DOCDIR) README.md schemas/config.schema.json \
		schemas/insight.schema.json
	$(Q)$(if $(DESTDIR),,deploy/systemd/activate.sh)

## uninstall: remove what install brought; user, configuration and state stay
uninstall:
	$(Q)rm -rf $(addprefix $(DESTDIR),$(INSTALLED))
	$(Q)$(if $(DESTDIR),,deploy/systemd/activate.sh)

## clean: remove build/
clean:
	$(Q)rm -rf build

## help: this list
help:
	@sed -n 's/^## /  make /p' $(MAKEFILE_LIST)

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)

.PHONY: all check unit test test-built test-san demo demo-down schemas bench test-long test-kernels install uninstall fuzz lint fmt deps deps-build deps-test clean help
