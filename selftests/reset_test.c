// SPDX-License-Identifier: GPL-2.0-only
/*
 * The provider's memory stops answering for a while: resets, reported errors,
 * decoding switched off, sleep. Everything is taken away, with bounds on the
 * waits, holders are told, and it all works again, as another generation.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE
#define PINNED		PEERBUF_EXPORT_ALLOW_PINNED
#define COMMAND		0x04
#define DECODING	0x02	/* of the command register: memory */
#define MASTERING	0x04	/* of the command register: DMA of its own */
#define PATIENCE_MS	30000
#define STOP_WAIT_MS	10000	/* of drivers/peerbuf/revoke.c */
#define TIMEOUT		120
#define FOREVER		(24 * 3600)	/* the machine has a limit of its own */

FIXTURE(reset) {
	struct pb_device provider;	/* QEMU's mem0 */
	struct pb_device importer;	/* on whose behalf the instrument attaches */
	struct pb_device engine;	/* QEMU's edu0 */
	int node;
	int pool;
	int test;
	int edu;
	int dmabuf;
	int watch;
	__u64 id;
	__u64 generation;
	char *memory;
	unsigned int handle;	/* of the engine's import */
	bool route;
};

FIXTURE_SETUP(reset)
{
	const bool none = pb_expect()->route == PEERBUF_ROUTE_NONE;

	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->engine = pb_importer(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	self->test = must(pb_open_test());
	self->edu = must(pb_open_edu(&self->engine));
	self->dmabuf = must(pb_export_at(self->node, PINNED, 0, LENGTH,
					 &self->id));
	self->memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	pb_fill(self->memory, LENGTH, 1);
	self->watch = must(pb_watch_buffer(self->dmabuf, O_NONBLOCK, NULL));
	self->generation = pb_generation(self->dmabuf);
	EXPECT_LE(1, self->generation);
	ASSERT_EQ(none ? -EOPNOTSUPP : 0,
		  pb_import(self->edu, self->dmabuf, &self->handle));
	self->route = !none;
	must(pb_watch());
}

static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reset) *self)
{
	unsigned int handle;

	EXPECT_EQ(0, pb_touch(self->memory, true));
	pb_fill(self->memory, LENGTH, 2);
	EXPECT_EQ(0, pb_sync(self->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, pb_test_attach(self->test, self->dmabuf, &self->importer,
				    PEERBUF_TEST_REVOCABLE, 0, &handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	if (!self->route)
		return;
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, 64));
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0, 64));
	if (pb_expect()->data)
		EXPECT_EQ(0, memcmp(self->memory, self->memory + PAGE, 64));
}

/* Whatever happened to it, it works again. */
FIXTURE_TEARDOWN(reset)
{
	struct peerbuf_buffer_info info;

	EXPECT_EQ(0, pb_buffer(self->dmabuf, &info, NULL, 0));
	if (!info.flags)
		expect_works(_metadata, self);
	munmap(self->memory, LENGTH);
	close(self->watch);
	close(self->dmabuf);
	close(self->edu);
	close(self->test);
	close(self->pool);
	close(self->node);
}

static unsigned int flags_of(int dmabuf)
{
	struct peerbuf_buffer_info info;

	must(pb_buffer(dmabuf, &info, NULL, 0));
	return info.flags;
}

static bool is_stopped(const void *dmabuf)
{
	return flags_of(*(const int *)dmabuf) & PEERBUF_BUFFER_STOPPED;
}

static bool is_started(const void *dmabuf)
{
	return !is_stopped(dmabuf);
}

static void decode(const FIXTURE_DATA(reset) *self, bool on)
{
	unsigned int command = pb_config_read(&self->provider, COMMAND);

	pb_config_write(&self->provider, COMMAND,
			on ? command | DECODING : command & ~DECODING);
}

/* Somebody switches it off, and it takes a while until that is found. */
static void stop(const FIXTURE_DATA(reset) *self)
{
	decode(self, false);
	if (!pb_wait_until(is_stopped, &self->dmabuf, PATIENCE_MS))
		fail("nobody found that decoding is off");
}

