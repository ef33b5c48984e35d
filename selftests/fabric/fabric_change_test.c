// SPDX-License-Identifier: GPL-2.0-only
/*
 * What changes while a machine runs: ACS control, and what is plugged in. The
 * next attach has to see it, and nothing may be asked of hardware in a map.
 * Where this differs from the kernel's own mapping code, it is meant to: see
 * "Where peerbuf differs" in Documentation/routing.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <kselftest_harness.h>
#include <linux/pci_regs.h>

#include "fabric.h"

#define OFFSET		0x40000000ULL	/* where the bridge's bus addresses begin */
#define MAX_SEGMENTS	4
#define WHITELIST	"P2PDMA whitelist"	/* what the kernel logs */

static const char * const machine[] = {
	"bridge 9100 window any 512M bus 0x40000000",
	"  port root id %s acs sv rr cr control",
	"    switch sw",
	"      port down0 acs sv rr cr control",
	"        ep a bar0 64M prefetch",
	"      port down1 acs sv rr cr control",
	"        ep b bar0 64M prefetch",
	"  port spare id %s",
	"    ep c bar0 64M prefetch",
	"end",
};

FIXTURE(change) {
	struct fabric fabric;
	struct fabric_lenders lenders;
	struct fabric_lender *a, *b, *c;
	int test;
};

FIXTURE_VARIANT(change) {
	const char *id; /* of the root ports: the first stands for the bridge */
	bool trusted;
};

FIXTURE_VARIANT_ADD(change, trusted) {
	.id = "8086:2030",
	.trusted = true,
};

/* One that nobody vouches for */
FIXTURE_VARIANT_ADD(change, untrusted) {
	.id = "1d87:3566",
};

static void describe(char *text, size_t size, const char *id)
{
	size_t i, used = 0;

	for (i = 0; i < ARRAY_SIZE(machine); i++) {
		used += snprintf(text + used, size - used, machine[i], id);
		used += snprintf(text + used, size - used, "\n");
	}
}

static struct fabric_lender *find(const struct fabric *fabric,
				  struct fabric_lenders *lenders,
				  const char *name)
{
	const struct peerbuf_function *function =
		&fabric_find(fabric, name)->device.function;
	unsigned int i;

	for (i = 0; i < lenders->nr; i++)
		if (pb_same_function(&lenders->lenders[i].device.function,
				     function))
			return &lenders->lenders[i];
	fail("'%s' does not lend", name);
}

FIXTURE_SETUP(change)
{
	char message[256], text[1024];

	fabric_quiet();
	describe(text, sizeof(text), variant->id);
	ASSERT_EQ(0, fabric_build(&self->fabric, text, message,
				  sizeof(message)))
		TH_LOG("%s", message);
	fabric_lend(&self->fabric, &self->lenders);
	self->a = find(&self->fabric, &self->lenders, "a");
	self->b = find(&self->fabric, &self->lenders, "b");
	self->c = find(&self->fabric, &self->lenders, "c");
	self->test = must(pb_open_test());
}

FIXTURE_TEARDOWN(change)
{
	close(self->test);
	fabric_unlend(&self->lenders);
	fabric_close(&self->fabric);
}

static void set_acs(const struct fabric *fabric, const char *port, __u32 value)
{
	fabric_config_write(&fabric_find(fabric, port)->device,
			    FABRIC_ACS + PCI_ACS_CTRL, 2, value);
}

/* First address that @importer is given. Return: 0 or a negative errno. */
static int attach_and_map(int test, const struct fabric_lender *provider,
			  const struct fabric_lender *importer, __u64 *address)
{
	struct peerbuf_test_segment segments[MAX_SEGMENTS];
	struct peerbuf_test_map_info info;
	unsigned int handle;
	int ret;

	ret = pb_test_attach(test, provider->dmabuf, &importer->device,
			     PEERBUF_TEST_REVOCABLE, 0, &handle);
	if (ret)
		return ret;
	must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
	must(pb_test_map_info(test, handle, &info, segments, MAX_SEGMENTS));
	must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
	*address = segments[0].address;
	return 0;
}

