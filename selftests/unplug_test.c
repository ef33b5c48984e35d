// SPDX-License-Identifier: GPL-2.0-only
/*
 * The provider or the importer goes away: unbound, removed, pulled out, while
 * it is mapped and while DMA runs. Clear errors, no hang, and it comes back.
 *
 * Runs last, because it changes the machine.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE
#define EDU1		"edu,id=edu1,dma_mask=0xffffffffffffffff"
#define PATIENCE_MS	30000
#define TIMEOUT		120
#define FOREVER		(24 * 3600)	/* the machine has a limit of its own */
#define SLOT_DARK	PCI_EXP_SLTCTL_PWR_IND_OFF

FIXTURE(unplug) {
	struct pb_device provider;	/* QEMU's mem1 */
	struct pb_device engine;	/* QEMU's edu1 */
	int node;
	int pool;
	int dmabuf;
	int pooled;
	char *memory;
	int edu;
	unsigned int handle;
	bool route;
};

static void lend(FIXTURE_DATA(unplug) *self)
{
	const bool none = pb_expect()->route == PEERBUF_ROUTE_NONE;
	int ret;

	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	self->dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	self->pooled = must(pb_alloc(self->pool, LENGTH, NULL));
	self->memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	pb_fill(self->memory, LENGTH, 1);
	self->edu = must(pb_open_edu(&self->engine));
	ret = pb_import(self->edu, self->dmabuf, &self->handle);
	if (ret != (none ? -EOPNOTSUPP : 0))
		fail("the import returned %d", ret);
	self->route = !none;
}

static void give_back(FIXTURE_DATA(unplug) *self)
{
	munmap(self->memory, LENGTH);
	close(self->edu);
	close(self->pooled);
	close(self->dmabuf);
	close(self->pool);
	close(self->node);
}

FIXTURE_SETUP(unplug)
{
	struct peerbuf_window_info window;

	self->provider = pb_provider(1);
	self->engine = pb_importer(1);
	must(pb_window(&self->provider, 0, &window));
	ASSERT_EQ(MIB(16), window.length);
	ASSERT_EQ(MIB(16), window.available);
	lend(self);
}

/* Whatever happened to it: it is there again, whole, and works. */
FIXTURE_TEARDOWN(unplug)
{
	struct pb_state state;

	give_back(self);
	state = pb_state(&self->provider, -1);
	EXPECT_EQ(MIB(16), state.available);
	EXPECT_EQ(0, state.nr_buffers);

	lend(self);
	EXPECT_TRUE(pb_holds(self->memory, LENGTH, 1));
	if (self->route) {
		EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0,
				     64));
		EXPECT_EQ(0, pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE,
				     0, 64));
		EXPECT_EQ(0, memcmp(self->memory, self->memory + PAGE, 64));
	}
	give_back(self);
}

/*
 * DMA that goes on until something is gone; returns when it runs. Without a
 * route there is none.
 */
static pid_t keep_copying(const FIXTURE_DATA(unplug) *self)
{
	pid_t child;
	int ret;

	if (!self->route)
		return 0;
	child = pb_fork();
	if (child) {
		pb_sleep_ms(250);
		return child;
	}
	do {
		ret = pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0,
			      64);
	} while (!ret || ret == -EAGAIN);
	_exit(-ret);
}

static void expect_copying_ended(struct __test_metadata *_metadata,
				 const FIXTURE_DATA(unplug) *self, pid_t child)
{
	EXPECT_EQ(self->route ? ENODEV : 0, child ? pb_join(child) : 0);
}