static void start(const FIXTURE_DATA(reset) *self)
{
	decode(self, true);
	if (!pb_wait_until(is_started, &self->dmabuf, PATIENCE_MS))
		fail("nobody found that decoding is on");
}

static void expect_event(struct __test_metadata *_metadata, int watch,
			 unsigned int state, __u64 generation)
{
	struct pollfd ready = { .fd = watch, .events = POLLIN | POLLPRI };
	struct peerbuf_event event;
	short wanted = POLLIN | POLLPRI;

	if (state == PEERBUF_STATE_REVOKED)
		wanted |= POLLHUP;
	EXPECT_EQ(1, poll(&ready, 1, PATIENCE_MS));
	EXPECT_EQ(wanted, ready.revents);
	EXPECT_EQ(sizeof(event), pb_watch_read(watch, &event));
	EXPECT_EQ(state, event.state);
	EXPECT_EQ(generation, event.generation);
	EXPECT_EQ(0, event.reserved);
}

static void expect_no_event(struct __test_metadata *_metadata, int watch)
{
	struct pollfd ready = { .fd = watch, .events = POLLIN | POLLPRI };
	struct peerbuf_event event;

	EXPECT_EQ(0, poll(&ready, 1, 0));
	EXPECT_EQ(-EAGAIN, pb_watch_read(watch, &event));
}

static bool start_is_traced(const void *words)
{
	return pb_seen_words("peerbuf_start", words) > 0;
}

/* One reset was seen by everybody who can see it; the trace is the last to. */
static void expect_reset(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reset) *self, const char *cause)
{
	char words[64];

	snprintf(words, sizeof(words), "cause=%s ", cause);
	EXPECT_EQ(0, flags_of(self->dmabuf));
	EXPECT_EQ(self->generation + 1, pb_generation(self->dmabuf));
	EXPECT_LE(1, pb_seen_words("peerbuf_stop", words));
	EXPECT_TRUE(pb_wait_until(start_is_traced, words, PATIENCE_MS));
	expect_event(_metadata, self->watch, PEERBUF_STATE_IN_USE,
		     self->generation + 1);
	expect_no_event(_metadata, self->watch);
	expect_works(_metadata, self);
}

TEST_F_TIMEOUT(reset, function, TIMEOUT)
{
	expect_no_event(_metadata, self->watch);
	EXPECT_EQ(0, pb_reset(&self->provider));
	expect_reset(_metadata, self, "reset");
}

TEST_F_TIMEOUT(reset, bus_below_the_port, TIMEOUT)
{
	struct pb_device port = pb_port_of(&self->provider);

	EXPECT_EQ(0, pb_reset_below(&port));
	expect_reset(_metadata, self, "reset");
}

/* What is in a fixed range is the device's, and QEMU's keeps it. */
TEST_F_TIMEOUT(reset, contents, TIMEOUT)
{
	int dmabuf = must(pb_alloc(self->pool, LENGTH, NULL));

	pb_write_buffer(dmabuf, 0, LENGTH, 3);
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_TRUE(pb_holds(self->memory, LENGTH, 1));
	EXPECT_EQ(self->generation + 1, pb_generation(dmabuf));
	close(dmabuf);
	dmabuf = must(pb_alloc(self->pool, LENGTH, NULL));
	EXPECT_EQ(self->generation + 1, pb_generation(dmabuf));
	EXPECT_TRUE(pb_is_zero(pb_map(dmabuf, 0, LENGTH, RW), LENGTH));
	close(dmabuf);
}