static int kernel_address(int test, const struct fabric_lender *provider,
			  const struct fabric_lender *importer, bool fresh,
			  __u64 *address)
{
	struct peerbuf_test_segment segments[MAX_SEGMENTS];
	unsigned int nr = MAX_SEGMENTS;
	int ret = pb_test_oracle(test, &provider->device, provider->window.bar,
				 &importer->device, provider->ranges, 1, fresh,
				 segments, &nr);

	*address = segments[0].address;
	return ret;
}

/* By bus: the physical address less the distance that the bridge moves it. */
static void gets_bus_address(struct __test_metadata *_metadata, int test,
			     const struct fabric_lender *provider,
			     const struct fabric_lender *importer)
{
	__u64 address;

	ASSERT_EQ(0, attach_and_map(test, provider, importer, &address));
	EXPECT_EQ(provider->window.bus, address);
	EXPECT_NE(provider->window.phys, address);
	EXPECT_LE(OFFSET, address);
}

/* Across the host bridge: the physical address, or a refusal. */
static void gets_host_address(struct __test_metadata *_metadata, int test,
			      bool trusted,
			      const struct fabric_lender *provider,
			      const struct fabric_lender *importer)
{
	__u64 address;
	int ret = attach_and_map(test, provider, importer, &address);

	ASSERT_EQ(trusted ? 0 : -EOPNOTSUPP, ret);
	if (trusted)
		EXPECT_EQ(provider->window.phys, address);
}

static bool trusted(const FIXTURE_VARIANT(change) * variant)
{
	return variant->trusted || fabric_cpu_trusted();
}

TEST_F(change, acs_control_is_seen_by_the_next_attach)
{
	static const char * const ports[] = { "down0", "down1" };
	static const __u32 redirects[] = { PCI_ACS_RR, PCI_ACS_CR };
	unsigned int i, j;

	gets_bus_address(_metadata, self->test, self->a, self->b);
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		for (j = 0; j < ARRAY_SIZE(redirects); j++) {
			set_acs(&self->fabric, ports[i], redirects[j]);
			gets_host_address(_metadata, self->test,
					  trusted(variant), self->a, self->b);
			set_acs(&self->fabric, ports[i], PCI_ACS_SV);
			gets_bus_address(_metadata, self->test, self->a,
					 self->b);
		}
	}
}

static void map_a_hundred_times(struct __test_metadata *_metadata,
				FIXTURE_DATA(change) *self, unsigned int handle)
{
	struct peerbuf_test_segment segments[MAX_SEGMENTS];
	struct peerbuf_test_map_info info;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP,
					  handle));
		ASSERT_EQ(0, pb_test_map_info(self->test, handle, &info,
					      segments, MAX_SEGMENTS));
		ASSERT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_UNMAP,
					  handle));
	}
}

/*
 * A verdict belongs to its attachment: nothing looks at ports when it maps. What
 * reads is a look, about once a second, whether the memory is still there; so one
 * of several hundreds without a read is enough.
 */
TEST_F(change, maps_read_no_config_space)
{
	struct fabric_lender *importers[] = { self->b, self->c };
	unsigned int handle, i, tries;
	__u64 reads;

	for (i = 0; i < ARRAY_SIZE(importers); i++) {
		if (importers[i] == self->c && !trusted(variant))
			continue;
		reads = fabric_reads(&self->fabric);
		ASSERT_EQ(0, pb_test_attach(self->test, self->a->dmabuf,
					    &importers[i]->device,
					    PEERBUF_TEST_REVOCABLE, 0,
					    &handle));
		EXPECT_LT(reads, fabric_reads(&self->fabric));

		for (tries = 0; tries < 10; tries++) {
			reads = fabric_reads(&self->fabric);
			map_a_hundred_times(_metadata, self, handle);
			if (reads == fabric_reads(&self->fabric))
				break;
		}
		EXPECT_GT(10, tries);
		ASSERT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_DETACH,
					  handle));
	}
}