/* All that is still open of a provider that has gone. */
static void expect_provider_gone(struct __test_metadata *_metadata,
				 const FIXTURE_DATA(unplug) *self)
{
	struct peerbuf_buffer_info info;
	struct peerbuf_window_info window;
	unsigned int handle;

	EXPECT_EQ(-ENODEV, pb_window(&self->provider, 0, &window));
	EXPECT_EQ(-ENOENT, pb_open_node(&self->provider, O_RDWR));
	EXPECT_EQ(-ENODEV, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	EXPECT_EQ(-ENODEV, pb_pool(self->node, MIB(4), PAGE));
	EXPECT_EQ(-ENODEV, pb_revoke(self->node, 1, 0));
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_EQ(-ENODEV, pb_revoke(self->pool, 1, 0));
	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
	EXPECT_EQ(-ENODEV, pb_try_map(self->dmabuf, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-ENODEV, pb_try_map(self->pooled, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-ENODEV, pb_import(self->edu, self->dmabuf, &handle));
	EXPECT_EQ(-ENODEV, pb_import(self->edu, self->pooled, &handle));
	EXPECT_EQ(self->route ? -ENODEV : -ENOENT,
		  pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, 64));
	EXPECT_EQ(0, pb_buffer(self->dmabuf, &info, NULL, 0));
	EXPECT_TRUE(info.flags & PEERBUF_BUFFER_REVOKED);
}

TEST_F_TIMEOUT(unplug, unbind_provider, TIMEOUT)
{
	int test = must(pb_open_test());
	struct pb_device importer = pb_usable_importer(&self->provider);
	unsigned int handle;
	bool itself = pb_same_function(&importer.function,
				       &self->provider.function);

	/* Not on behalf of the function that goes away itself. */
	if (!itself) {
		must(pb_test_attach(test, self->dmabuf, &importer,
				    PEERBUF_TEST_SLOW, 200, &handle));
		must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
	}
	EXPECT_EQ(0, pb_unbind(&self->provider));
	expect_provider_gone(_metadata, self);
	EXPECT_TRUE(itself || !pb_test_mapped(test, handle));
	close(test);

	/* What was open before stays gone, when the provider is there again. */
	EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
	EXPECT_EQ(-ENODEV, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
}

TEST_F_TIMEOUT(unplug, unbind_provider_under_dma, TIMEOUT)
{
	pid_t child;

	child = keep_copying(self);
	EXPECT_EQ(0, pb_unbind(&self->provider));
	expect_provider_gone(_metadata, self);
	expect_copying_ended(_metadata, self, child);
	EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
}

/* An importer that cannot let go is waited for; that is what it was let in for. */
TEST_F_TIMEOUT(unplug, unbind_waits_for_pinned_importer, TIMEOUT)
{
	int dmabuf = must(pb_export_at(self->node, PEERBUF_EXPORT_ALLOW_PINNED,
				       MIB(4), LENGTH, NULL));
	struct pb_device importer = pb_usable_importer(&self->provider);
	int test = must(pb_open_test());
	unsigned int handle;
	int status;
	pid_t child;

	must(pb_test_attach(test, dmabuf, &importer, PEERBUF_TEST_PINNED, 0,
			    &handle));
	must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
	child = pb_fork();
	if (!child)
		_exit(pb_unbind(&self->provider) ? 1 : 0);
	pb_sleep_ms(500);
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG))
		TH_LOG("the unbind did not wait");
	/* Everybody else is out already. */
	expect_provider_gone(_metadata, self);
	must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
	EXPECT_EQ(0, pb_join(child));
	close(test);
	close(dmabuf);
	EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
}

/* Calls of every kind go on while the provider comes and goes. */
TEST_F_TIMEOUT(unplug, calls_race_unbind, TIMEOUT)
{
	pid_t children[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = pb_fork();
		if (children[i])
			continue;
		for (;;) {
			int node = pb_open_node(&self->provider, O_RDWR);
			int pool, dmabuf;

			if (node < 0)
				continue;
			pool = pb_pool(node, MIB(i + 1), KIB(256));
			dmabuf = pb_alloc(pool, LENGTH, NULL);
			if (dmabuf >= 0) {
				char *memory = mmap(NULL, LENGTH, RW,
						    MAP_SHARED, dmabuf, 0);

				if (memory != MAP_FAILED) {
					pb_touch(memory, true);
					munmap(memory, LENGTH);
				}
				close(dmabuf);
			}
			if (pool >= 0)
				close(pool);
			close(node);
		}
	}
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, pb_unbind(&self->provider));
		EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
		pb_sleep_ms(20);
	}
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		kill(children[i], SIGKILL);
		EXPECT_EQ(128 + SIGKILL, pb_join(children[i]));
	}
}