/* Every door is closed while decoding is off, and open afterwards. */
TEST_F_TIMEOUT(reset, decoding_off, TIMEOUT)
{
	struct pb_attach_seen seen;
	unsigned int before, after, vmap;

	must(pb_test_attach(self->test, self->dmabuf, &self->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &before));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, before));
	stop(self);
	EXPECT_FALSE(pb_test_mapped(self->test, before));
	expect_event(_metadata, self->watch, PEERBUF_STATE_STOPPED,
		     self->generation);
	EXPECT_EQ(self->generation, pb_generation(self->dmabuf));

	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
	EXPECT_EQ(SIGBUS, pb_touch(self->memory, true));
	EXPECT_EQ(-EAGAIN, pb_try_map(self->dmabuf, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EAGAIN, pb_sync(self->dmabuf,
				   DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(-EAGAIN, pb_sync(self->dmabuf,
				   DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(-EAGAIN, pb_test_call(self->test, PEERBUF_TEST_MAP, before));
	EXPECT_EQ(-EAGAIN, pb_test_call(self->test, PEERBUF_TEST_PIN, before));
	EXPECT_EQ(1, pb_seen_words("peerbuf_map_refused", "reason=stopped"));
	EXPECT_EQ(-EAGAIN, pb_test_attach(self->test, self->dmabuf,
					  &self->importer,
					  PEERBUF_TEST_REVOCABLE, 0, &after));
	EXPECT_EQ(0, pb_seen_attach(self->importer.name, &seen));
	EXPECT_STREQ("none", seen.route);
	EXPECT_STREQ("stopped", seen.reason);
	EXPECT_GT(0, pb_test_vmap(self->test, self->dmabuf, &vmap));
	EXPECT_EQ(-EAGAIN, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	EXPECT_EQ(-EAGAIN, pb_alloc(self->pool, PAGE, NULL));
	if (self->route)
		EXPECT_EQ(-EAGAIN, pb_copy(self->edu, self->handle, TO_ENGINE,
					   0, 0, 64));

	start(self);
	expect_event(_metadata, self->watch, PEERBUF_STATE_IN_USE,
		     self->generation + 1);
	EXPECT_TRUE(pb_holds(self->memory, LENGTH, 1));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP, before));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_DETACH, before));
	EXPECT_EQ(0, pb_test_vmap(self->test, self->dmabuf, &vmap));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_VUNMAP, vmap));
	expect_works(_metadata, self);
}