/* Out with the switch, in with it: its registers are as after power-on. */
TEST_F(change, a_switch_is_seen_when_it_is_plugged_in)
{
	const struct pb_device sw = fabric_find(&self->fabric, "sw")->device;
	const struct peerbuf_function a = self->a->device.function;
	const struct peerbuf_function c = self->c->device.function;
	struct peerbuf_verdict verdict;

	set_acs(&self->fabric, "down0", PCI_ACS_RR);
	gets_host_address(_metadata, self->test, trusted(variant), self->a,
			  self->b);
	fabric_set_presence(&self->fabric, "sw", false);
	ASSERT_EQ(0, pb_remove(&sw));
	EXPECT_EQ(-ENXIO, pb_route(&a, &c, &verdict));
	EXPECT_EQ(-ENXIO, pb_route(&c, &a, &verdict));

	fabric_set_presence(&self->fabric, "sw", true);
	ASSERT_EQ(0, pb_rescan());
	ASSERT_EQ(0, pb_route(&a, &c, &verdict));
	EXPECT_EQ(trusted(variant) ? PEERBUF_ROUTE_HOST : PEERBUF_ROUTE_NONE,
		  verdict.route);

	/* Those of the functions that are gone keep nothing but their names. */
	fabric_unlend(&self->lenders);
	fabric_lend(&self->fabric, &self->lenders);
	self->a = find(&self->fabric, &self->lenders, "a");
	self->b = find(&self->fabric, &self->lenders, "b");
	gets_bus_address(_metadata, self->test, self->a, self->b);
	gets_bus_address(_metadata, self->test, self->b, self->a);
}

/*
 * Deliberate: dma_buf_phys_vec_to_sgt() goes by what the kernel found the first
 * time, and hands out bus addresses that a port now sends to the host bridge,
 * where they are somewhere else. peerbuf looks again at every attach.
 */
TEST_F(change, the_kernel_remembers_and_peerbuf_looks)
{
	__u64 address;

	ASSERT_EQ(0, kernel_address(self->test, self->a, self->b, true,
				    &address));
	EXPECT_EQ(self->a->window.bus, address);

	set_acs(&self->fabric, "down1", PCI_ACS_RR);
	ASSERT_EQ(0, kernel_address(self->test, self->a, self->b, false,
				    &address));
	EXPECT_EQ(self->a->window.bus, address);
	gets_host_address(_metadata, self->test, trusted(variant), self->a,
			  self->b);

	/* Made to look again, it agrees. */
	EXPECT_EQ(trusted(variant) ? 0 : -EINVAL,
		  kernel_address(self->test, self->a, self->b, true, &address));
	if (trusted(variant))
		EXPECT_EQ(self->a->window.phys, address);
}

/*
 * With a redirect below a bridge that it does not trust, the kernel logs a line
 * for each time it is asked. Everybody may query, nobody may fill the log.
 */
TEST_F(change, queries_leave_the_log_alone)
{
	const struct peerbuf_function *a = &self->a->device.function;
	const struct peerbuf_function *b = &self->b->device.function;
	struct peerbuf_verdict verdict;
	unsigned int before, i;

	set_acs(&self->fabric, "down0", PCI_ACS_RR | PCI_ACS_CR);
	before = pb_count_log(WHITELIST);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, pb_route(a, b, &verdict));
		ASSERT_EQ(0, pb_route(b, a, &verdict));
	}
	EXPECT_EQ(before, pb_count_log(WHITELIST));
	EXPECT_EQ(PEERBUF_REASON_ACS_REDIRECT, verdict.reason);
	EXPECT_EQ(PEERBUF_VERDICT_KERNEL,
		  verdict.flags & (PEERBUF_VERDICT_KERNEL |
				   PEERBUF_VERDICT_DISAGREES));

	/* The line exists, and this is what would have been logged. */
	if (!trusted(variant)) {
		kernel_address(self->test, self->a, self->b, true,
			       &(__u64){ 0 });
		EXPECT_LT(before, pb_count_log(WHITELIST));
	}
}

TEST_HARNESS_MAIN