/* The engine's file, when the engine has gone. */
static void expect_engine_gone(struct __test_metadata *_metadata,
			       const FIXTURE_DATA(unplug) *self)
{
	unsigned int handle;

	EXPECT_EQ(-ENOENT, pb_open_edu(&self->engine));
	EXPECT_EQ(-ENODEV, pb_import(self->edu, self->dmabuf, &handle));
	EXPECT_EQ(-ENODEV, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0,
				   64));
	EXPECT_EQ(-ENODEV, pb_release(self->edu, self->handle));
	/* The provider has not noticed. */
	EXPECT_EQ(0, pb_touch(self->memory, true));
}

TEST_F_TIMEOUT(unplug, unbind_importer_under_dma, TIMEOUT)
{
	pid_t child;

	child = keep_copying(self);
	EXPECT_EQ(0, pb_unbind(&self->engine));
	expect_engine_gone(_metadata, self);
	expect_copying_ended(_metadata, self, child);
	EXPECT_EQ(0, pb_bind(&self->engine, "peerbuf_edu"));
	EXPECT_EQ(-ENODEV, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0,
				   64));
}

/*
 * Drivers may keep their mappings until somebody closes a file: they are taken
 * back before the driver of their device goes, and those of no other device.
 */
TEST_F_TIMEOUT(unplug, unbind_importer_that_keeps_mappings, TIMEOUT)
{
	struct pb_device other = pb_importer(0);
	int test = must(pb_open_test());
	unsigned int kept, others;

	if (!self->route)
		SKIP(goto out, "no route in this topology");
	must(pb_test_attach(test, self->dmabuf, &self->engine,
			    PEERBUF_TEST_REVOCABLE, 0, &kept));
	must(pb_test_attach(test, self->dmabuf, &other, PEERBUF_TEST_REVOCABLE,
			    0, &others));
	must(pb_test_call(test, PEERBUF_TEST_MAP, kept));
	must(pb_test_call(test, PEERBUF_TEST_MAP, others));
	EXPECT_EQ(0, pb_unbind(&self->engine));
	EXPECT_FALSE(pb_test_mapped(test, kept));
	EXPECT_TRUE(pb_test_mapped(test, others));
	EXPECT_EQ(0, pb_bind(&self->engine, "peerbuf_edu"));
out:
	close(test);
}

/* Both at once, each in the middle of the other's work. */
TEST_F_TIMEOUT(unplug, unbind_both_under_dma, TIMEOUT)
{
	pid_t child, unbinder;
	int i;

	for (i = 0; i < 3; i++) {
		child = keep_copying(self);
		unbinder = pb_fork();
		if (!unbinder)
			_exit(pb_unbind(&self->engine) ? 1 : 0);
		EXPECT_EQ(0, pb_unbind(&self->provider));
		EXPECT_EQ(0, pb_join(unbinder));
		expect_copying_ended(_metadata, self, child);
		EXPECT_EQ(0, pb_bind(&self->engine, "peerbuf_edu"));
		EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
		give_back(self);
		lend(self);
	}
}

/* Its driver link is there before its driver is ready. */
static bool engine_is_ready(const void *device)
{
	int edu = pb_open_edu(device);

	if (edu >= 0)
		close(edu);
	return edu >= 0;
}