/* It is looked for with every export, not once a second. */
TEST_F_TIMEOUT(reset, export_looks_itself, TIMEOUT)
{
	decode(self, false);
	EXPECT_EQ(-EAGAIN, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	EXPECT_EQ(-EAGAIN, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_TRUE(pb_wait_until(is_stopped, &self->dmabuf, PATIENCE_MS));
	start(self);
}

/* The reset puts back what it found, and that is no decoding. */
TEST_F_TIMEOUT(reset, function_without_decoding, TIMEOUT)
{
	stop(self);
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_TRUE(is_stopped(&self->dmabuf));
	EXPECT_EQ(self->generation, pb_generation(self->dmabuf));
	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
	start(self);
	EXPECT_EQ(self->generation + 1, pb_generation(self->dmabuf));
}

/* The BAR's register was cleared, as by a reset that nobody was told of. */
TEST_F_TIMEOUT(reset, bar_moved_away, TIMEOUT)
{
	const unsigned int high_word = 0x10 + 4 * 2 + 2;	/* of BAR 2 */
	unsigned int value = pb_config_read(&self->provider, high_word);

	pb_config_write(&self->provider, high_word, value ^ 0x0800);
	EXPECT_TRUE(pb_wait_until(is_stopped, &self->dmabuf, PATIENCE_MS));
	pb_config_write(&self->provider, high_word, value);
	EXPECT_TRUE(pb_wait_until(is_started, &self->dmabuf, PATIENCE_MS));
	EXPECT_EQ(self->generation + 1, pb_generation(self->dmabuf));
}

TEST_F_TIMEOUT(reset, revoke_while_stopped, TIMEOUT)
{
	stop(self);
	EXPECT_EQ(0, pb_revoke(self->node, self->id, 0));
	EXPECT_EQ(PEERBUF_BUFFER_REVOKED, flags_of(self->dmabuf));
	decode(self, true);
	/* nothing but the watchdog's own time says that it has looked */
	pb_sleep_ms(3000);
	EXPECT_EQ(PEERBUF_BUFFER_REVOKED, flags_of(self->dmabuf));
	EXPECT_EQ(-ENODEV, pb_sync(self->dmabuf,
				   DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
}

static bool can_export(const void *node)
{
	int dmabuf = pb_export_at(*(const int *)node, 0, MIB(8), LENGTH, NULL);

	if (dmabuf >= 0)
		close(dmabuf);
	return dmabuf >= 0;
}

/* What a pool leaves behind is not for the next one, however long it takes. */
TEST_F_TIMEOUT(reset, pool_closed_while_stopped, TIMEOUT)
{
	int dmabuf = must(pb_export_at(self->pool, 0, 0, LENGTH, NULL));
	char *memory;

	pb_write_buffer(dmabuf, 0, LENGTH, 4);
	stop(self);
	close(dmabuf);
	close(self->pool);
	EXPECT_EQ(-EBUSY, pb_pool(self->node, MIB(8), MIB(1)));
	start(self);
	ASSERT_TRUE(pb_wait_until(can_export, &self->node, PATIENCE_MS));
	dmabuf = must(pb_export_at(self->node, 0, MIB(8), LENGTH, NULL));
	memory = pb_map(dmabuf, 0, LENGTH, RW);
	EXPECT_TRUE(pb_is_zero(memory, LENGTH));
	munmap(memory, LENGTH);
	close(dmabuf);
	self->pool = must(pb_pool(self->node, MIB(8), MIB(1)));
}

/* It keeps its addresses, is not waited for, and is named, once. */
static void stays_mapped(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reset) *self, int dmabuf,
			 unsigned int kind)
{
	static const char text[] = "and cannot give it back";
	unsigned int named = pb_count_log(text), handle;
	__u64 begin;

	ASSERT_EQ(0, pb_test_attach(self->test, dmabuf, &self->importer, kind,
				    0, &handle));
	ASSERT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	begin = pb_now_ms();
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_GT(begin + STOP_WAIT_MS, pb_now_ms());
	EXPECT_EQ(named + 1, pb_count_log(text));
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_EQ(named + 1, pb_count_log(text));
	EXPECT_TRUE(pb_test_mapped(self->test, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

TEST_F_TIMEOUT(reset, pinned_importer, TIMEOUT)
{
	stays_mapped(_metadata, self, self->dmabuf, PEERBUF_TEST_PINNED);
}

TEST_F_TIMEOUT(reset, static_importer, TIMEOUT)
{
	int dmabuf = must(pb_export_at(self->node, PEERBUF_EXPORT_ALLOW_STATIC,
				       MIB(4), LENGTH, NULL));

	must(pb_allow_static(&self->provider, 0, 1));
	stays_mapped(_metadata, self, dmabuf, PEERBUF_TEST_STATIC);
	must(pb_allow_static(&self->provider, 0, 0));
	close(dmabuf);
}

TEST_F_TIMEOUT(reset, kernel_mapping, TIMEOUT)
{
	static const char text[] = "is stopped, the kernel has it mapped";
	unsigned int named = pb_count_log(text), vmap;

	must(pb_test_vmap(self->test, self->dmabuf, &vmap));
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_EQ(named + 1, pb_count_log(text));
	must(pb_test_call(self->test, PEERBUF_TEST_VUNMAP, vmap));
}

/* An importer that takes its time is waited for; one that takes for ever is not. */
TEST_F_TIMEOUT(reset, slow_importer, TIMEOUT)
{
	unsigned int handle;
	__u64 begin;

	must(pb_test_attach(self->test, self->dmabuf, &self->importer,
			    PEERBUF_TEST_SLOW, 1000, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	begin = pb_now_ms();
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_LE(begin + 980, pb_now_ms());
	EXPECT_FALSE(pb_test_mapped(self->test, handle));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

TEST_F_TIMEOUT(reset, late_importer, TIMEOUT)
{
	static const char text[] = "is stopped, ";
	unsigned int named = pb_count_log(text), handle;
	__u64 begin;

	must(pb_test_attach(self->test, self->dmabuf, &self->importer,
			    PEERBUF_TEST_SLOW, 10 * STOP_WAIT_MS, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	begin = pb_now_ms();
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_LE(begin + STOP_WAIT_MS - 20, pb_now_ms());
	EXPECT_GT(begin + 3 * STOP_WAIT_MS, pb_now_ms());
	EXPECT_EQ(named + 1, pb_count_log(text));
	EXPECT_EQ(0, flags_of(self->dmabuf));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

/* DMA that goes on whatever happens, until it is told not to. */
static pid_t keep_copying(const FIXTURE_DATA(reset) *self)
{
	pid_t child = pb_fork();
	int ret;

	if (child)
		return child;
	do {
		ret = pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0,
			      64);
	} while (!ret || ret == -EAGAIN);
	_exit(-ret);
}

static void end_copying(struct __test_metadata *_metadata, pid_t child)
{
	kill(child, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
}

TEST_F_TIMEOUT(reset, again_and_again_under_dma, FOREVER)
{
	unsigned int rounds = pb_setting("PEERBUF_ROUNDS", 20), i;
	pid_t child = self->route ? keep_copying(self) : 0;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, pb_reset(&self->provider));
		ASSERT_EQ(self->generation + i + 1,
			  pb_generation(self->dmabuf));
		expect_event(_metadata, self->watch, PEERBUF_STATE_IN_USE,
			     self->generation + i + 1);
		if (i % 4 == 0)
			pb_sleep_ms(i % 3 * 100);
	}
	if (child)
		end_copying(_metadata, child);
	TH_LOG("%u resets", rounds);
}

/* The engine's own bus is reset while it copies. */
TEST_F_TIMEOUT(reset, engine_under_dma, TIMEOUT)
{
	pid_t child;
	int i;

	if (!self->route)
		SKIP(return, "the engine has no route to the memory");
	child = keep_copying(self);
	for (i = 0; i < 5; i++) {
		pb_sleep_ms(120);
		EXPECT_EQ(0, pb_reset(&self->engine));
	}
	end_copying(_metadata, child);
	EXPECT_EQ(self->generation, pb_generation(self->dmabuf));
}

/*
 * Both at once: below one switch, by one reset of the bus above; else side by
 * side. Neither waits for the other's end.
 */
TEST_F_TIMEOUT(reset, both_under_dma, TIMEOUT)
{
	struct pb_device ours = pb_port_of(&self->provider);
	struct pb_device theirs = pb_port_of(&self->engine);
	pid_t child, other;
	__u64 begin;
	int i;

	if (!self->route)
		SKIP(return, "the engine has no route to the memory");
	child = keep_copying(self);
	for (i = 0; i < 3; i++) {
		pb_sleep_ms(120);
		begin = pb_now_ms();
		other = pb_fork();
		if (!other)
			_exit(pb_reset_below(&theirs) ? 1 : 0);
		EXPECT_EQ(0, pb_reset_below(&ours));
		EXPECT_EQ(0, pb_join(other));
		EXPECT_GT(begin + 2 * STOP_WAIT_MS, pb_now_ms());
	}
	if (!strcmp(pb_expect()->topology, "switch")) {
		struct pb_device up = pb_port_of(&ours);

		begin = pb_now_ms();
		EXPECT_EQ(0, pb_reset_below(&up));
		EXPECT_GT(begin + 2 * STOP_WAIT_MS, pb_now_ms());
		i++;
	}
	end_copying(_metadata, child);
	EXPECT_EQ(self->generation + i, pb_generation(self->dmabuf));
}

static bool is_next(const void *data)
{
	const FIXTURE_DATA(reset) *self = data;

	return !is_stopped(&self->dmabuf) &&
	       pb_generation(self->dmabuf) != self->generation;
}

/* An error that the port of the provider reports, and the kernel recovers from. */
static void inject(struct __test_metadata *_metadata,
		   FIXTURE_DATA(reset) *self, const char *error)
{
	char port[64], command[128], reply[1024];

	must(pb_plug_path("mem0", port, sizeof(port)));
	snprintf(command, sizeof(command), "pcie_aer_inject_error %s %s", port,
		 error);
	ASSERT_EQ(0, pb_monitor(command, reply, sizeof(reply)));
	ASSERT_TRUE(pb_wait_until(is_next, self, PATIENCE_MS));
	expect_reset(_metadata, self, "error");
}

TEST_F_TIMEOUT(reset, error_that_is_not_fatal, TIMEOUT)
{
	inject(_metadata, self, "COMP_TIME");
}

TEST_F_TIMEOUT(reset, error_that_is_fatal, TIMEOUT)
{
	inject(_metadata, self, "DLP");
}

/* Sleep forgets: what is lent keeps the device awake, mapped or not. */
static bool is_asleep(const void *device)
{
	return pb_attribute_is(device, "power/runtime_status", "suspended");
}

TEST_F_TIMEOUT(reset, awake_while_lent, TIMEOUT)
{
	struct pb_device other = pb_provider(1);
	int node = must(pb_open_node(&other, O_RDWR));
	int pool, dmabuf;
	__u64 id;

	must(pb_set_attribute(&other, "power/control", "auto"));
	ASSERT_TRUE(pb_wait_until(is_asleep, &other, PATIENCE_MS));
	dmabuf = must(pb_export_at(node, 0, 0, LENGTH, &id));
	EXPECT_TRUE(pb_attribute_is(&other, "power/runtime_status", "active"));
	pb_write_buffer(dmabuf, 0, LENGTH, 1);
	pb_sleep_ms(500);
	EXPECT_TRUE(pb_attribute_is(&other, "power/runtime_status", "active"));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, LENGTH, 1));
	/* revoked is enough */
	EXPECT_EQ(0, pb_revoke(node, id, 0));
	EXPECT_TRUE(pb_wait_until(is_asleep, &other, PATIENCE_MS));
	close(dmabuf);

	/* a pool with nothing in it does not; what was in it is cleared, awake */
	pool = must(pb_pool(node, 0, MIB(1)));
	dmabuf = must(pb_alloc(pool, LENGTH, NULL));
	EXPECT_TRUE(pb_attribute_is(&other, "power/runtime_status", "active"));
	pb_write_buffer(dmabuf, 0, LENGTH, 1);
	close(dmabuf);
	EXPECT_TRUE(pb_wait_until(is_asleep, &other, PATIENCE_MS));
	close(pool);
	dmabuf = must(pb_export_at(node, 0, 0, LENGTH, NULL));
	EXPECT_TRUE(pb_is_zero(pb_map(dmabuf, 0, LENGTH, RW), LENGTH));
	close(dmabuf);
	must(pb_set_attribute(&other, "power/control", "on"));
	EXPECT_TRUE(pb_attribute_is(&other, "power/runtime_status", "active"));
	close(node);
}

/* Whoever is lent the registers of a device must not make it read our memory. */
TEST_F(reset, a_provider_does_no_dma)
{
	struct pb_device other = pb_provider(1);

	ASSERT_EQ(0, pb_unbind(&other));
	pb_config_write(&other, COMMAND, DECODING | MASTERING);
	EXPECT_EQ(0, pb_bind(&other, "peerbuf_pci"));
	EXPECT_EQ(DECODING,
		  pb_config_read(&other, COMMAND) & (DECODING | MASTERING));
}

/*
 * The kernel's own rehearsal: devices go to sleep, and nobody else does. Without
 * virtio-gpu, which does not sleep (ETIMEDOUT) while a command that an earlier test
 * left in its queue has not been kicked (virtgpu_freeze()).
 */
TEST_F_TIMEOUT(reset, system_sleep, TIMEOUT)
{
	struct pb_device gpu;
	bool bound;

	if (pb_write_file("/sys/power/pm_test", "devices"))
		SKIP(return, "this kernel cannot rehearse a sleep");
	pb_write_file("/sys/module/suspend/parameters/pm_test_delay", "1");
	bound = pb_find(PB_VIRTIO_GPU, &gpu, 1) == 1 && pb_is_bound(&gpu, "virtio-pci");
	if (bound)
		ASSERT_EQ(0, pb_unbind(&gpu));
	EXPECT_EQ(0, pb_write_file("/sys/power/state", "freeze"));
	EXPECT_EQ(0, pb_write_file("/sys/power/pm_test", "none"));
	if (bound)
		EXPECT_EQ(0, pb_bind(&gpu, "virtio-pci"));
	expect_reset(_metadata, self, "suspend");
}

/* Watches. */

TEST_F_TIMEOUT(reset, watch_starts_with_what_is, TIMEOUT)
{
	struct peerbuf_event event;
	struct peerbuf_watch arg;
	int watch;

	watch = must(pb_watch_buffer(self->dmabuf, O_NONBLOCK | O_CLOEXEC, &arg));
	EXPECT_EQ(PEERBUF_STATE_IN_USE, arg.state);
	EXPECT_EQ(self->generation, arg.generation);
	EXPECT_EQ(FD_CLOEXEC, fcntl(watch, F_GETFD));
	expect_no_event(_metadata, watch);
	close(watch);

	stop(self);
	watch = must(pb_watch_buffer(self->dmabuf, O_NONBLOCK, &arg));
	EXPECT_EQ(PEERBUF_STATE_STOPPED, arg.state);
	EXPECT_EQ(0, fcntl(watch, F_GETFD));
	expect_no_event(_metadata, watch);
	start(self);
	/* two changes for the one, one for the other; a read tells what is */
	expect_event(_metadata, self->watch, PEERBUF_STATE_IN_USE,
		     self->generation + 1);
	expect_event(_metadata, watch, PEERBUF_STATE_IN_USE,
		     self->generation + 1);
	close(watch);

	must(pb_revoke(self->node, self->id, 0));
	watch = must(pb_watch_buffer(self->dmabuf, O_NONBLOCK, &arg));
	EXPECT_EQ(PEERBUF_STATE_REVOKED, arg.state);
	EXPECT_EQ(0, pb_watch_read(watch, &event));
	close(watch);
}

TEST_F(reset, watch_of_a_revoked_buffer)
{
	struct pollfd ready = { .fd = self->watch, .events = POLLIN };
	struct peerbuf_event event;

	must(pb_revoke(self->node, self->id, 0));
	expect_event(_metadata, self->watch, PEERBUF_STATE_REVOKED,
		     self->generation);
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLHUP, ready.revents);
	EXPECT_EQ(0, pb_watch_read(self->watch, &event));
	EXPECT_EQ(0, pb_watch_read(self->watch, &event));
}

/* It keeps nothing: the memory is free while it is open. */
TEST_F(reset, watch_of_a_closed_buffer)
{
	struct pb_state before = pb_state(&self->provider, self->pool), after;
	int dmabuf = must(pb_alloc(self->pool, LENGTH, NULL));
	int watch = must(pb_watch_buffer(dmabuf, 0, NULL));

	close(dmabuf);
	expect_event(_metadata, watch, PEERBUF_STATE_REVOKED, self->generation);
	close(watch);
	after = pb_state(&self->provider, self->pool);
	EXPECT_TRUE(pb_same_state(&before, &after));
}

/* Nor does it keep the provider. */
TEST_F_TIMEOUT(reset, watch_of_an_unbound_provider, TIMEOUT)
{
	struct pb_device other = pb_provider(1);
	int node = must(pb_open_node(&other, O_RDWR));
	int dmabuf = must(pb_export_at(node, 0, 0, PAGE, NULL));
	int watch = must(pb_watch_buffer(dmabuf, 0, NULL));
	__u64 generation = pb_generation(dmabuf);

	EXPECT_EQ(0, pb_unbind(&other));
	expect_event(_metadata, watch, PEERBUF_STATE_REVOKED, generation);
	close(dmabuf);
	close(node);
	EXPECT_EQ(0, pb_bind(&other, "peerbuf_pci"));
	close(watch);
}

TEST_F(reset, watch_reads_whole_events)
{
	char *nowhere = pb_map(-1, 0, PAGE, PROT_NONE);
	char room[64];
	int watch;

	must(pb_revoke(self->node, self->id, 0));
	EXPECT_EQ(-1, read(self->watch, room, 0));
	EXPECT_EQ(-1, read(self->watch, room, sizeof(struct peerbuf_event) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->watch, nowhere, sizeof(room)));
	EXPECT_EQ(EFAULT, errno);
	/* what could not be told is still to be told */
	EXPECT_EQ(sizeof(struct peerbuf_event),
		  read(self->watch, room, sizeof(room)));
	EXPECT_EQ(-1, write(self->watch, room, sizeof(room)));
	watch = self->watch;
	EXPECT_EQ(-EINVAL, pb_watch_buffer(watch, 0, NULL));
}

/* Two descriptors of one watch have one memory of what was read. */
TEST_F_TIMEOUT(reset, watch_in_two_hands, TIMEOUT)
{
	int copy = dup(self->watch);
	int own = must(pb_watch_buffer(self->dmabuf, O_NONBLOCK, NULL));

	EXPECT_EQ(0, pb_reset(&self->provider));
	expect_event(_metadata, copy, PEERBUF_STATE_IN_USE,
		     self->generation + 1);
	expect_no_event(_metadata, self->watch);
	expect_event(_metadata, own, PEERBUF_STATE_IN_USE,
		     self->generation + 1);
	close(own);
	close(copy);
}

/* A process without rights waits, on a watch that it has made itself. */
TEST_F_TIMEOUT(reset, watch_wakes_who_waits, TIMEOUT)
{
	struct peerbuf_event event;
	pid_t child = pb_fork();

	if (!child) {
		int watch;

		pb_become_nobody();
		watch = must(pb_watch_buffer(self->dmabuf, 0, NULL));
		if (pb_watch_read(watch, &event) != sizeof(event))
			_exit(1);
		_exit(event.generation == self->generation ||
		      event.generation == self->generation + 1 ? 0 : 2);
	}
	pb_sleep_ms(300);
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_EQ(0, pb_join(child));
}

/* Touches what it has mapped as soon as it is told that it may no more. */
static int touch_when_told(int dmabuf, int ready)
{
	int watch = must(pb_watch_buffer(dmabuf, 0, NULL));
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);
	struct peerbuf_event event;

	pb_fill(memory, LENGTH, 1);
	if (write(ready, "", 1) != 1)
		return -1;
	if (pb_watch_read(watch, &event) != sizeof(event))
		return -1;
	return pb_touch(memory, true);
}

/*
 * Importers that have to be told first, one after the other. They only read, as
 * DMA debugging (CONFIG_DMA_API_DEBUG) bears no more than 7 writers of one place.
 */
static void map_for_many(const FIXTURE_DATA(reset) *self, int test, int dmabuf)
{
	unsigned int handle, i;

	for (i = 0; i < 50; i++) {
		must(pb_test_attach_for(test, dmabuf, &self->importer,
					PEERBUF_TEST_REVOCABLE,
					PEERBUF_TEST_TO_DEVICE, &handle));
		must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
	}
}

/* Who is told finds every door closed, however quick. */
TEST_F_TIMEOUT(reset, watch_tells_when_it_is_so, TIMEOUT)
{
	int dmabuf, test, ready[2], i;
	pid_t child;
	char byte;
	__u64 id;

	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	for (i = 0; i < 20; i++) {
		dmabuf = must(pb_export_at(self->node, 0, MIB(4), LENGTH, &id));
		test = must(pb_open_test());
		map_for_many(self, test, dmabuf);
		child = pb_fork();
		if (!child)
			_exit(touch_when_told(dmabuf, ready[1]));
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		EXPECT_EQ(0, pb_revoke(self->node, id, 0));
		EXPECT_EQ(SIGBUS, pb_join(child));
		close(test);
		close(dmabuf);
	}
	close(ready[0]);
	close(ready[1]);
}

TEST_F(reset, watch_can_be_interrupted)
{
	int watch = must(pb_watch_buffer(self->dmabuf, 0, NULL));
	struct peerbuf_event event;

	pb_interrupt_after(50);
	EXPECT_EQ(-EINTR, pb_watch_read(watch, &event));
	pb_interrupt_after(0);
	close(watch);
}

TEST_F(reset, watch_tells_in_proc)
{
	char path[64], text[1024] = {}, wanted[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->watch);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	close(fd);
	snprintf(wanted, sizeof(wanted), "peerbuf-provider:\t%s\n",
		 self->provider.name);
	EXPECT_NE(NULL, strstr(text, wanted));
	snprintf(wanted, sizeof(wanted), "peerbuf-buffer:\t%llu\n", self->id);
	EXPECT_NE(NULL, strstr(text, wanted));
	snprintf(wanted, sizeof(wanted), "peerbuf-generation:\t%llu\n",
		 self->generation);
	EXPECT_NE(NULL, strstr(text, wanted));
	EXPECT_NE(NULL, strstr(text, "peerbuf-state:\tin use\n"));
}

TEST_HARNESS_MAIN