/* The PCI core takes the devices away, and finds them again. */
TEST_F_TIMEOUT(unplug, remove_and_rescan, TIMEOUT)
{
	pid_t child;

	child = keep_copying(self);
	EXPECT_EQ(0, pb_remove(&self->provider));
	EXPECT_FALSE(pb_present(&self->provider));
	expect_provider_gone(_metadata, self);
	expect_copying_ended(_metadata, self, child);
	EXPECT_EQ(0, pb_remove(&self->engine));
	EXPECT_EQ(-ENODEV, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0,
				   64));
	EXPECT_EQ(0, pb_rescan());
	ASSERT_TRUE(pb_wait_present(&self->provider));
	ASSERT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
	ASSERT_TRUE(pb_wait_until(engine_is_ready, &self->engine, PATIENCE_MS));
}

static bool does_not_answer(const void *device)
{
	return pb_config_read(device, 0) == 0xffff;
}

static bool is_stopped(const void *dmabuf)
{
	struct peerbuf_buffer_info info;

	must(pb_buffer(*(const int *)dmabuf, &info, NULL, 0));
	return info.flags & PEERBUF_BUFFER_STOPPED;
}

/* From what it was to what it will be, and no further. */
static void expect_watch_ends(struct __test_metadata *_metadata, int watch)
{
	struct peerbuf_event event;

	do {
		ASSERT_EQ(sizeof(event), pb_watch_read(watch, &event));
	} while (event.state != PEERBUF_STATE_REVOKED);
	EXPECT_EQ(0, pb_watch_read(watch, &event));
}

TEST_F_TIMEOUT(unplug, slot_without_power_under_dma, FOREVER)
{
	unsigned int rounds = pb_setting("PEERBUF_ROUNDS", 3), i;
	struct pb_device port = pb_port_of(&self->provider);
	pid_t child;
	int watch;

	for (i = 0; i < rounds; i++) {
		watch = must(pb_watch_buffer(self->dmabuf, 0, NULL));
		child = keep_copying(self);
		pb_slot_power(&port, false);
		EXPECT_TRUE(pb_wait_until(does_not_answer, &self->provider,
					  PATIENCE_MS));
		EXPECT_TRUE(pb_wait_until(is_stopped, &self->dmabuf,
					  PATIENCE_MS));
		EXPECT_EQ(SIGBUS, pb_touch(self->memory, true));
		EXPECT_EQ(-EAGAIN, pb_export_at(self->node, 0, MIB(4), PAGE,
						NULL));
		EXPECT_EQ(0, pb_remove(&self->provider));
		expect_provider_gone(_metadata, self);
		expect_copying_ended(_metadata, self, child);
		expect_watch_ends(_metadata, watch);
		close(watch);
		pb_slot_power(&port, true);
		EXPECT_EQ(0, pb_rescan());
		ASSERT_TRUE(pb_wait_present(&self->provider));
		ASSERT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
		give_back(self);
		lend(self);
	}
	TH_LOG("%u times", rounds);
}

/*
 * Here the kernel is told, by the port and by nobody else. QEMU takes the card
 * out of a slot that is dark and without power. The port then looks as if somebody
 * had pulled: no card, no link, a change of presence that interrupts. Power is
 * back on before that: pciehp takes a slot without for one that it has emptied
 * itself, and forgets what was in it.
 */
static void pull_by_hand(const struct pb_device *port)
{
	unsigned int reg = pb_express(port) + PCI_EXP_SLTCTL;
	unsigned int control = pb_config_read(port, reg);

	pb_config_write(port, reg, (control & ~PCI_EXP_SLTCTL_HPIE) |
				   SLOT_DARK | PCI_EXP_SLTCTL_PCC);
	pb_config_write(port, reg, control);
}

/* With the last thing that pciehp does of a removal. */
static bool is_off(const void *port)
{
	unsigned int control = pb_config_read(port, pb_express(port) +
						    PCI_EXP_SLTCTL);

	return (control & SLOT_DARK) == SLOT_DARK &&
	       control & PCI_EXP_SLTCTL_PCC;
}

/* Ports below the far host bridge of the topology bridges. */
static bool port_tells(const struct pb_device *port)
{
	return pb_expect()->hotplug && pb_has_pciehp(port);
}

/* The kernel lets go of what was at @port, says why, and is done with the slot. */
static void expect_noticed(struct __test_metadata *_metadata,
			   const struct pb_device *port,
			   const struct pb_device *device)
{
	static const char text[] = "Card not present";
	unsigned int noticed = pb_count_log(text);

	pull_by_hand(port);
	ASSERT_TRUE(pb_wait_absent(device));
	EXPECT_EQ(noticed + 1, pb_count_log(text));
	ASSERT_TRUE(pb_wait_until(is_off, port, PATIENCE_MS));
}

static void expect_nothing_left(struct __test_metadata *_metadata,
				const struct pb_device *provider, int attached)
{
	char path[128];

	EXPECT_EQ(attached, pb_nr_attached());
	snprintf(path, sizeof(path), "/sys/class/peerbuf/%s", provider->name);
	EXPECT_EQ(-1, access(path, F_OK));
	snprintf(path, sizeof(path), "/sys/kernel/debug/peerbuf/%s",
		 provider->name);
	EXPECT_EQ(-1, access(path, F_OK));
}

/* @self's memory is in the slot at @bus from here to its end. */
static void pull_provider_once(struct __test_metadata *_metadata,
			       FIXTURE_DATA(unplug) *self,
			       const struct pb_device *port, const char *bus)
{
	int attached = pb_nr_attached(), watch;
	pid_t child;

	ASSERT_EQ(0, pb_plug_provider(&self->provider, "pulled", MIB(16), bus));
	lend(self);
	watch = must(pb_watch_buffer(self->dmabuf, 0, NULL));
	child = keep_copying(self);
	expect_noticed(_metadata, port, &self->provider);
	expect_provider_gone(_metadata, self);
	expect_copying_ended(_metadata, self, child);
	expect_watch_ends(_metadata, watch);
	close(watch);
	give_back(self);
	expect_nothing_left(_metadata, &self->provider, attached);
}

TEST_F_TIMEOUT(unplug, provider_pulled_by_hand_under_dma, FOREVER)
{
	unsigned int rounds = pb_setting("PEERBUF_ROUNDS", 2), i;
	struct pb_device provider = self->provider, engine = self->engine;
	struct pb_device port = pb_port_of(&engine);
	char bus[64];

	if (!port_tells(&port))
		SKIP(return, "no slot here that the kernel's pciehp watches");
	must(pb_plug_path("edu1", bus, sizeof(bus)));
	give_back(self);
	ASSERT_EQ(0, pb_unplug(&engine, "edu1"));
	/* in its place */
	self->provider = engine;
	self->engine = pb_importer(0);
	for (i = 0; i < rounds; i++)
		pull_provider_once(_metadata, self, &port, bus);
	TH_LOG("%u times", rounds);

	ASSERT_EQ(0, pb_plug(&engine, EDU1, bus));
	ASSERT_TRUE(pb_wait_until(engine_is_ready, &engine, PATIENCE_MS));
	self->provider = provider;
	self->engine = engine;
	lend(self);
}

TEST_F_TIMEOUT(unplug, importer_pulled_by_hand_under_dma, FOREVER)
{
	unsigned int rounds = pb_setting("PEERBUF_ROUNDS", 2), i;
	struct pb_device port = pb_port_of(&self->engine);
	struct peerbuf_buffer_info info;
	pid_t child;
	char bus[64];

	if (!port_tells(&port))
		SKIP(return, "no slot here that the kernel's pciehp watches");
	must(pb_plug_path("edu1", bus, sizeof(bus)));
	for (i = 0; i < rounds; i++) {
		must(pb_buffer(self->dmabuf, &info, NULL, 0));
		EXPECT_EQ(1, pb_holders(self->node, info.id, NULL, 0));
		child = keep_copying(self);
		expect_noticed(_metadata, &port, &self->engine);
		expect_engine_gone(_metadata, self);
		expect_copying_ended(_metadata, self, child);
		/* though the engine's file is still open */
		EXPECT_EQ(0, pb_holders(self->node, info.id, NULL, 0));
		EXPECT_EQ(0, pb_revoke(self->node, info.id,
				       PEERBUF_REVOKE_NOWAIT));
		ASSERT_EQ(0, pb_plug(&self->engine, EDU1, bus));
		ASSERT_TRUE(pb_wait_until(engine_is_ready, &self->engine,
					  PATIENCE_MS));
		give_back(self);
		lend(self);
	}
	TH_LOG("%u times", rounds);
}

/*
 * An error that the kernel cannot recover from, because the other function of
 * the device has a driver that does not want to hear of errors.
 */
TEST_F_TIMEOUT(unplug, error_that_is_final, TIMEOUT)
{
	static const char text[] = "failed for good: everything is revoked";
	char bus[64], command[128], reply[1024];
	unsigned int failed = pb_count_log(text);
	struct peerbuf_buffer_info info;

	if (!pb_expect()->hotplug)
		SKIP(return, "this machine's kernel cannot be hot-unplugged");
	must(pb_plug_path("mem1", bus, sizeof(bus)));
	ASSERT_EQ(0, pb_unplug(&self->provider, "mem1"));
	/* the others of a device wait for its function 0 */
	snprintf(command, sizeof(command),
		 "device_add edu,id=deaf,addr=0.1,bus=%s", bus);
	must(pb_monitor(command, reply, sizeof(reply)));
	ASSERT_EQ(0, pb_plug_provider(&self->provider,
				      "mem1,multifunction=on,addr=0.0",
				      MIB(16), bus));
	give_back(self);
	lend(self);

	snprintf(command, sizeof(command), "pcie_aer_inject_error %s DLP", bus);
	must(pb_monitor(command, reply, sizeof(reply)));
	while (!pb_buffer(self->dmabuf, &info, NULL, 0) &&
	       !(info.flags & PEERBUF_BUFFER_REVOKED))
		pb_sleep_ms(20);
	EXPECT_EQ(failed + 1, pb_count_log(text));
	EXPECT_EQ(-ENODEV, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_EQ(-ENODEV, pb_revoke(self->node, 1, 0));
	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));

	/* with its other function */
	ASSERT_EQ(0, pb_unplug(&self->provider, "mem1"));
	ASSERT_EQ(0, pb_plug_provider(&self->provider, "mem1", MIB(16), bus));
}

TEST_F_TIMEOUT(unplug, pull_out_provider_under_dma, TIMEOUT)
{
	char bus[64];
	pid_t child;

	if (!pb_expect()->hotplug)
		SKIP(return, "this machine's kernel cannot be hot-unplugged");
	must(pb_plug_path("mem1", bus, sizeof(bus)));
	child = keep_copying(self);
	ASSERT_EQ(0, pb_unplug(&self->provider, "mem1"));
	expect_provider_gone(_metadata, self);
	expect_copying_ended(_metadata, self, child);

	ASSERT_EQ(0, pb_plug_provider(&self->provider, "mem1", MIB(16), bus));
}

TEST_F_TIMEOUT(unplug, pull_out_importer_under_dma, TIMEOUT)
{
	pid_t child;
	char bus[64];

	if (!pb_expect()->hotplug)
		SKIP(return, "this machine's kernel cannot be hot-unplugged");
	must(pb_plug_path("edu1", bus, sizeof(bus)));
	child = keep_copying(self);
	ASSERT_EQ(0, pb_unplug(&self->engine, "edu1"));
	expect_engine_gone(_metadata, self);
	expect_copying_ended(_metadata, self, child);
	ASSERT_EQ(0, pb_plug(&self->engine, EDU1, bus));
	ASSERT_TRUE(pb_wait_until(engine_is_ready, &self->engine, PATIENCE_MS));
}

TEST_HARNESS_MAIN
